import { readdirSync, readFileSync } from 'node:fs';

/** More than any command has; a bound for a tree that grows while it is looked at. */
const MOST = 10_000;

/**
 * Sends a signal to a process and to all that it started, directly or through others: a shell that is ended does not end
 * what it runs. What they started is known on Linux only; elsewhere the process alone gets it.
 */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const each of [...descendantsOf(pid), pid]) {
    try {
      process.kill(each, signal);
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

function descendantsOf(pid: number): number[] {
  const found: number[] = [];
  const waiting = [pid];
  for (let next = waiting.shift(); next !== undefined && found.length < MOST; next = waiting.shift()) {
    const children = childrenOf(next);
    found.push(...children);
    waiting.push(...children);
  }
  return found;
}

/** proc(5): the children of each thread of a process. */
function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1'));
    return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}
