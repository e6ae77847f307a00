import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { holdLock } from '../config/lock-file.js';
import { MlvError } from '../core/errors.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';

/**
 * Does some work while no other mlv runs a command that writes one of the paths, or puts them back: what two write at once
 * would be recorded as the work of one. Errors: `RUN_FAILED` at once where another does, `FILE_SYSTEM`, those of the work.
 */
export async function whileWriting<T>(
  { layout }: Repository,
  paths: readonly RepositoryPath[],
  work: () => Promise<T>,
): Promise<T> {
  const held: (() => void)[] = [];
  try {
    for (const path of [...new Set(paths)].sort()) {
      const name = createHash('sha256').update(path).digest('hex').slice(0, 40);
      const end = holdLock(join(layout.gitDir, 'mlv', 'outputs', `${name}.lock`));
      if (!end) throw isWritten(path);
      held.push(end);
    }
    return await work();
  } finally {
    for (const end of held) end();
  }
}

function isWritten(path: RepositoryPath): MlvError {
  return new MlvError('RUN_FAILED', `another mlv runs a command that writes '${path}' at this moment`, {
    hint: 'wait for its end, then run the same command again',
    data: { path },
  });
}
