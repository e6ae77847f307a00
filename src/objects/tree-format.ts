import { MlvError } from '../core/errors.js';
import { ByteReader, MAX_VARINT_BYTES, writeVarint } from '../core/varint.js';
import { entryNameProblem } from './entry-name.js';
import { DIGEST_BYTES } from './oid.js';

/** First bytes of every tree: the format's name and number. Documented in docs/formats/tree.md. */
export const TREE_MAGIC = Buffer.from('mlvtree\x01', 'latin1');

/** What an entry is; the values are the bytes of the format. */
export const KIND = { file: 0x66, executable: 0x78, link: 0x6c, tree: 0x74 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

const INVALID = { code: 'TREE_INVALID', what: 'the tree is damaged' } as const;
const NO_BYTES = Buffer.alloc(0);

/**
 * Levels of directories below a tracked one. No file system has as many, since a path ends at some 4,000 bytes; trees from
 * elsewhere may have any number, and whoever walks them has a stack that ends.
 */
export const MAX_TREE_LEVELS = 1000;

/** Refuses a directory that many levels down. Error: `TREE_INVALID`. */
export function checkTreeLevel(level: number): void {
  if (level <= MAX_TREE_LEVELS) return;
  throw new MlvError('TREE_INVALID', `${INVALID.what}: directories lie more than ${MAX_TREE_LEVELS} levels deep`);
}

/** True when `bytes` begin like a tree. */
export function looksLikeTree(bytes: Uint8Array): boolean {
  return bytes.length >= TREE_MAGIC.length && TREE_MAGIC.equals(bytes.subarray(0, TREE_MAGIC.length));
}

/**
 * Walks the entries of a tree in order without an object an entry: `next()` moves on, the fields describe the entry
 * it stands on. Everything is validated on the way (order, names, shortest numbers), so that a tree from elsewhere
 * cannot do harm. Error: `TREE_INVALID`.
 */
export class TreeReader {
  /** Kind of the current entry. */
  kind: Kind = KIND.file;
  /** UTF-8 bytes of its name: a view, not a copy. */
  nameBytes: Buffer = NO_BYTES;
  /** Bytes of a file, or of all files below a tree; 0 for a link. */
  size = 0;
  /** Files and links below a tree; 1 for anything else. */
  files = 0;
  /** Digest of a file or tree: a view, not a copy; empty for a link. */
  digest: Buffer = NO_BYTES;
  /** UTF-8 bytes of a link's target. */
  targetBytes: Buffer = NO_BYTES;
  private readonly reader: ByteReader;

  constructor(bytes: Buffer) {
    this.reader = new ByteReader(bytes, INVALID);
    if (!looksLikeTree(bytes)) this.reader.fail('it does not begin like a tree');
    this.reader.offset = TREE_MAGIC.length;
  }

  get name(): string {
    return this.nameBytes.toString('utf8');
  }

  get target(): string {
    return this.targetBytes.toString('utf8');
  }

  /** Moves to the next entry; false at the end. */
  next(): boolean {
    const reader = this.reader;
    if (reader.remaining === 0) return false;
    const kind = reader.byte();
    const name = reader.take(reader.varint());
    const problem = entryNameProblem(name);
    if (problem) reader.fail(problem);
    if (this.nameBytes.length > 0 && Buffer.compare(this.nameBytes, name) >= 0) reader.fail('names are not in order');
    this.nameBytes = name;
    this.readContent(kind);
    return true;
  }

  private readContent(kind: number): void {
    const reader = this.reader;
    this.targetBytes = NO_BYTES;
    this.digest = NO_BYTES;
    this.size = 0;
    this.files = 1;
    switch (kind) {
      case KIND.file:
      case KIND.executable:
        this.size = reader.varint();
        this.digest = reader.take(DIGEST_BYTES);
        break;
      case KIND.link:
        this.targetBytes = reader.take(reader.varint());
        if (this.targetBytes.length === 0) reader.fail('a link has no target');
        break;
      case KIND.tree:
        this.size = reader.varint();
        this.files = reader.varint();
        this.digest = reader.take(DIGEST_BYTES);
        break;
      default:
        reader.fail(`entry kind ${kind} is unknown`);
    }
    this.kind = kind as Kind;
  }
}

/** Builds the canonical bytes of a tree. Entries are added in the order of their names' UTF-8 bytes. */
export class TreeWriter {
  private buffer: Buffer;
  private length: number;
  /** Bytes of all files below. */
  size = 0;
  /** Files and links below. */
  files = 0;

  constructor(expectedBytes = 4096) {
    this.buffer = Buffer.allocUnsafe(Math.max(expectedBytes, TREE_MAGIC.length));
    this.length = TREE_MAGIC.copy(this.buffer);
  }

  addFile(name: string, executable: boolean, size: number, digest: Buffer): void {
    this.start(executable ? KIND.executable : KIND.file, name);
    this.length = writeVarint(this.buffer, size, this.length);
    this.append(digest);
    this.size += size;
    this.files++;
  }

  addLink(name: string, target: string): void {
    this.start(KIND.link, name);
    const bytes = Buffer.from(target, 'utf8');
    this.reserve(bytes.length + MAX_VARINT_BYTES);
    this.length = writeVarint(this.buffer, bytes.length, this.length);
    this.append(bytes);
    this.files++;
  }

  addTree(name: string, totals: { size: number; files: number }, digest: Buffer): void {
    this.start(KIND.tree, name);
    this.length = writeVarint(this.buffer, totals.size, this.length);
    this.length = writeVarint(this.buffer, totals.files, this.length);
    this.append(digest);
    this.size += totals.size;
    this.files += totals.files;
  }

  /** The tree's bytes: a view of the writer's buffer, which is not used afterwards. */
  finish(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  private start(kind: Kind, name: string): void {
    const nameLength = Buffer.byteLength(name, 'utf8');
    this.reserve(nameLength + DIGEST_BYTES + 1 + 3 * MAX_VARINT_BYTES);
    this.buffer[this.length++] = kind;
    this.length = writeVarint(this.buffer, nameLength, this.length);
    this.length += this.buffer.write(name, this.length, 'utf8');
  }

  private append(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.length += bytes.copy(this.buffer, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + more));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}

/** One entry of a tree as a plain value: for callers that hold few of them. */
export type TreeEntry =
  | { kind: 'file' | 'executable'; name: string; size: number; digest: Buffer }
  | { kind: 'link'; name: string; target: string }
  | { kind: 'tree'; name: string; size: number; files: number; digest: Buffer };

/** All entries of a tree as values. Error: `TREE_INVALID`. Use TreeReader where a tree may be large. */
export function decodeTree(bytes: Buffer): TreeEntry[] {
  const reader = new TreeReader(bytes);
  const entries: TreeEntry[] = [];
  while (reader.next()) entries.push(currentEntry(reader));
  return entries;
}

/** The entry a reader stands on, as a value of its own. */
export function currentEntry(reader: TreeReader): TreeEntry {
  const name = reader.name;
  if (reader.kind === KIND.link) return { kind: 'link', name, target: reader.target };
  const digest = Buffer.from(reader.digest);
  if (reader.kind === KIND.tree) return { kind: 'tree', name, size: reader.size, files: reader.files, digest };
  return { kind: reader.kind === KIND.file ? 'file' : 'executable', name, size: reader.size, digest };
}

/**
 * The canonical bytes of entries that are in order. Error: `TREE_INVALID` for entries that no reader would accept.
 */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  const writer = new TreeWriter();
  let before: Buffer | undefined;
  for (const entry of entries) {
    const name = Buffer.from(entry.name, 'utf8');
    const problem =
      entryNameProblem(name) ?? (before && Buffer.compare(before, name) >= 0 ? 'names are not in order' : undefined);
    if (problem) throw new MlvError('TREE_INVALID', `${problem}: '${entry.name}'`);
    before = name;
    if (entry.kind === 'link') writer.addLink(entry.name, entry.target);
    else if (entry.kind === 'tree') writer.addTree(entry.name, entry, entry.digest);
    else writer.addFile(entry.name, entry.kind === 'executable', entry.size, entry.digest);
  }
  return writer.finish();
}

/**
 * True when a link at `directory` (path components below the tracked directory) with that target is relative and
 * stays inside the tracked directory. `..` is allowed only at the target's beginning: behind a name that is itself a
 * link, `..` would leave from wherever that link leads, which no look at the text alone can bound.
 */
export function linkStaysInside(directory: readonly string[], target: string): boolean {
  if (target === '' || target.startsWith('/') || /^[A-Za-z]:/.test(target) || target.includes('\0')) return false;
  let depth = directory.length;
  let named = false;
  for (const part of target.split(/[/\\]/)) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (named || --depth < 0) return false;
    } else {
      named = true;
      if (entryNameProblem(Buffer.from(part, 'utf8')) !== undefined) return false;
    }
  }
  return true;
}
