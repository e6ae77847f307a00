import { isMapping } from '../core/mapping.js';
import { percentDecoded } from '../core/percent.js';

/** Where the objects of a repository are asked for. */
export type LfsEndpoint =
  | { kind: 'http'; url: string }
  /** `git-lfs-authenticate <path> download` over SSH tells the address; without it, `fallback` is it. */
  | { kind: 'ssh'; host: string; user?: string; port?: string; path: string; fallback: string }
  /** A repository on this machine, absolute. */
  | { kind: 'directory'; path: string };

/** What Git and `.lfsconfig` say that matters for the address. */
export interface LfsUrls {
  /** `lfs.url`, of Git's own configuration or else of `.lfsconfig`. */
  url?: string | undefined;
  /** `remote.<name>.lfsurl`, likewise. */
  remoteLfsUrl?: string | undefined;
  /** `remote.<name>.url`. */
  remoteUrl?: string | undefined;
}

/** The endpoint (git-lfs/docs/api/server-discovery.md); undefined where there is none that mlv can use. */
export function lfsEndpoint({ url, remoteLfsUrl, remoteUrl }: LfsUrls): LfsEndpoint | undefined {
  const given = url ?? remoteLfsUrl;
  if (given !== undefined) return endpointOf(given, true);
  return remoteUrl === undefined ? undefined : endpointOf(remoteUrl, false);
}

function endpointOf(text: string, exact: boolean): LfsEndpoint | undefined {
  if (/^https?:\/\//i.test(text))
    return URL.canParse(text) ? { kind: 'http', url: exact ? text : withInfo(text) } : undefined;
  if (/^(?:ssh|git\+ssh|ssh\+git):\/\//i.test(text)) {
    if (!URL.canParse(text)) return undefined;
    const { hostname, username, port, pathname } = new URL(text);
    return ssh({ host: hostname, user: percentDecoded(username), port, path: pathname });
  }
  if (/^file:\/\//i.test(text))
    return URL.canParse(text) ? { kind: 'directory', path: new URL(text).pathname } : undefined;
  if (text.startsWith('/') || /^\.{1,2}\//.test(text)) return { kind: 'directory', path: text };
  const scp = /^(?:([^@/\s]+)@)?([^:/\s]+):(?!\/\/|:)(.+)$/.exec(text);
  if (scp) return ssh({ host: scp[2] as string, user: scp[1] ?? '', port: '', path: scp[3] as string });
  return undefined;
}

function ssh(parts: { host: string; user: string; port: string; path: string }): LfsEndpoint | undefined {
  // ssh would take such a word for an option.
  if (parts.host === '' || parts.host.startsWith('-') || parts.user.startsWith('-')) return undefined;
  if (/[\n\r\0]/.test(parts.path)) return undefined;
  const { host, user, port, path } = parts;
  const fallback = withInfo(`https://${host}/${path.replace(/^\/+/, '')}`);
  if (!URL.canParse(fallback)) return undefined;
  return { kind: 'ssh', host, path, fallback, ...(user !== '' && { user }), ...(port !== '' && { port }) };
}

function withInfo(url: string): string {
  const plain = url.replace(/[?#].*$/, '').replace(/\/+$/, '');
  return plain.endsWith('.git') ? `${plain}/info/lfs` : `${plain}.git/info/lfs`;
}

/** What `git-lfs-authenticate` printed; undefined where it is not that. */
export function parseAuthenticate(text: string): { href: string; headers: Record<string, string> } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMapping(value)) return undefined;
  const { href, header } = value;
  if (typeof href !== 'string' || !/^https?:\/\//i.test(href) || !URL.canParse(href)) return undefined;
  const headers: Record<string, string> = {};
  for (const [key, each] of Object.entries(isMapping(header) ? header : {})) {
    if (typeof each === 'string' && /^[A-Za-z0-9-]+$/.test(key) && !/[\r\n\0]/.test(each)) headers[key] = each;
  }
  return { href, headers };
}
