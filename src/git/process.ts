import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';

/** How one Git process is started. */
export interface GitProcessOptions {
  /** Absolute path of the directory that Git runs in. */
  cwd: string;
  /** The whole environment of the process; nothing is inherited beside it. */
  env: NodeJS.ProcessEnv;
  /** What Git reads on its standard input; nothing by default. An error of a stream ends Git, and is raised. */
  input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Exit codes that are answers and not failures; `[0]` by default. */
  accept?: readonly number[];
  /** Takes the output as it comes, in place of `stdout`. Returning false ends the process, which is then a success. */
  onStdout?: (chunk: Buffer) => boolean;
  /** Git, and what it starts, must not ask anybody anything. */
  quiet?: boolean;
  /** Ends the process when it is aborted; the call then fails with the signal's reason. */
  signal?: AbortSignal;
}

/** How a Git process ended. */
export interface GitOutcome {
  /** Exit code, one of those accepted. */
  code: number;
  /** The output, as bytes; empty where `onStdout` took it. */
  stdout: Buffer;
  /** What Git said on standard error. */
  stderr: string;
}

const STDERR_LIMIT = 64 * 1024;

/**
 * Runs `git <args>` without a shell and waits for its end.
 * Errors: `GIT_NOT_FOUND` where there is no Git to start, `FILE_SYSTEM` where this process may open no more files,
 * `GIT_FAILED` with Git's own stderr for an exit code that is not accepted, and whatever `onStdout` throws.
 */
export async function runGit(args: readonly string[], options: GitProcessOptions): Promise<GitOutcome> {
  const { accept = [0] } = options;
  const ending = await collect(spawnGit(args, options), args, options);
  if (ending.failure !== undefined) throw ending.failure;
  if (!ending.stopped && (ending.code === null || !accept.includes(ending.code))) {
    throw gitFailed(args, { ...ending, directory: options.cwd });
  }
  return { code: ending.code ?? 0, stdout: ending.stdout, stderr: ending.stderr };
}

/** What is known of a Git process that failed. */
export interface GitFailure {
  /** Exit code, or null when a signal ended the process. */
  code: number | null;
  signal?: NodeJS.Signals | null;
  stderr: string;
  /** Absolute path of the directory that Git ran in. */
  directory?: string;
  cause?: unknown;
}

/** The `GIT_FAILED` error for a Git process that ended badly: names the command and quotes Git's stderr, redacted. */
export function gitFailed(args: readonly string[], failure: GitFailure): MlvError {
  const command = `git ${subcommandOf(args)}`;
  const reason = redactUrl(failure.stderr).trim();
  const ended = failure.code === null ? `signal ${failure.signal ?? 'unknown'} ended it` : `exit code ${failure.code}`;
  const { cause, directory } = failure;
  return new MlvError('GIT_FAILED', `'${command}' failed: ${reason || ended}`, {
    ...(cause === undefined ? {} : { cause }),
    data: { command, exitCode: failure.code, stderr: reason, ...(directory === undefined ? {} : { directory }) },
  });
}

/** The `GIT_NOT_FOUND` error. */
export function gitNotFound(cause?: unknown): MlvError {
  return new MlvError('GIT_NOT_FOUND', "mlv needs Git, and the command 'git' cannot be started", {
    ...(cause === undefined ? {} : { cause }),
    hint: 'install Git (https://git-scm.com) and make sure that it is on the PATH',
  });
}

interface Ending extends GitFailure {
  stdout: Buffer;
  /** True when `onStdout` asked for the end. */
  stopped: boolean;
  /** What makes code and output meaningless. */
  failure?: unknown;
}

function spawnGit(args: readonly string[], options: GitProcessOptions): ChildProcess {
  const { cwd, quiet = false } = options;
  const env = quiet ? { ...options.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '' } : options.env;
  // In a session of its own it has no terminal on which it, or an ssh that it starts, could ask.
  const detached = quiet && process.platform !== 'win32';
  return spawn('git', [...args], { cwd, env, shell: false, windowsHide: true, detached });
}

/** Node gives a process without streams, and only then its error, where no descriptor is left for them. */
function hasStreams(child: ChildProcess): child is ChildProcessWithoutNullStreams {
  return Boolean(child.stdin && child.stdout && child.stderr);
}

function collect(child: ChildProcess, args: readonly string[], options: GitProcessOptions): Promise<Ending> {
  return new Promise((resolve) => {
    const stdout: Buffer[] = [];
    const ending: Ending = { code: null, stdout: Buffer.alloc(0), stderr: '', stopped: false };
    child.on('error', (error) => {
      ending.failure ??= startError(error, args, options.cwd);
      if (!hasStreams(child)) resolve(ending);
    });
    if (!hasStreams(child)) return;
    let stderr = Buffer.alloc(0);
    const stop = (): void => {
      child.stdout.removeAllListeners('data').resume();
      child.kill();
    };
    child.stdout.on('data', (chunk: Buffer) => {
      if (!options.onStdout) return void stdout.push(chunk);
      try {
        ending.stopped = !options.onStdout(chunk);
      } catch (error) {
        ending.failure = error;
      }
      if (ending.stopped || ending.failure !== undefined) stop();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_LIMIT);
    });
    // Git that ends before it has read everything says why with its exit code.
    child.stdin.on('error', (error) => {
      if (systemErrorCode(error) !== 'EPIPE')
        ending.failure ??= gitFailed(args, { code: null, stderr: '', cause: error });
    });
    const abort = (): void => {
      ending.failure ??= options.signal?.reason;
      stop();
    };
    if (options.signal?.aborted) abort();
    else options.signal?.addEventListener('abort', abort, { once: true });
    child.on('close', (code, signal) => {
      options.signal?.removeEventListener('abort', abort);
      resolve({ ...ending, code, signal, stdout: Buffer.concat(stdout), stderr: stderr.toString('utf8') });
    });
    feed(child, options.input ?? '', (error) => {
      ending.failure ??= error;
      child.kill();
    });
  });
}

/** Gives the process what it reads; `failed` is told what a stream fails with. */
function feed(
  child: ChildProcessWithoutNullStreams,
  input: NonNullable<GitProcessOptions['input']>,
  failed: (error: Error) => void,
): void {
  if (typeof input === 'string' || input instanceof Uint8Array) return void child.stdin.end(input);
  const stream = Readable.from(input);
  stream.on('error', failed);
  child.stdin.on('close', () => stream.destroy());
  stream.pipe(child.stdin);
}

function startError(error: Error, args: readonly string[], cwd: string): MlvError {
  const code = systemErrorCode(error);
  // A directory that is gone gives the same ENOENT as a program that is not there.
  if ((code === 'ENOENT' || code === 'EACCES') && existsSync(cwd)) return gitNotFound(error);
  if (code === 'EMFILE' || code === 'ENFILE') return fileSystemError('start', 'git', error);
  const reason = existsSync(cwd) ? error.message : `the directory '${cwd}' does not exist`;
  return gitFailed(args, { code: null, stderr: reason, cause: error });
}

function subcommandOf(args: readonly string[]): string {
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === '-c' || args[at] === '--git-dir') at += 1;
    else if (!args[at]?.startsWith('-')) return args[at] as string;
  }
  return '';
}
