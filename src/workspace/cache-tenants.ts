import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import type { RepositoryLayout } from '../git/git.js';
import { makeCacheDirectory } from '../objects/group-directory.js';
import { writeNote } from './cache-move-note.js';

const FOLDER = 'repositories';
const MOST_BYTES = 64 * 1024;

/** A repository that uses a cache which is not its own alone. */
export interface Tenant {
  /** The note on it, an absolute path. */
  file: string;
  /** Git directory that its working trees share. */
  commonDir: string;
  /** Top of one of its working trees. */
  worktree: string;
}

type Layout = Pick<RepositoryLayout, 'commonDir' | 'worktree'>;

/** True for the cache that a repository has in its own Git directory, and that no other uses. */
export function isOwnCache(directory: string, { commonDir }: Layout): boolean {
  return directory === join(commonDir, 'mlv');
}

/**
 * Notes in a cache outside of the repository that the repository uses it, so that a collection by another one keeps what it
 * needs. One look where that was done before. Where the cache cannot be written to, nothing is noted: nothing can be stored
 * there either.
 */
export function registerTenant(directory: string, layout: Layout): void {
  if (isOwnCache(directory, layout)) return;
  const file = fileOf(directory, layout);
  try {
    const known = parse(file);
    if (known && lstatSync(known.worktree, { throwIfNoEntry: false })) return;
    if (!lstatSync(directory, { throwIfNoEntry: false })) return;
    makeCacheDirectory(join(directory, FOLDER));
    const { commonDir, worktree } = layout;
    writeNote(file, JSON.stringify({ commonDir, worktree }));
  } catch (error) {
    const code = error instanceof MlvError ? String(error.data.system) : systemErrorCode(error);
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code ?? '')) throw fileSystemError('write', file, error);
  }
}

/** Takes the note back: the repository has another cache now. Error: `FILE_SYSTEM`. */
export function forgetTenant(directory: string, layout: Layout): void {
  rmSync(fileOf(directory, layout), { force: true });
}

/** The other repositories that use a cache. Errors: `FILE_SYSTEM`, `HISTORY_INCOMPLETE` for a note that cannot be read. */
export function otherTenants(directory: string, layout: Layout): Tenant[] {
  const folder = join(directory, FOLDER);
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw fileSystemError('list', folder, error);
  }
  const own = fileOf(directory, layout);
  const others = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  return others.filter((file) => file !== own).map((file) => readTenant(file) ?? unreadable(file));
}

function fileOf(directory: string, { commonDir }: Layout): string {
  const name = createHash('sha256').update(commonDir).digest('hex').slice(0, 32);
  return join(directory, FOLDER, `${name}.json`);
}

function readTenant(file: string): Tenant | undefined {
  try {
    return parse(file);
  } catch (error) {
    throw fileSystemError('read', file, error);
  }
}

/** Undefined where there is no note, or one that says nothing: it is written by whoever may write to the cache. */
function parse(file: string): Tenant | undefined {
  try {
    const stat = lstatSync(file);
    if (!stat.isFile() || stat.size > MOST_BYTES) return undefined;
    const { commonDir, worktree } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (!isPath(commonDir) || !isPath(worktree)) return undefined;
    return { file, commonDir, worktree };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && isAbsolute(value) && !value.includes('\0');
}

function unreadable(file: string): never {
  throw new MlvError('HISTORY_INCOMPLETE', `'${file}' does not say which repository uses this cache`, {
    hint: "remove it, if it is nobody's; the repository writes it anew when mlv is next used there",
    data: { file },
  });
}
