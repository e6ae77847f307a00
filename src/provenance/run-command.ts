import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { MlvError, systemErrorCode } from '../core/errors.js';
import { signalTree } from './process-tree.js';

/** Something that receives the signals of the process while a command runs; gives a function that ends that. */
export type SignalSource = (listener: (name: NodeJS.Signals) => void) => () => void;

export interface CommandOptions {
  /** Absolute: where it runs. */
  cwd: string;
  /** The whole environment of the command. */
  env: NodeJS.ProcessEnv;
  /**
   * `inherit` passes standard input, output and error through; `error` does, too, with its output on standard error, for
   * a caller whose own output is a document; a function gets the output line by line, and there is no input.
   */
  output: 'inherit' | 'error' | ((line: string) => void);
  /** Signals that reach this process go to the command, and to nobody else. */
  onSignals?: SignalSource;
  /**
   * True where a terminal gives an interrupt to the command as well, so that it must not be sent a second time.
   */
  sharesTerminal?: boolean;
}

/** How a command ended. */
export interface CommandEnding {
  /** The exit code, 128 + n where signal n ended it, as shells have it. */
  exitCode: number;
  /** The first signal that came while it ran. */
  interrupted?: NodeJS.Signals;
}

/** How long output is read after a command's end that something it started holds open. */
const PATIENCE_MS = 1000;

/**
 * Runs a command to its end: a list of words without a shell, a text by the system's shell. A signal is passed on to it
 * and all that it started, once, and its end is waited for; what it leaves running is not. Error: `RUN_FAILED` where it cannot be started.
 */
export function runCommand(command: string | readonly string[], options: CommandOptions): Promise<CommandEnding> {
  const { cwd, env, output, onSignals, sharesTerminal = false } = options;
  const [program = '', ...args] = typeof command === 'string' ? [command] : command;
  const piped = typeof output === 'function';
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      shell: typeof command === 'string',
      stdio: piped ? ['ignore', 'pipe', 'pipe'] : ['inherit', output === 'error' ? 2 : 'inherit', 'inherit'],
      windowsHide: true,
    });
    const ending: { interrupted?: NodeJS.Signals } = {};
    const stop = onSignals?.((name) => {
      ending.interrupted ??= name;
      if (!(sharesTerminal && name === 'SIGINT') && child.pid !== undefined) signalTree(child.pid, name);
    });
    const flush = piped ? [child.stdout, child.stderr].map((stream) => byLine(stream, output)) : [];
    child.once('error', (error) => {
      stop?.();
      reject(cannotStart(program, error));
    });
    // What the command left running may hold its output open: that is not waited for.
    let patience: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      if (!piped) return;
      patience = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, PATIENCE_MS);
    });
    child.once('close', (code, signal) => {
      clearTimeout(patience);
      stop?.();
      for (const end of flush) end();
      resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0), ...ending });
    });
  });
}

/** Gives whole lines on; what is left at the end is one, too. */
function byLine(stream: NodeJS.ReadableStream | null, write: (line: string) => void): () => void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) write(line);
  });
  return () => {
    if (rest !== '') write(rest);
  };
}

function cannotStart(program: string, error: Error): MlvError {
  const code = systemErrorCode(error);
  const reason = code === 'ENOENT' ? 'there is no such program' : (code ?? error.message);
  return new MlvError('RUN_FAILED', `cannot start '${program}': ${reason}`, {
    cause: error,
    hint: 'check the name and the PATH; behind -- stands a program with its arguments, not a line for the shell',
    data: { program },
  });
}
