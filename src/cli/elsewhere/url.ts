import { remoteSettings } from '../../config/remote-choice.js';
import { openSource } from '../../remotes/source.js';
import type { SourceOptions, SourceState, UrlSource } from '../../remotes/source-types.js';
import { download } from '../../transfer/download.js';
import type { StoredContent } from '../../workspace/import-target.js';
import type { PointerSource } from '../../workspace/pointer-source.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';

/** Where a URL is asked, and with whose settings. */
export interface UrlRequest {
  url: string;
  /** The remote whose endpoint and credentials are used. */
  remote: string | undefined;
  /** Where relative paths start, absolute. */
  baseDirectory: string;
}

/** Opens a URL of somebody else's. Errors: those of openSource and of remoteSettings. */
export function openUrl(
  session: Session,
  own: OpenRepository,
  { url, remote, baseDirectory }: UrlRequest,
): Promise<UrlSource> {
  const options: SourceOptions = { baseDirectory, environment: session.env, signal: session.signal };
  if (remote !== undefined) {
    const settings = remoteSettings(own.config, remote);
    options.s3 = settings;
    const authorization = authorizationOf(own, remote);
    if (authorization) options.authorization = authorization;
  }
  return openSource(url, options);
}

/** Only for an address that the user gave the remote: see http-credentials.ts. */
function authorizationOf({ config }: OpenRepository, remote: string): SourceOptions['authorization'] {
  const { url, token, username, password } = remoteSettings(config, remote);
  if (!/^https?:\/\//i.test(url) || config.origin(`remote.${remote}.url`)?.level === 'project') return undefined;
  const { origin } = new URL(url);
  if (token !== undefined) return { origin, value: `Bearer ${token}` };
  if (username === undefined || password === undefined) return undefined;
  return { origin, value: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** Brings the content of a URL into the cache. Errors: those of download. */
export async function urlObject(
  session: Session,
  own: OpenRepository,
  source: UrlSource,
): Promise<{ content: StoredContent; state: SourceState }> {
  const { reporter, signal } = session;
  return download(own.cache, source, { reporter, signal });
}

/** What a pointer says of an imported URL. */
export function urlSource(
  url: string,
  { content, state, remote }: { content: StoredContent; state: SourceState; remote: string | undefined },
): PointerSource {
  const { etag, version, modified } = state;
  return {
    url,
    ...(etag !== undefined && { etag }),
    ...(version !== undefined && { version }),
    size: content.size,
    ...(modified !== undefined && { modified }),
    ...(remote !== undefined && { remote }),
    oid: content.oid,
  };
}

/** True where a place surely still has what was brought from it. */
export function isUnchanged(before: PointerSource, now: SourceState): boolean {
  if (now.size !== undefined && now.size !== before.size) return false;
  if (now.version !== undefined || before.version !== undefined) return now.version === before.version;
  if (now.etag !== undefined || before.etag !== undefined) return now.etag === before.etag;
  return now.size !== undefined && now.modified !== undefined && now.modified === before.modified;
}
