import { isMap } from 'yaml';
import { parseYamlDocument } from '../core/read-yaml.js';
import { isOid, type Oid } from '../objects/oid.js';

/** Where imported content came from: the key `source` of a pointer; see docs/formats/pointer.md. */
export interface PointerSource {
  /** Without credentials. A path is relative to the top of the working tree, or absolute. */
  url: string;
  /** What was brought; the pointer's own oid where nothing was changed since. */
  oid: Oid;
  /** Of a Git repository: the path in it. */
  path?: string;
  /** The branch, tag or version (`fraud@production`) that is followed; absent for the default branch. */
  rev?: string;
  /** The commit that it was brought from, hex. Present for Git repositories and for nothing else. */
  commit?: string;
  /** Of a URL: what the server calls this content. */
  etag?: string;
  /** Version of the object in its bucket. */
  version?: string;
  /** Bytes there. */
  size?: number;
  /** When it was last modified there, RFC 3339 in UTC. */
  modified?: string;
  /** The remote whose settings (endpoint, credentials) are used. */
  remote?: string;
}

const TEXTS = ['path', 'rev', 'commit', 'etag', 'version', 'modified', 'remote'] as const;
const LONGEST = 4096;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** What the text of a pointer says of an import; undefined where it is none, or says it in words only. */
export function readSource(text: string): PointerSource | undefined {
  if (!/^source\s*:/m.test(text)) return undefined;
  const { contents, errors } = parseYamlDocument(text, { schema: 'core', logLevel: 'error' });
  const node = errors.length === 0 && isMap(contents) ? contents.get('source', true) : undefined;
  if (!isMap(node)) return undefined;
  const { url, oid } = { url: node.get('url'), oid: node.get('oid') };
  if (!isText(url) || !isOid(oid)) return undefined;
  const source: PointerSource = { url, oid };
  for (const key of TEXTS) {
    const value = node.get(key);
    if (isText(value)) source[key] = value;
  }
  const size = node.get('size');
  if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0) source.size = size;
  if (source.commit !== undefined && !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(source.commit)) return undefined;
  return source;
}

/** True for the import of a file or directory of a Git repository. */
export function isGitSource(source: PointerSource): source is PointerSource & { path: string; commit: string } {
  return source.commit !== undefined && source.path !== undefined;
}

/** The text of a pointer with its source set; everything else in it stays as it is. */
export function withSource(text: string, source: PointerSource): string {
  const document = parseYamlDocument(text, { schema: 'core' });
  const before = document.get('source', true);
  const { url, path, rev, commit, etag, version, size, modified, remote, oid } = source;
  const wanted = { url, path, rev, commit, etag, version, size, modified, remote, oid };
  const said = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  if (isMap(before) && JSON.stringify(before.toJSON()) === JSON.stringify(said)) return text;
  document.set('source', document.createNode(said));
  return document.toString({ lineWidth: 0 });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST && !CONTROL.test(value);
}
