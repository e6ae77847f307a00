import type { FileEntryWithStats, Stats } from 'ssh2';
import { checkInterrupted } from './interrupted.js';
import { comesAfter, TEMPORARY_SEGMENT } from './keys.js';
import type { ListOptions, RemoteEntry } from './remote.js';
import { isMissing } from './sftp-errors.js';
import type { SftpSession } from './sftp-session.js';

/** A link that leads back to a directory above it would otherwise never end; keys of mlv are four levels deep. */
const MAX_DEPTH = 32;
/** Directories whose contents are asked for before their turn: each would cost a round trip or two. */
const READ_AHEAD = 16;

interface Walk extends ListOptions {
  /** Does some work on a connection. */
  use: <T>(work: (session: SftpSession) => Promise<T>) => Promise<T>;
  base: string;
  prefix: string;
}

interface Child {
  /** Ends with a slash for a directory. */
  key: string;
  entry?: RemoteEntry;
}

/**
 * Every file below `base` whose key starts with `prefix`, in ascending order of the keys, without reading directories
 * that cannot hold one. Symbolic links are followed; what vanishes meanwhile is left out. Errors: the server's.
 */
export async function* walkSftp(walk: Walk): AsyncGenerator<RemoteEntry> {
  const start = walk.prefix.slice(0, walk.prefix.lastIndexOf('/') + 1);
  // What no key begins with would be taken by the server for another directory.
  const odd = start
    .split('/')
    .slice(0, -1)
    .some((segment) => ['', '.', '..'].includes(segment));
  if (!odd) yield* below(childrenOf(start, walk), walk, 0);
}

async function* below(listing: Promise<Child[]>, walk: Walk, depth: number): AsyncGenerator<RemoteEntry> {
  if (depth > MAX_DEPTH) return;
  const children = await listing;
  const directories = children.filter(({ entry }) => !entry);
  const asked = new Map<string, Promise<Child[]>>();
  for (const { key, entry } of children) {
    checkInterrupted(walk.signal);
    if (entry) {
      yield entry;
      continue;
    }
    const at = directories.findIndex((directory) => directory.key === key);
    for (const { key: ahead } of directories.slice(at, at + READ_AHEAD)) {
      if (!asked.has(ahead)) asked.set(ahead, quietly(childrenOf(ahead, walk)));
    }
    const inside = asked.get(key) ?? childrenOf(key, walk);
    asked.set(key, Promise.resolve([]));
    yield* below(inside, walk, depth + 1);
  }
}

/** What fails while nobody waits for it fails again when somebody does. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function childrenOf(directory: string, walk: Walk): Promise<Child[]> {
  return walk.use(async (session) => {
    const path = directory === '' ? walk.base : `${walk.base}/${directory.slice(0, -1)}`;
    const entries = await ignoreMissing(session.list(path), []);
    const children = await Promise.all(entries.map((entry) => childOf(entry, { directory, path, session })));
    return children
      .filter((child) => child !== undefined)
      .filter(({ key }) => isOfInterest(key, walk))
      .sort((a, b) => (comesAfter(a.key, b.key) ? 1 : -1));
  });
}

async function childOf(
  { filename, attrs }: FileEntryWithStats,
  { directory, path, session }: { directory: string; path: string; session: SftpSession },
): Promise<Child | undefined> {
  if (filename === '.' || filename === '..') return undefined;
  const followed: Stats | undefined = attrs.isSymbolicLink()
    ? await ignoreMissing(session.stat(`${path}/${filename}`), undefined)
    : (attrs as Stats);
  const key = directory + filename;
  if (followed?.isDirectory()) return { key: `${key}/` };
  return followed?.isFile() ? { key, entry: { key, size: followed.size, modified: followed.mtime * 1000 } } : undefined;
}

function isOfInterest(key: string, { prefix, startAfter }: Walk): boolean {
  if (key === `${TEMPORARY_SEGMENT}/`) return false;
  const isDirectory = key.endsWith('/');
  if (!key.startsWith(prefix) && !(isDirectory && prefix.startsWith(key))) return false;
  return startAfter === undefined || comesAfter(key, startAfter) || (isDirectory && startAfter.startsWith(key));
}

async function ignoreMissing<T, U>(promise: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await promise;
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}
