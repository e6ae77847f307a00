import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Command, run } from './measure.js';
import type { Options } from './options.js';
import type { Line, Skipped } from './report.js';

/** Sizes of the inputs. */
export interface Sizes {
  largeFile: number;
  hugeFile: number;
  editedFile: number;
  smallFiles: number;
  pushedFiles: number;
  manyFiles: number;
  smallFileBytes: number;
}

/** Below the directory of the inputs: what was installed for this run only. */
const TOOLS = 'tools';
const MIB = 1024 ** 2;
const FULL: Sizes = {
  largeFile: 2048 * MIB,
  hugeFile: 10_240 * MIB,
  editedFile: 1024 * MIB,
  smallFiles: 100_000,
  pushedFiles: 20_000,
  manyFiles: 1_000_000,
  smallFileBytes: 4096,
};
const SMOKE: Sizes = {
  largeFile: 8 * MIB,
  hugeFile: 40 * MIB,
  editedFile: 24 * MIB,
  smallFiles: 200,
  pushedFiles: 200,
  manyFiles: 2000,
  smallFileBytes: 4096,
};

/** What a row needs: where to work, with what, how large and how often. */
export interface Context {
  /** A directory of this row's own, removed after it. */
  directory: string;
  sizes: Sizes;
  smoke: boolean;
  /** The number of runs asked for, or the row's own choice; 1 in a smoke run. */
  runs(usual: number): number;
  /** A budget's limit, which a smoke run has not. */
  limit(value: number): { limit?: number };
  /** The command that runs mlv; `env` is added to the clean environment. */
  mlv(cwd: string, args: readonly string[], env?: NodeJS.ProcessEnv): Command;
  /** The command that runs another program in the same environment. */
  program(cwd: string, argv: readonly string[], env?: NodeJS.ProcessEnv): Command;
  /** The path of an installed program, or undefined. */
  find(program: string): string | undefined;
  /** Tells the reader what is going on. */
  say(text: string): void;
  /** Records that something was not measured. */
  skip(skipped: Skipped): void;
}

/** A row group: figures that share their inputs. */
export interface Row {
  id: string;
  job: string;
  /** Runs only with `--large`. */
  large?: true;
  run(context: Context): Promise<Line[]>;
}

/** Makes the context of one row; its directory is new. */
export function makeContext(options: Options, root: string, program: string): Omit<Context, 'skip' | 'say'> {
  const directory = realpathSync(mkdtempSync(join(root, 'row-')));
  const env = cleanEnvironment(root);
  const command = (cwd: string, argv: readonly string[], extra: NodeJS.ProcessEnv = {}): Command => ({
    argv,
    cwd,
    env: { ...env, ...extra },
  });
  return {
    directory,
    sizes: options.smoke ? SMOKE : FULL,
    smoke: options.smoke,
    runs: (usual) => (options.smoke ? 1 : (options.runs ?? usual)),
    limit: (value) => (options.smoke ? {} : { limit: value }),
    mlv: (cwd, args, extra) => command(cwd, [process.execPath, program, ...args], extra),
    program: command,
    find: (name) => findProgram(name, env.PATH ?? ''),
  };
}

/** Installs b3sum for this run where it is missing and cargo is there; says nothing when that fails. */
export function installB3sum(root: string, say: (text: string) => void): void {
  const path = process.env.PATH ?? '';
  if (findProgram('b3sum', path) !== undefined || findProgram('cargo', path) === undefined) return;
  say('installing b3sum with cargo, for this run only');
  spawnSync('cargo', ['install', '--quiet', '--root', join(root, TOOLS), 'b3sum'], { stdio: 'ignore' });
}

/** Runs a command that is not measured. Throws an Error with what it printed when it fails. */
export function must({ argv, cwd, env }: Command): string {
  const [program = '', ...args] = argv;
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 30 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${argv.join(' ')} ended with ${result.status}\n${result.stderr}`);
  return result.stdout;
}

/** As `must`, without stopping this process, which may be serving the command. */
export async function mustFinish(command: Command): Promise<string> {
  return (await run(command)).stdout;
}

/** Makes a Git repository in which mlv is in use, and gives its path. */
export function makeRepository(context: Context, name: string): string {
  const path = join(context.directory, name);
  mkdirSync(path);
  must(context.program(path, ['git', 'init', '--quiet', '--initial-branch=main']));
  must(context.mlv(path, ['init']));
  return path;
}

/** Makes mlv forget everything it was told in a repository: cache, index, pointers and ignore files at the top. */
export function forget(repository: string): void {
  removeTree(join(repository, '.git', 'mlv'));
  for (const name of readdirSync(repository)) {
    if (name.endsWith('.mlv') || name === '.gitignore') rmSync(join(repository, name));
  }
}

/** Removes a directory or file, read-only ones too. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    makeWritable(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function makeWritable(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(path, entry.name));
  }
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((file) => existsSync(file));
}

/** No configuration of the user, of Git, of a cloud or of mlv may change a figure. */
function cleanEnvironment(root: string): NodeJS.ProcessEnv {
  const home = join(root, 'home');
  mkdirSync(home, { recursive: true });
  const kept = ['PATH', 'SystemRoot', 'PATHEXT', 'LD_LIBRARY_PATH'].map((name) => [name, process.env[name]] as const);
  return {
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    PATH: [process.env.PATH, join(root, TOOLS, 'bin')].filter(Boolean).join(delimiter),
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    TMPDIR: root,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Bench',
    GIT_AUTHOR_EMAIL: 'bench@example.com',
    GIT_COMMITTER_NAME: 'Bench',
    GIT_COMMITTER_EMAIL: 'bench@example.com',
    AWS_EC2_METADATA_DISABLED: 'true',
    DVC_NO_ANALYTICS: '1',
    NO_COLOR: '1',
  };
}
