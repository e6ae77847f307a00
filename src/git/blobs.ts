import { MlvError } from '../core/errors.js';
import type { GitContext } from './context.js';

/** Bytes above which a blob is refused: nothing that mlv keeps in Git comes near. */
const BLOB_LIMIT = 16 * 1024 * 1024;

/**
 * The contents of blobs by name, read by one `git cat-file --batch` whatever their number.
 * Errors: `GIT_FAILED` naming the blobs that are not there (a partial clone may lack some) or not blobs, or one that
 * is above 16 MiB.
 */
export function readBlobs(context: GitContext, blobs: readonly string[]): Promise<Map<string, Buffer>> {
  return readObjects(context, blobs, ['blob']);
}

/** Kinds of Git objects that are read as they are. */
export type RawKind = 'blob' | 'commit' | 'tag';

/**
 * The raw bytes of objects by name, read by one `git cat-file --batch`, replacements of `git replace` left aside.
 * Errors as readBlobs, where an object is of another kind than those given.
 */
export async function readObjects(
  context: GitContext,
  objects: readonly string[],
  kinds: readonly RawKind[],
): Promise<Map<string, Buffer>> {
  const names = [...new Set(objects)];
  if (names.length === 0) return new Map();
  const bad = names.find((name) => !/^[0-9a-f]+$/.test(name));
  if (bad !== undefined) throw new MlvError('GIT_FAILED', `'${bad}' is not the name of a Git object`);
  const reader = new BatchReader(kinds);
  const input = names.map((name) => `${name}\n`).join('');
  await context.run(['--no-replace-objects', 'cat-file', '--batch'], {
    input,
    onStdout: (chunk) => {
      reader.push(chunk);
      return true;
    },
  });
  const missing = names.filter((name) => !reader.contents.has(name));
  if (missing.length > 0) throw missingBlobs(missing);
  return reader.contents;
}

function missingBlobs(missing: string[]): MlvError {
  const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
  return new MlvError('GIT_FAILED', `Git has no content for ${missing.length} file version(s): ${shown}`, {
    hint: 'run `git fsck`; in a partial or shallow clone, `git fetch` what is lacking first',
    data: { missing },
  });
}

/** Takes the output of `cat-file --batch` in pieces of any size apart. */
class BatchReader {
  readonly contents = new Map<string, Buffer>();
  private header: Buffer = Buffer.alloc(0);
  private current: { name: string; bytes: Buffer; filled: number } | undefined;

  constructor(private readonly kinds: readonly RawKind[]) {}

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.current ? this.takeContent(chunk, at) : this.takeHeader(chunk, at);
  }

  private takeHeader(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(10, at);
    this.header = Buffer.concat([this.header, chunk.subarray(at, end === -1 ? chunk.length : end)]);
    if (end === -1) return chunk.length;
    const [name = '', type, size] = this.header.toString('latin1').split(' ');
    this.header = Buffer.alloc(0);
    // `<name> missing` has no size, and no content follows it.
    if (size !== undefined) this.begin(name, type, Number(size));
    return end + 1;
  }

  private begin(name: string, type: string | undefined, size: number): void {
    if (!(this.kinds as readonly (string | undefined)[]).includes(type)) {
      const wanted = this.kinds.join(' or ');
      throw new MlvError('GIT_FAILED', `Git object ${name} is a ${type}, where a ${wanted} was expected`);
    }
    if (size > BLOB_LIMIT) {
      throw new MlvError('GIT_FAILED', `Git blob ${name} has ${size} bytes, far more than any file of mlv in Git`, {
        data: { tooLong: name },
      });
    }
    // One more byte for the newline that ends a content.
    this.current = { name, bytes: Buffer.allocUnsafe(size + 1), filled: 0 };
  }

  private takeContent(chunk: Buffer, at: number): number {
    const current = this.current as NonNullable<typeof this.current>;
    const taken = chunk.copy(current.bytes, current.filled, at);
    current.filled += taken;
    if (current.filled === current.bytes.length) {
      this.contents.set(current.name, current.bytes.subarray(0, -1));
      this.current = undefined;
    }
    return at + taken;
  }
}
