import { isAbsolute, resolve } from 'node:path';
import { redactUrl } from '../core/redact.js';

/** A remote of DVC as ours: how to reach it. */
export interface DvcRemote {
  /** In our form: `s3://…`, `gs://…`, `azure://…`, `sftp://…`, `https://…`, or an absolute directory. */
  url: string;
  /** Settings by our names that may stand in `mlv.yaml`. */
  settings: Record<string, string>;
  /** Credentials by our names: only ever used to read from it, and written nowhere. */
  secrets: Record<string, string>;
  /** Settings that mlv has no place for. */
  left: string[];
}

/** How our settings of the same meaning are called; of each kind of remote. */
const SETTINGS: Record<string, Record<string, string>> = {
  s3: { region: 'region', profile: 'profile', endpointurl: 'endpoint', sse: 'sse', sse_kms_key_id: 'sse-kms-key-id' },
  gs: { projectname: 'project-id', endpointurl: 'endpoint' },
  azure: { account_name: 'account' },
  sftp: {},
};
const SECRETS: Record<string, Record<string, string>> = {
  s3: { access_key_id: 'access-key-id', secret_access_key: 'secret-access-key', session_token: 'session-token' },
  gs: { credentialpath: 'credentials-file' },
  azure: { account_key: 'account-key', sas_token: 'sas-token', connection_string: 'connection-string' },
  sftp: { keyfile: 'identity-file', password: 'password' },
  https: { user: 'username', password: 'password' },
};
/** What concerns DVC alone, or what mlv does without being told. */
const UNNEEDED = new Set([
  ...['url', 'jobs', 'checksum_jobs', 'no_traverse', 'verify', 'user', 'port', 'listobjects', 'use_ssl', 'type'],
  ...['shared', 'protected', 'slow_link_warning', 'ask_password', 'ask_passphrase', 'auth'],
]);

/**
 * A remote of DVC in our terms, or why it has none. `directory` is the absolute one that relative paths start from
 * (that of the configuration file). `remote://name/path` follows the other remote in `all`.
 */
export function mapDvcRemote(
  name: string,
  all: ReadonlyMap<string, ReadonlyMap<string, string>>,
  { directory, depth = 0 }: { directory: string; depth?: number },
): DvcRemote | { problem: string } {
  const given = all.get(name);
  const url = given?.get('url');
  if (!given || url === undefined) return { problem: `the remote '${name}' has no URL` };
  const other = /^remote:\/\/([^/]+)\/?(.*)$/.exec(url);
  if (other) {
    const [, base = '', path = ''] = other;
    const found = depth < 8 ? all.get(base.toLowerCase()) : undefined;
    if (!found) return { problem: `the remote '${name}' names '${base}', which is not there` };
    const joined = `${(found.get('url') ?? '').replace(/\/+$/, '')}/${path}`;
    const merged = new Map([...found, ...given, ['url', joined] as const]);
    return mapDvcRemote(name, new Map([...all, [name, merged]]), { directory, depth: depth + 1 });
  }
  if (given.get('version_aware') === 'true' || given.get('worktree') === 'true') {
    return { problem: `the remote '${name}' keeps files under their own names (version_aware, worktree)` };
  }
  return mapUrl(url, given, directory);
}

function mapUrl(url: string, given: ReadonlyMap<string, string>, directory: string): DvcRemote | { problem: string } {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]+):\/\/(.*)$/is.exec(url) ?? [];
  switch (scheme.toLowerCase()) {
    case '':
      return remote('', isAbsolute(url) ? url : resolve(directory, url), given);
    case 's3':
    case 'gs':
    case 'azure':
      return remote(scheme.toLowerCase(), `${scheme.toLowerCase()}://${rest}`, given);
    case 'ssh':
    case 'sftp':
      return remote('sftp', sshUrl(rest, given), given);
    case 'http':
    case 'https':
      return remote('https', url, given);
    default:
      return { problem: `mlv has no remotes of the kind ${redactUrl(url).slice(0, 60)}` };
  }
}

/** User and port stand in DVC's settings as well as in the URL. */
function sshUrl(rest: string, given: ReadonlyMap<string, string>): string {
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? '/' : rest.slice(slash);
  const user = given.get('user');
  const port = given.get('port');
  const withUser = user === undefined || authority.includes('@') ? authority : `${user}@${authority}`;
  return `sftp://${withUser}${port === undefined || /:\d+$/.test(authority) ? '' : `:${port}`}${path}`;
}

function remote(kind: string, url: string, given: ReadonlyMap<string, string>): DvcRemote {
  const result: DvcRemote = { url, settings: {}, secrets: {}, left: [] };
  for (const [key, value] of given) {
    const ours = SETTINGS[kind]?.[key];
    const secret = SECRETS[kind]?.[key];
    if (ours !== undefined) result.settings[ours] = value;
    else if (secret !== undefined) result.secrets[secret] = value;
    else if (!UNNEEDED.has(key)) result.left.push(key);
  }
  // DVC addresses the buckets of other servers by path, as such servers mostly want it.
  if (kind === 's3' && result.settings.endpoint !== undefined) result.settings['path-style'] = 'true';
  return result;
}
