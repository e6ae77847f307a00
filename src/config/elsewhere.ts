import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MlvError } from '../core/errors.js';
import type { Config, EffectiveValue } from './config.js';
import type { LevelEntry } from './document.js';

/** How far the `mlv.yaml` of somebody else's repository is trusted. */
export interface ElsewhereTrust {
  /** Absolute directory from which relative directories start; undefined where the repository is on another machine. */
  base: string | undefined;
  /** Endpoints that the user's own configuration names. */
  trustedEndpoints: readonly string[];
}

/** Settings of the user's for a remote of a certain name, which belong to the user's own remote of that name. */
const OF_OWN_REMOTE = new Set(['identity-file', 'credentials-file', 'known-hosts']);
const URL_SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i;

/** Of somebody else's `mlv.yaml`, what says where the objects are; how this machine works is no business of theirs. */
export function admitted(settings: ReadonlyMap<string, LevelEntry>): Map<string, LevelEntry> {
  return new Map([...settings].filter(([key, { known }]) => key === 'core.remote' || known.remote !== undefined));
}

/**
 * A review for resolveConfig. A remote whose address the repository elsewhere gives keeps none of the user's credentials for
 * a remote of that name, and no endpoint that is not the user's too; an address that is a directory is taken only from a
 * repository on this machine. What the user gives on the command line or for an address of their own stays.
 */
export function reviewElsewhere(name: string, trust: ElsewhereTrust): (values: Map<string, EffectiveValue>) => void {
  return (values) => {
    preferTheirDefault(values);
    for (const [key, each] of [...values]) {
      const { remote } = each.known;
      if (remote === undefined) continue;
      const isTheirs = values.get(`remote.${remote}.url`)?.origin.level === 'project';
      const setting = key.slice(`remote.${remote}.`.length);
      if (isTheirs && (each.known.setting.secret || OF_OWN_REMOTE.has(setting))) values.delete(key);
      if (setting === 'url' && isTheirs) place(values, key, { each, name, trust });
    }
    for (const each of values.values()) checkEndpoint(each, { name, trust });
  };
}

/** `core.remote` of the user's levels names a remote of theirs. */
function preferTheirDefault(values: Map<string, EffectiveValue>): void {
  const chosen = values.get('core.remote');
  if (chosen && chosen.origin.level !== 'project' && chosen.origin.level !== 'flags') values.delete('core.remote');
}

function place(
  values: Map<string, EffectiveValue>,
  key: string,
  { each, name, trust }: { each: EffectiveValue; name: string; trust: ElsewhereTrust },
): void {
  const url = String(each.value).trim();
  const scheme = URL_SCHEME.exec(url)?.[0].toLowerCase();
  if (scheme !== undefined && scheme !== 'file://') return;
  if (trust.base === undefined) {
    values.set(key, { ...each, value: `${REFUSED}${name}` });
    return;
  }
  if (scheme === undefined && !isAbsolute(url) && !url.startsWith('~')) {
    values.set(key, { ...each, value: resolve(trust.base, url) });
  } else if (scheme !== undefined) values.set(key, { ...each, value: fileUrl(url) });
}

function fileUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}

/** Stands in place of a directory that a repository on another machine names. */
const REFUSED = 'refused-directory://';

/**
 * Checks the remotes that are to be used. Error: `REMOTE_DENIED` for one that a repository elsewhere says is a directory
 * of this machine.
 */
export function checkElsewhereRemotes(config: Config, names: readonly string[]): void {
  for (const name of names) {
    const url = config.remotes.get(name)?.url;
    if (!url?.startsWith(REFUSED)) continue;
    throw new MlvError('REMOTE_DENIED', `the remote '${name}' of ${url.slice(REFUSED.length)} is a directory`, {
      hint: `a repository from elsewhere does not say which directories of this machine are read; if it is here too: -c remote.${name}.url=<directory>`,
      data: { remote: name },
    });
  }
}

/** Credentials of the environment are signed for whatever endpoint is set. */
function checkEndpoint(
  { known, value, origin }: EffectiveValue,
  { name, trust }: { name: string; trust: ElsewhereTrust },
): void {
  if (origin.level !== 'project' || !known.key.endsWith('.endpoint')) return;
  const endpoint = sameEndpoint(String(value));
  if (trust.trustedEndpoints.some((each) => sameEndpoint(each) === endpoint)) return;
  throw new MlvError('REMOTE_DENIED', `no credentials are sent to ${endpoint}, which ${name} names as an endpoint`, {
    hint: `when the address is right, say so yourself: -c ${known.key}=${endpoint} (or mlv config set --user)`,
    data: { key: known.key, endpoint },
  });
}

function sameEndpoint(url: string): string {
  return url.trim().replace(/\/+$/, '').toLowerCase();
}
