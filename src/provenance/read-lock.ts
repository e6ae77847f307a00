import { createHash } from 'node:crypto';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import { readTextFile } from '../workspace/text-file.js';
import { isSafePath } from './run-record.js';

const LOCK_LIMIT = 16 * 1024 * 1024;

/** The packages of a lock file. */
export interface LockedPackages {
  path: RepositoryPath;
  /** `name==version`. */
  packages: string[];
  /** What it names that comes from elsewhere than an index: a path, a URL, a repository. */
  leftOut: string[];
}

/** The kinds that are read, the most exact first. */
const READERS: readonly [name: RegExp, read: (text: string) => Promise<Omit<LockedPackages, 'path'>>][] = [
  [/^uv\.lock$/, readTomlLock],
  [/^poetry\.lock$/, readTomlLock],
  [/^requirements[\w.-]*\.(?:txt|lock)$/, async (text) => readRequirements(text)],
];

/**
 * Reads the first lock file of Python among those that were recorded (path and `sha256:<hex>`) which stands in the working
 * tree with those bytes; undefined where there is none that pins anything. Errors: `FILE_SYSTEM`.
 */
export async function readRecordedLock(
  { layout }: Pick<Repository, 'layout'>,
  locks: Readonly<Record<string, unknown>>,
): Promise<LockedPackages | undefined> {
  for (const [pattern, read] of READERS) {
    for (const [path, digest] of Object.entries(locks)) {
      if (!isSafePath(path) || !pattern.test(path.slice(path.lastIndexOf('/') + 1))) continue;
      const found = readTextFile(absolutePath(layout, path), LOCK_LIMIT);
      if (!found || !('text' in found) || sha256(found.text) !== digest) continue;
      const lock = await read(found.text);
      if (lock.packages.length > 0) return { path, ...lock };
    }
  }
  return undefined;
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

/** `uv.lock` and `poetry.lock` are tables of packages, with a `source` where they are of no index. */
async function readTomlLock(text: string): Promise<Omit<LockedPackages, 'path'>> {
  const { parse } = await import('smol-toml');
  const packages: string[] = [];
  const leftOut: string[] = [];
  for (const each of listOf(parsed(() => parse(text)).package)) {
    const { name, version, source } = each;
    if (typeof name !== 'string') continue;
    const isOfIndex = source === undefined || 'registry' in recordOf(source) || recordOf(source).type === 'legacy';
    if (isOfIndex && typeof version === 'string') packages.push(`${name}==${version}`);
    else leftOut.push(name);
  }
  return { packages, leftOut };
}

function parsed(read: () => unknown): Record<string, unknown> {
  try {
    return recordOf(read());
  } catch {
    return {};
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}

/** Lines that pin a package with `==`; markers, hashes and comments are passed over, options and URLs left out. */
function readRequirements(text: string): Omit<LockedPackages, 'path'> {
  const packages: string[] = [];
  const leftOut: string[] = [];
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const plain = line.replace(/(?:^|\s)#.*$/, '').trim();
    if (plain === '') continue;
    const [, name, version] =
      /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*==\s*([^\s;,*]+)\s*(?:;.*|--hash.*)?$/.exec(plain) ?? [];
    if (name !== undefined) packages.push(`${name}==${version}`);
    else if (!plain.startsWith('--hash')) leftOut.push(plain.slice(0, 200));
  }
  return { packages, leftOut };
}
