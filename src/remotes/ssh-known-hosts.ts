import { createHash, createHmac } from 'node:crypto';

/** One line of a `known_hosts` file. */
export interface KnownHost {
  marker?: 'revoked' | 'cert-authority' | undefined;
  /** Comma-separated patterns, or one hashed name. */
  hosts: string;
  /** Such as `ssh-ed25519`. */
  type: string;
  /** The key, in base64. */
  key: string;
}

/** What the known hosts say of a key: `changed` where they hold other keys of that host, and not this one. */
export type HostVerdict = 'known' | 'unknown' | 'changed' | 'revoked';

/** Reads the lines of a `known_hosts` file; comments and lines that are none are passed over. */
export function parseKnownHosts(text: string): KnownHost[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift()?.slice(1) : undefined;
    const [hosts = '', type, key] = words;
    if (hosts.startsWith('#') || type === undefined || key === undefined) return [];
    if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return [];
    return [{ marker, hosts, type, key }];
  });
}

/** The name under which a host is known: `host`, or `[host]:port` where the port is not 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** True when a line's hosts include the name: plain, with `*` and `?`, with `!` before what is left out, or hashed. */
export function namesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|1|')) return isHashOf(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  const matches = (pattern: string): boolean => globPattern(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}

/** The lines that speak of one host, and what they say of its key. */
export class KnownKeys {
  private readonly lines: KnownHost[];

  /** @param name see knownName */
  constructor(lines: readonly KnownHost[], name: string) {
    this.lines = lines.filter(({ hosts }) => namesHost(hosts, name));
  }

  /** The types of the host's known keys, so that the server can be asked for one of them. */
  get types(): string[] {
    return [...new Set(this.plain.map(({ type }) => type))];
  }

  /** True when only a certificate authority is known for the host, whose signatures mlv does not check. */
  get onlyAuthority(): boolean {
    return this.plain.length === 0 && this.lines.some(({ marker }) => marker === 'cert-authority');
  }

  /** @param key as the server sends it */
  verdict(key: Buffer): HostVerdict {
    const encoded = key.toString('base64');
    if (this.lines.some((line) => line.marker === 'revoked' && line.key === encoded)) return 'revoked';
    if (this.plain.some((line) => line.key === encoded)) return 'known';
    return this.plain.length > 0 ? 'changed' : 'unknown';
  }

  private get plain(): KnownHost[] {
    return this.lines.filter(({ marker }) => marker === undefined);
  }
}

/** A line of a `known_hosts` file for a host and its key. */
export function knownHostLine(name: string, key: Buffer): string {
  return `${name} ${keyType(key)} ${key.toString('base64')}\n`;
}

/** The fingerprint of a key, as ssh shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type of a key in the form in which the server sends it. */
export function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

function isHashOf(hosts: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hosts.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function globPattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.+()|{}[\]]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
