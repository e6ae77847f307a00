import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An entry of fixtures/hostile-names.json. */
export type HostileEntry =
  | { name: string; kind: 'file'; content: string; mode?: string }
  | { name: string; kind: 'directory' }
  | { name: string; kind: 'link'; target: string };

export interface HostileTree {
  /** What was made, by its `/`-separated name. */
  made: HostileEntry[];
  /** What this file system cannot hold: empty on Linux; folded case or forms on macOS, characters on Windows. */
  skipped: HostileEntry[];
}

/** What a file system answers to a name or link that it cannot hold, or that it takes for one it already has. */
const CANNOT = new Set(['EEXIST', 'EINVAL', 'ENOENT', 'EILSEQ', 'ENAMETOOLONG', 'EPERM', 'EISDIR', 'ENOTDIR']);

/** The manifest of hostile names, in the order in which they can be made. */
export function hostileEntries(): HostileEntry[] {
  const manifest = new URL('../../fixtures/hostile-names.json', import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')) as HostileEntry[];
}

/** Makes the tree of hostile names in `directory`, which is made too and must not hold anything of the same name. */
export function makeHostileTree(directory: string, entries: HostileEntry[] = hostileEntries()): HostileTree {
  const tree: HostileTree = { made: [], skipped: [] };
  mkdirSync(directory, { recursive: true });
  for (const entry of entries) tree[make(directory, entry) ? 'made' : 'skipped'].push(entry);
  return tree;
}

/**
 * Makes a file whose name is not valid UTF-8 (Latin-1 `caf\xe9`), which no tree can hold. Gives false where the file
 * system refuses such names itself.
 */
export function makeNameThatIsNotUtf8(directory: string): boolean {
  const path = Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])]);
  try {
    writeFileSync(path, 'latin\n', { flag: 'wx' });
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

function make(directory: string, entry: HostileEntry): boolean {
  const path = join(directory, ...entry.name.split('/'));
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (entry.kind === 'directory') mkdirSync(path);
    else if (entry.kind === 'link') symlinkSync(entry.target, path);
    else makeFile(path, entry.content, entry.mode ?? '644');
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

function makeFile(path: string, content: string, mode: string): void {
  writeFileSync(path, content, { flag: 'wx' });
  chmodSync(path, Number.parseInt(mode, 8));
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && CANNOT.has((error as NodeJS.ErrnoException).code ?? '');
}
