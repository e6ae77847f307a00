import { type ChildProcess, fork } from 'node:child_process';
import type { TransferJob, TransferMessage } from './transfer-process.js';

const SCRIPT = new URL('./transfer-process.ts', import.meta.url).pathname;

/** A transfer in a process of its own. */
export interface TransferChild {
  process: ChildProcess;
  /** Keys of the puts that are done, as far as they were told. */
  puts: string[];
  /** When it ended: its exit code (null when it was killed), and what it said at last. */
  ended: Promise<{ code: number | null; failed?: unknown[]; rss?: number }>;
}

/** Starts the transfer; `onPut` is told of each put that is done. */
export function startTransfer(
  job: TransferJob,
  onPut: (child: ChildProcess, puts: readonly string[]) => void = () => {},
): TransferChild {
  const child = fork(SCRIPT, [JSON.stringify(job)], { execArgv: ['--import', 'tsx'] });
  const puts: string[] = [];
  let last: { failed?: unknown[]; rss?: number } = {};
  child.on('message', (message: TransferMessage) => {
    if ('put' in message) {
      puts.push(message.put);
      onPut(child, puts);
    } else last = { failed: message.done.failed, rss: message.rss };
  });
  const ended = new Promise<{ code: number | null; failed?: unknown[]; rss?: number }>((resolve) =>
    child.once('exit', (code) => resolve({ code, ...last })),
  );
  return { process: child, puts, ended };
}
