import { createHash } from 'node:crypto';
import { ObjectCache } from '../objects/cache.js';
import { loadHash } from '../objects/hash.js';
import { digestOf, isOid, type Oid, splitOid } from '../objects/oid.js';
import { type ListedEntry, listTree } from '../objects/tree-listing.js';
import { quotePath } from './render/quote.js';
import { formatBytes } from './render/units.js';

/** Lines of a listing. A diff of two such texts takes Git some milliseconds. */
const TEXTCONV_LINES = 10_000;

/**
 * What `git diff` shows of a pointer: its own text, and of a directory what is in it, a line each. It says the same of
 * the same pointer wherever the listing is in the cache; where it is not, it says so. What is no pointer is given back
 * as it is. `caches` are looked at in turn; nothing is asked of a remote. Never raises an error.
 */
export async function pointerText(text: string, file: string, caches: AsyncIterable<string>): Promise<string> {
  const oid = await directoryOid(text, file);
  if (oid === undefined) return text;
  const own = text.endsWith('\n') ? text : `${text}\n`;
  const listed = await listingOf(oid, caches).catch(() => undefined);
  if (!listed) return `${own}# its listing is not in the cache (mlv fetch gets it)\n`;
  return `${own}---\n${listed.map((each) => `${lineOf(each)}\n`).join('')}`;
}

/** The directory that a pointer names; undefined for a file, and for what is no pointer. */
async function directoryOid(text: string, file: string): Promise<Oid | undefined> {
  const [oid, files] = [/^oid: (\S+)$/m.exec(text)?.[1], /^files: \d+$/m.test(text)];
  if (text.startsWith('mlv: 1\n') && isOid(oid) && !text.includes('\n<<<<<<< ')) return files ? oid : undefined;
  try {
    // Here, because it imports the YAML library, and hardly any pointer needs it.
    const { parseAnyPointer } = await import('../workspace/pointer-format.js');
    const pointer = parseAnyPointer(text, file);
    return pointer.files === undefined ? undefined : pointer.oid;
  } catch {
    return undefined;
  }
}

async function listingOf(oid: Oid, caches: AsyncIterable<string>): Promise<ListedEntry[] | undefined> {
  const hash = await loadHash(splitOid(oid).algorithm);
  const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  for await (const directory of caches) {
    const cache = new ObjectCache(directory, hash);
    if (!cache.has(oid)) continue;
    try {
      const load = (tree: Buffer): Buffer => cache.read(cache.oid(tree));
      return listTree(digestOf(oid), { load, digest, limit: TEXTCONV_LINES });
    } catch {
      // A damaged object tells nothing; mlv fsck finds it.
    }
  }
  return undefined;
}

function lineOf(each: ListedEntry): string {
  if (!('entry' in each)) {
    const { path, last, entries, size, digest } = each;
    return `${quotePath(path)} … ${quotePath(last)}: ${entries} entries, ${formatBytes(size)}, ${short(digest)}`;
  }
  const { path, entry } = each;
  const name = quotePath(path);
  if (entry.kind === 'link') return `${name} -> ${quotePath(entry.target)}`;
  if (entry.kind === 'tree') {
    return `${name}/: ${entry.files} files, ${formatBytes(entry.size)}, ${short(entry.digest)}`;
  }
  return `${name}: ${formatBytes(entry.size)}, ${short(entry.digest)}${entry.kind === 'executable' ? ', executable' : ''}`;
}

function short(digest: Buffer): string {
  return digest.toString('hex', 0, 6);
}
