import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, MlvError } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import type { Environment } from './environment.js';
import { probePython } from './probe-python.js';
import { findPython, type PythonSource } from './python-find.js';
import {
  compareEnvironment,
  type EnvironmentDifference,
  type PackagePlan,
  type PinnedPackage,
  readWantedPython,
  type WantedPython,
} from './python-plan.js';
import type { CommandEnding } from './run-command.js';

/** Directory of the virtual environment in a restored tree. */
const VIRTUAL_ENVIRONMENT = '.venv';
/** Stands in a virtual environment that mlv made, whole or not: it may be made again. */
const MARK = 'mlv-environment.txt';
const REQUIREMENTS = 'mlv-requirements.txt';
const PROBE_LIMIT_MS = 60_000;
/** After so many single failures, and nothing that came, the index is taken for one that has nothing. */
const PATIENCE = 10;

/** What makes an environment needs of the world. */
export interface MakePythonTools {
  /** The environment of the user. */
  env: NodeJS.ProcessEnv;
  /** Absolute: a directory of the user's own, for programs that read settings of where they run and above. */
  home: string;
  /** Runs a program, without a shell. Errors as runCommand. */
  execute(command: readonly string[], where: { cwd: string; env: NodeJS.ProcessEnv }): Promise<CommandEnding>;
  reporter: Reporter;
  signal?: AbortSignal;
}

/** What is to be made. */
export interface MakePythonRequest {
  /** Absolute: the tree that gets the virtual environment. */
  directory: string;
  environment: Environment;
  packages: PackagePlan;
  /** Take another minor version of Python where the recorded one is not there. */
  anyPython: boolean;
  /** Build packages that are there as source only: code of theirs runs then. */
  build: boolean;
}

/** What was made, and how it differs from what was recorded. */
export interface MadePython extends EnvironmentDifference {
  /** Absolute. */
  directory: string;
  tool: 'uv' | 'pip';
  /** Then and now. */
  python: { before: string; after: string };
  /** Packages that are there as recorded. */
  installed: number;
  /** Entries of the record that are no packages. */
  refused: string[];
  /** True where Python and all packages are those that were recorded. */
  same: boolean;
}

/**
 * Makes a virtual environment with the recorded Python and the recorded packages, no dependencies of theirs besides: the
 * record has them. What could not be installed is told, not an error. Names and versions are given to pip or uv in a file
 * that holds nothing else. Repeatable after an interrupt. Errors: `ENVIRONMENT_FAILED` without the Python, or a virtual
 * environment; `TARGET_EXISTS` where something else stands in its place; `INTERRUPTED`, `FILE_SYSTEM`.
 */
export async function makePython(request: MakePythonRequest, tools: MakePythonTools): Promise<MadePython> {
  const { environment, packages } = request;
  const wanted = readWantedPython(environment.python);
  if (!wanted) throw failed('no Python is recorded of it', 'what is recorded stands in .mlv-version/environment.json');
  const directory = join(request.directory, VIRTUAL_ENVIRONMENT);
  refuseNotOurs(directory);
  const ownTools = { ...tools, env: cleanEnvironment(tools.env) };
  const source = await findPython(wanted, { ...ownTools, anyPython: request.anyPython });
  await makeVirtual(directory, { source, wanted, tools: ownTools });
  await new Installer({ directory, source, build: request.build, tools: ownTools }).install(packages.wanted);
  const limits = { cwd: tools.home, env: ownTools.env, limitMs: PROBE_LIMIT_MS };
  const there = await probePython({ ...limits, virtualEnvironment: directory });
  const after = there.python ?? source.version;
  const difference = compareEnvironment(packages.wanted, there.packages ?? []);
  const { missing, other } = difference;
  const differs = missing.length + other.length + packages.refused.length > 0 || after !== environment.python;
  return {
    directory,
    tool: source.kind === 'uv' ? 'uv' : 'pip',
    python: { before: environment.python ?? '', after },
    ...difference,
    installed: packages.wanted.length - missing.length - other.length,
    refused: packages.refused,
    same: !differs,
  };
}

