import { MlvError } from '../../core/errors.js';
import type { GitRewriting } from '../../git/rewriting.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import { GIT_FILE_LIMIT } from '../../workspace/text-file.js';

/**
 * The texts of the files of Git that a migration reads and rewrites, by blob; what a partial clone lacks is left out. None
 * is taken for empty because it is long. Error: `FOREIGN_INVALID` for one above 16 MiB.
 */
export async function migratedTexts(
  git: Pick<GitRewriting, 'sizes' | 'smallBlobs'>,
  files: ReadonlyMap<string, RepositoryPath>,
): Promise<Map<string, string>> {
  for (const [blob, size] of await git.sizes([...files.keys()])) {
    if (size <= GIT_FILE_LIMIT) continue;
    const path = files.get(blob) ?? blob;
    throw new MlvError(
      'FOREIGN_INVALID',
      `'${path}' (${blob} in Git) has ${size} bytes, which is too long to be read`,
      {
        hint: 'no such file is longer than 16 MiB: take it out of the commit, or leave --history out where an old one has it',
        data: { path, blob, size, limit: GIT_FILE_LIMIT },
      },
    );
  }
  const contents = await git.smallBlobs([...files.keys()], GIT_FILE_LIMIT);
  return new Map([...contents].map(([blob, bytes]) => [blob, bytes.toString('utf8')]));
}
