import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './temporary-directory.js';

/** The program as users start it. It runs `dist/`, which the test projects that need it build first. */
export const MLV_BIN = fileURLToPath(new URL('../../bin/mlv.js', import.meta.url));

export interface RunOptions {
  cwd: string;
  /** Added to the clean environment; `undefined` takes a variable out of it. */
  env?: Record<string, string | undefined>;
  /** Written to standard input, which is otherwise empty and closed. */
  input?: string | Uint8Array;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  /** Standard output as it came, for commands that print file contents. */
  stdoutBytes: Buffer;
  /** The exit code; 128 + n where signal n ended the process, as shells show it. */
  exitCode: number;
}

const SIGNAL_NUMBERS: Record<string, number> = { SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };
let home: string | undefined;

/**
 * The environment that `runMlv` starts from: PATH and temporary directory of the test run, a home directory of its own
 * (one for each test file), a Git identity, no Git configuration, no credentials, no colours.
 */
export function cleanEnvironment(extra: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  home ??= temporaryDirectory('home');
  const kept = ['PATH', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'SYSTEMROOT', 'PATHEXT', 'LD_LIBRARY_PATH'];
  const environment: NodeJS.ProcessEnv = {};
  for (const name of kept) if (process.env[name] !== undefined) environment[name] = process.env[name];
  Object.assign(environment, {
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: `${home}/.config`,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: `${home}/.gitconfig`,
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Test Author',
    GIT_AUTHOR_EMAIL: 'author@example.com',
    GIT_COMMITTER_NAME: 'Test Author',
    GIT_COMMITTER_EMAIL: 'author@example.com',
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_COLOR: '1',
  });
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  return environment;
}

/**
 * Starts `mlv` and gives the running process, for tests that kill it, talk to it or start two at once. Standard input
 * stays open until the caller ends it.
 */
export function startMlv(args: readonly string[], options: RunOptions): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MLV_BIN, ...args], { cwd: options.cwd, env: cleanEnvironment(options.env) });
}

/** Runs `mlv` to its end and gives what it printed and its exit code; a failing command is a result, not an error. */
export async function runMlv(args: readonly string[], options: RunOptions): Promise<RunResult> {
  const child = startMlv(args, options);
  // A command that fails before it reads its input closes the pipe; its exit code tells more than the EPIPE here.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  return collect(child);
}

/** Waits for a process started with `startMlv` and gives what it printed. Call it before the process can end. */
export function collect(child: ChildProcessWithoutNullStreams): Promise<RunResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.on('data', (part: Buffer) => stderr.push(part));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const stdoutBytes = Buffer.concat(stdout);
      resolve({
        stdout: stdoutBytes.toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
        stdoutBytes,
        exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0),
      });
    });
  });
}

/** Runs `mlv` and fails the test, with everything it printed, unless it ends with exit code 0. Gives its output. */
export async function mlv(args: readonly string[], options: RunOptions): Promise<string> {
  const result = await runMlv(args, options);
  if (result.exitCode !== 0) {
    throw new Error(`mlv ${args.join(' ')} ended with ${result.exitCode}\n${result.stderr}${result.stdout}`);
  }
  return result.stdout;
}