/** Whatever mlv did not make itself is left alone. */
function refuseNotOurs(directory: string): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isDirectory() && lstatSync(join(directory, MARK), { throwIfNoEntry: false })?.isFile()) return;
  throw new MlvError('TARGET_EXISTS', `'${directory}' is there already, and mlv did not make it`, {
    hint: 'move it away, then run the same command again',
    data: { path: directory },
  });
}

/** Settings that would have the installer put packages elsewhere, or read more than it is given. */
const MISLEADING =
  /^(?:VIRTUAL_ENV|CONDA_PREFIX|PYTHON(?:PATH|HOME|STARTUP|USERBASE)|PIP_(?:TARGET|PREFIX|ROOT|USER|PYTHON|REQUIREMENT|CONSTRAINT|EDITABLE|SRC)|UV_(?:TARGET|PREFIX|SYSTEM_PYTHON|PROJECT|PROJECT_ENVIRONMENT|CONSTRAINT|OVERRIDE|WORKING_DIR(?:ECTORY)?))$/;

function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !MISLEADING.test(name)));
}

interface Making {
  source: PythonSource;
  wanted: WantedPython;
  tools: MakePythonTools;
}

async function makeVirtual(directory: string, { source, wanted, tools }: Making): Promise<void> {
  tools.reporter.note(`making ${VIRTUAL_ENVIRONMENT} with Python ${source.version} (${source.kind})`);
  try {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    writeFileSync(join(directory, MARK), 'made by mlv\n');
    writeFileSync(join(directory, '.gitignore'), '*\n');
  } catch (error) {
    throw fileSystemError('make', directory, error);
  }
  const command =
    source.kind === 'uv'
      ? ['uv', 'venv', '--quiet', '--allow-existing', '--python', source.program, directory]
      : [source.program, '-I', '-m', 'venv', directory];
  if (await succeeds(command, tools)) return;
  throw failed(`no virtual environment could be made with Python ${wanted.version}`, 'what was printed stands above');
}

async function succeeds(command: readonly string[], { execute, env, home, signal }: MakePythonTools): Promise<boolean> {
  signal?.throwIfAborted();
  const { exitCode, interrupted } = await execute(command, { cwd: home, env });
  if (interrupted) throw new MlvError('INTERRUPTED', 'interrupted');
  return exitCode === 0;
}

/** Installs packages all at once, and where that fails, in halves, so that one that is not to be had keeps no other out. */
class Installer {
  private installed = 0;
  private failures = 0;

  constructor(
    private readonly job: { directory: string; source: PythonSource; build: boolean; tools: MakePythonTools },
  ) {}

  async install(packages: readonly PinnedPackage[]): Promise<void> {
    if (packages.length === 0 || (this.installed === 0 && this.failures >= PATIENCE)) return;
    const { reporter } = this.job.tools;
    reporter.note(`installing ${packages.length === 1 ? nameOf(packages[0]) : `${packages.length} packages`}`);
    if (await this.tryAll(packages)) {
      this.installed += packages.length;
      return;
    }
    if (packages.length === 1) {
      this.failures += 1;
      reporter.warn(`${nameOf(packages[0])} could not be installed`);
      return;
    }
    const half = Math.ceil(packages.length / 2);
    await this.install(packages.slice(0, half));
    await this.install(packages.slice(half));
  }

  private tryAll(packages: readonly PinnedPackage[]): Promise<boolean> {
    const { directory, source, build, tools } = this.job;
    const file = join(directory, REQUIREMENTS);
    try {
      writeFileSync(file, packages.map((each) => `${nameOf(each)}\n`).join(''));
    } catch (error) {
      throw fileSystemError('write', file, error);
    }
    const folder = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
    const python = join(directory, ...folder);
    const options = ['--no-deps', ...(build ? [] : ['--only-binary', ':all:']), '-r', file];
    const command =
      source.kind === 'uv'
        ? ['uv', 'pip', 'install', '--python', python, ...options]
        : [python, '-I', '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--quiet', ...options];
    return succeeds(command, tools);
  }
}

function nameOf(each: PinnedPackage | undefined): string {
  return each === undefined ? '' : `${each.name}==${each.version}`;
}

function failed(message: string, hint: string): MlvError {
  return new MlvError('ENVIRONMENT_FAILED', `cannot make the Python environment: ${message}`, { hint });
}
