import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { RepositoryLayout } from './git.js';

/** The commits that a merge or cherry-pick is bringing into HEAD and that are not committed yet, hex. */
export function incomingCommits({ gitDir }: RepositoryLayout): string[] {
  return ['MERGE_HEAD', 'CHERRY_PICK_HEAD'].flatMap((name) => {
    try {
      const lines = readFileSync(join(gitDir, name), 'latin1').split('\n');
      return lines.filter((line) => /^[0-9a-f]{40,64}$/.test(line));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw fileSystemError('read', join(gitDir, name), error);
    }
  });
}
