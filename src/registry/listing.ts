import type { TreeEntry } from '../objects/tree-format.js';

/**
 * One line of a directory's listing as `sha256sum` prints it: `<hex>  <path>`. A path with a backslash or the end of a line
 * in it is escaped, and its line begins with a backslash, as GNU coreutils do.
 */
export function listingLine(path: string, sha256: Buffer): string {
  const escaped = path.replace(/[\\\n\r]/g, (char) => (char === '\n' ? '\\n' : char === '\r' ? '\\r' : '\\\\'));
  return `${escaped === path ? '' : '\\'}${sha256.toString('hex')}  ${escaped}\n`;
}

/** The entries of one directory so that all paths below come in the order of their UTF-8 bytes: `a-b` before `a/b`. */
export function listingOrder(entries: readonly TreeEntry[]): TreeEntry[] {
  const keyed = entries.map((entry) => ({
    entry,
    key: Buffer.from(entry.kind === 'tree' ? `${entry.name}/` : entry.name, 'utf8'),
  }));
  return keyed.sort((left, right) => Buffer.compare(left.key, right.key)).map(({ entry }) => entry);
}
