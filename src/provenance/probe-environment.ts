import type { Environment } from './environment.js';
import { absence, probeGpus } from './probe-gpu.js';
import { probeLocks } from './probe-locks.js';
import { probeMachine } from './probe-machine.js';
import { probePython } from './probe-python.js';
import { askTool, type ToolOptions } from './probe-tool.js';
import { recordedVariables } from './probe-variables.js';

const LIMIT_MS = 5000;

export interface ProbeOptions {
  /** Absolute: where a run takes place. */
  cwd: string;
  /** The environment of the user, which the programs that are asked get, too. */
  env: NodeJS.ProcessEnv;
  /** Top of the working tree, absolute; lock files are looked for from `cwd` up to here. `cwd` by default. */
  top?: string;
  /**
   * A virtual environment whose Python is asked before that of the PATH, such as the project's `.venv`. Only to be given
   * where the user has a command of the project run anyway: whoever wrote the repository may have put it there.
   */
  virtualEnvironment?: string;
  /** Names of more environment variables to be recorded; those that sound like secrets are not. */
  variables?: readonly string[];
  /** Milliseconds after which a program that gives no answer is given up; 5000 by default. */
  limitMs?: number;
  /** Ends the programs that are asked; what they would have told is absent then. */
  signal?: AbortSignal;
}

/**
 * Finds out what machine and environment this is: system, processor, memory, GPUs, container, Python with its packages,
 * Node, R, lock files, chosen variables. Best effort, all parts at once, each with a time limit; never raises an error.
 * What was looked for and not found is named in `absent`.
 */
export async function probeEnvironment(options: ProbeOptions): Promise<Environment> {
  const { cwd, env, top = cwd, limitMs = LIMIT_MS, signal, virtualEnvironment } = options;
  const tool: ToolOptions = { cwd, env, limitMs, ...(signal && { signal }) };
  const asked = Promise.all([
    probeGpus(tool),
    probePython({ ...tool, ...(virtualEnvironment !== undefined && { virtualEnvironment }) }),
    probeVersion('node', tool),
    probeVersion('r', tool),
  ]);
  const machine = probeMachine(env);
  const locks = probeLocks(cwd, top);
  const parts = [machine, ...(await asked)];
  const absent = [
    ...(machine.container === undefined ? ['container'] : []),
    ...parts.flatMap((part) => part.absent ?? []),
    ...(Object.keys(locks).length === 0 ? ['locks'] : []),
  ];
  const variables = recordedVariables(env, options.variables);
  const found: Environment = Object.assign({}, ...parts);
  // Last in what is printed.
  delete found.absent;
  return {
    ...found,
    ...(Object.keys(locks).length > 0 && { locks }),
    ...(Object.keys(variables).length > 0 && { variables }),
    absent: [...new Set(absent)].sort(),
  };
}

const VERSIONS = {
  node: { args: ['--version'], pattern: /^v(\d+\.\d+\.\d+\S*)/m, program: 'node' },
  r: { args: ['--version'], pattern: /version (\d+\.\d+\.\d+)/, program: 'R' },
} as const;

async function probeVersion(part: keyof typeof VERSIONS, options: ToolOptions): Promise<Environment> {
  const { args, pattern, program } = VERSIONS[part];
  const answer = await askTool(program, args, options);
  const version = 'text' in answer ? pattern.exec(answer.text)?.[1] : undefined;
  return version === undefined ? { absent: [absence(part, answer)] } : { [part]: version };
}
