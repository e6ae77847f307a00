import { isMap, isScalar } from 'yaml';
import { isMlvError, MlvError } from '../core/errors.js';
import { parseYamlDocument } from '../core/read-yaml.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { isDirectoryTarget, type Target } from '../workspace/pointers.js';
import type { ContentSha256 } from './content-sha256.js';
import type { ManifestItem } from './manifest.js';

/** Longest text that is taken over from a pointer as the description of its data. */
const MAX_SOURCE_LENGTH = 2000;

/**
 * A target as a manifest has it. The digest of content that is not in the cache is taken from `known`, what earlier
 * manifests say of the same oids. Errors: `OBJECT_MISSING`, `OBJECT_CORRUPT`, `TREE_INVALID`, `INTERRUPTED`.
 */
export async function manifestItem(
  target: Target,
  { digests, known }: { digests: ContentSha256; known: ReadonlyMap<string, string> },
): Promise<ManifestItem> {
  const { path, pointer } = target;
  const { oid, size, files, executable } = pointer;
  const source = sourceOf(target);
  return {
    path,
    oid,
    sha256: await contentDigest(target, { digests, known }),
    size,
    ...(files !== undefined && { files }),
    ...(executable && { executable }),
    ...(source !== undefined && { source }),
  };
}

async function contentDigest(
  target: Target,
  { digests, known }: { digests: ContentSha256; known: ReadonlyMap<string, string> },
): Promise<string> {
  const { path, pointer } = target;
  const { oid, size, files = 0 } = pointer;
  try {
    return await (isDirectoryTarget(target) ? digests.directory(oid, { files, size }) : digests.file(oid, size));
  } catch (error) {
    if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
    const before = known.get(oid);
    if (before !== undefined) return before;
    throw new MlvError('OBJECT_MISSING', `the content of '${path}' is not in the cache, and its SHA-256 is not known`, {
      hint: `get it first: mlv pull ${inShellQuotes(path)}`,
      data: { path, oid },
      cause: error,
    });
  }
}

/** What a pointer says of where its data came from: the key `source` where it is text or has a `url`, else `desc`. */
function sourceOf({ text }: Pick<Target, 'text'>): string | undefined {
  if (!/^(?:source|desc)\s*:/m.test(text)) return undefined;
  const { contents } = parseYamlDocument(text, { schema: 'core', logLevel: 'error' });
  if (!isMap(contents)) return undefined;
  const source = contents.get('source', true);
  const words = isMap(source) ? source.get('url', true) : source;
  const found = [words, contents.get('desc', true)].find((node) => isScalar(node) && typeof node.value === 'string');
  const said = isScalar(found) ? String(found.value).trim() : '';
  return said === '' ? undefined : said.slice(0, MAX_SOURCE_LENGTH);
}
