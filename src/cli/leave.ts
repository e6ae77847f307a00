import { fstatSync } from 'node:fs';

/** Turns of the event loop that what was closed gets to be gone. */
const TURNS = 3;

/**
 * Ends the process with its exit code at once where nothing is under way. Node itself would wait for code that is being
 * optimised in the background, and take its heap apart: 10 ms and more after all is done. Where something is under way,
 * nothing happens, and Node ends the process when that is over. To be called when what the process has to do is done.
 */
export function leave(turns = TURNS): void {
  if (isIdle()) process.exit();
  else if (turns > 0) setImmediate(() => leave(turns - 1));
}

function isIdle(): boolean {
  if (process.stdout.writableLength > 0 || process.stderr.writableLength > 0) return false;
  const active = process.getActiveResourcesInfo().filter((type) => type !== 'TTYWrap');
  const pipes = active.filter((type) => type === 'PipeWrap').length;
  return pipes === active.length && pipes <= [1, 2].filter(isPipe).length;
}

/** True where a standard stream of that number is a handle that Node counts as active as long as the process lives. */
function isPipe(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}
