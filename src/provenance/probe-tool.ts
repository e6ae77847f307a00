import { execFile } from 'node:child_process';
import { systemErrorCode } from '../core/errors.js';

const OUTPUT_LIMIT = 8 * 1024 * 1024;

/** How a program is asked for what it knows. */
export interface ToolOptions {
  /** Absolute. */
  cwd: string;
  /** The whole environment of the program. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds after which it is given up. */
  limitMs: number;
  signal?: AbortSignal;
}

/** What a program said, or why it said nothing. */
export type ToolAnswer = { text: string } | { absent: string };

/**
 * Runs a program without a shell and gives its standard output (and standard error, where that is all it wrote). Never
 * raises an error: a program that is not there, fails or takes too long is an answer, too.
 */
export function askTool(program: string, args: readonly string[], options: ToolOptions): Promise<ToolAnswer> {
  const { cwd, env, limitMs, signal } = options;
  return new Promise((resolve) => {
    const given = { cwd, env, maxBuffer: OUTPUT_LIMIT, ...(signal && { signal }) };
    const child = execFile(program, [...args], given, (error, stdout, stderr) => {
      clearTimeout(timer);
      if (!error) resolve({ text: stdout.trim() === '' ? stderr : stdout });
      else resolve({ absent: systemErrorCode(error) === 'ENOENT' ? '' : 'it failed' });
    });
    // What the program itself started may hold its output open after it was killed, so nothing is waited for.
    const timer = setTimeout(() => {
      resolve({ absent: `no answer within ${limitMs / 1000} s` });
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    }, limitMs);
    child.stdin?.on('error', () => {});
    child.stdin?.end();
  });
}
