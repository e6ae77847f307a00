import { loadHash } from '../../src/objects/hash.js';
import { walkTree } from '../../src/objects/tree-diff.js';
import { encodeTree, type TreeEntry } from '../../src/objects/tree-format.js';

/** A file by its content; `{ link }`, `{ run }` (executable) or a directory. */
export type Content = string | { link: string } | { run: string } | Directory;
export interface Directory {
  [name: string]: Content;
}

const hash = await loadHash('blake3');

/** Trees in memory. */
export class TreeStore {
  readonly hash = hash;
  readonly trees = new Map<string, Buffer>();

  readonly load = (digest: Buffer): Buffer => {
    const bytes = this.trees.get(digest.toString('hex'));
    if (!bytes) throw new Error(`there is no tree ${digest.toString('hex')}`);
    return bytes;
  };

  readonly store = (digest: Buffer, bytes: Buffer): void => {
    this.trees.set(digest.toString('hex'), bytes);
  };

  /** Stores a directory; gives the digest of its tree. */
  put(directory: Directory): Buffer {
    return this.entry('', directory).digest;
  }

  /** Every file, link and empty directory of a tree, by path. */
  list(digest: Buffer): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { path, entry } of walkTree(digest, this.load)) {
      if (entry.kind === 'tree') {
        if (entry.files === 0) found[path] = 'directory';
      } else found[path] = entry.kind === 'link' ? `-> ${entry.target}` : `${entry.kind} ${this.content(entry.digest)}`;
    }
    return found;
  }

  private readonly contents = new Map<string, string>();

  private content(digest: Buffer): string {
    return this.contents.get(digest.toString('hex')) as string;
  }

  private entry(name: string, directory: Directory): Extract<TreeEntry, { kind: 'tree' }> {
    const entries = Object.entries(directory)
      .map(([each, content]) => this.entryOf(each, content))
      .sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)));
    const bytes = encodeTree(entries);
    const digest = hash.digest(bytes);
    this.store(digest, bytes);
    const size = entries.reduce((sum, each) => sum + (each.kind === 'link' ? 0 : each.size), 0);
    const files = entries.reduce((sum, each) => sum + (each.kind === 'tree' ? each.files : 1), 0);
    return { kind: 'tree', name, size, files, digest };
  }

  private entryOf(name: string, content: Content): TreeEntry {
    if (typeof content === 'string') return this.file(name, 'file', content);
    const { link, run } = content as Record<string, unknown>;
    if (typeof link === 'string') return { kind: 'link', name, target: link };
    if (typeof run === 'string') return this.file(name, 'executable', run);
    return this.entry(name, content as Directory);
  }

  private file(name: string, kind: 'file' | 'executable', text: string): TreeEntry {
    const bytes = Buffer.from(text);
    const digest = hash.digest(bytes);
    this.contents.set(digest.toString('hex'), text);
    return { kind, name, size: bytes.length, digest };
  }
}
