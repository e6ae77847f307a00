import { MlvError } from '../core/errors.js';
import { askTool } from './probe-tool.js';
import type { WantedPython } from './python-plan.js';

const LIMIT_MS = 60_000;
const DOWNLOAD_MS = 15 * 60_000;
const SCRIPT = 'import sys; print(sys.version.split()[0], sys.implementation.name, sys.executable)';

/** A Python from which a virtual environment can be made. */
export interface PythonSource {
  /** Who makes it, and installs into it. */
  kind: 'uv' | 'venv';
  /** Absolute path of the interpreter. */
  program: string;
  version: string;
}

/** Where Python is looked for. */
export interface FindPythonOptions {
  env: NodeJS.ProcessEnv;
  home: string;
  /** Take whatever Python 3 there is where the recorded minor version is not. */
  anyPython: boolean;
  signal?: AbortSignal;
}

/**
 * Finds the recorded Python: what uv has or can get of it, else `pythonX.Y`, `python3` or `python` of the PATH; first the
 * very version, then another patch of the same minor version. Error: `ENVIRONMENT_FAILED` with what there is instead.
 */
export async function findPython(wanted: WantedPython, options: FindPythonOptions): Promise<PythonSource> {
  const hasUv = 'text' in (await ask('uv', ['--version'], options));
  const kind = hasUv ? 'uv' : 'venv';
  const found = await interpreters(wanted, hasUv, options);
  const fitting = (all: readonly Interpreter[]): Interpreter[] => all.filter((each) => isFitting(each, wanted));
  let fits = fitting(found);
  if (fits.length === 0 && hasUv && !options.anyPython) {
    // Where uv may, it downloads one.
    await ask('uv', ['python', 'install', '--quiet', uvName(wanted, wanted.version)], {
      ...options,
      limitMs: DOWNLOAD_MS,
    });
    fits = fitting(await pythonsOfUv(wanted, options));
  }
  const best =
    fits.find(({ version }) => version === wanted.version) ?? fits[0] ?? (options.anyPython ? found[0] : undefined);
  if (best) return { kind, program: best.program, version: best.version };
  const there = [...new Set(found.map(({ version }) => version))].join(', ');
  const name =
    wanted.implementation === 'cpython' ? `Python ${wanted.minor}` : `${wanted.implementation} ${wanted.minor}`;
  throw new MlvError(
    'ENVIRONMENT_FAILED',
    `cannot make the Python environment: ${name} is not here (${wanted.version} is recorded)`,
    {
      hint: `install it, or take ${there === '' ? 'another' : `what there is (${there})`}: --any-python`,
      data: { wanted: wanted.version, found: there === '' ? [] : there.split(', ') },
    },
  );
}

async function interpreters(wanted: WantedPython, hasUv: boolean, options: FindPythonOptions): Promise<Interpreter[]> {
  return [...(hasUv ? await pythonsOfUv(wanted, options) : []), ...(await pythonsOfPath(wanted, options))];
}

function isFitting({ version, implementation }: Interpreter, wanted: WantedPython): boolean {
  const isMinor = version === wanted.minor || version.startsWith(`${wanted.minor}.`);
  return implementation === wanted.implementation && isMinor;
}

function uvName({ implementation }: WantedPython, version: string): string {
  return implementation === 'cpython' ? version : `${implementation}@${version}`;
}

interface Interpreter {
  version: string;
  implementation: string;
  program: string;
}

async function pythonsOfUv(wanted: WantedPython, options: FindPythonOptions): Promise<Interpreter[]> {
  for (const version of [wanted.version, wanted.minor]) {
    const answer = await ask('uv', ['python', 'find', '--no-project', '--system', uvName(wanted, version)], options);
    const found = 'text' in answer ? await look(answer.text.trim(), options) : undefined;
    if (found) return [found];
  }
  return [];
}

async function pythonsOfPath(wanted: WantedPython, options: FindPythonOptions): Promise<Interpreter[]> {
  const own = wanted.implementation === 'cpython' ? `python${wanted.minor}` : `${wanted.implementation}${wanted.minor}`;
  const found: Interpreter[] = [];
  for (const name of [own, 'python3', 'python']) {
    const interpreter = await look(name, options);
    if (interpreter) found.push(interpreter);
  }
  return found;
}

async function look(program: string, options: FindPythonOptions): Promise<Interpreter | undefined> {
  if (program === '') return undefined;
  const answer = await ask(program, ['-I', '-c', SCRIPT], options);
  const [, version, implementation, path] = 'text' in answer ? (/^(\S+) (\S+) (.+)$/m.exec(answer.text) ?? []) : [];
  if (version === undefined || implementation === undefined || path === undefined || path.trim() === '')
    return undefined;
  return { version, implementation, program: path.trim() };
}

function ask(
  program: string,
  args: readonly string[],
  { env, home, signal, limitMs = LIMIT_MS }: FindPythonOptions & { limitMs?: number },
) {
  return askTool(program, args, { cwd: home, env, limitMs, ...(signal && { signal }) });
}
