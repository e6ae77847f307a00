import { MlvError } from '../core/errors.js';
import { LINK_MODES } from '../core/link-mode.js';
import { redactUrl } from '../core/redact.js';
import {
  boolean,
  choice,
  choices,
  directory,
  file,
  gitRemote,
  httpUrl,
  integer,
  type Kind,
  remoteName,
  text,
} from './kinds.js';
import { nearest } from './nearest.js';

/** One setting: what its value may be, and who may set it. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  /** False for what the committed level, which anyone who sends a commit can write, may not decide. */
  readonly project: boolean;
  /** True for credentials: never in the committed level, never printed. */
  readonly secret: boolean;
}

/** The settings with a fixed name. */
export const FIXED = {
  'core.stage': setting(boolean),
  'core.jobs': setting(integer(1, 256)),
  'core.hash-implementation': personal(choice('auto', 'native', 'wasm')),
  'core.remote': setting(remoteName),
  'core.verify': personal(boolean),
  'hooks.large-file': setting(integer(2 ** 20, Number.MAX_SAFE_INTEGER)),
  'cache.dir': personal(directory),
  'cache.link': setting(choices(...LINK_MODES)),
  'retention.last': setting(integer(1, 1_000_000)),
  'registry.remote': setting(gitRemote),
  'registry.run-checks': personal(boolean),
} as const;

/** The settings of a remote, below `remote.<name>.`. */
export const OF_REMOTE = {
  url: setting(text),
  'mirror-of': setting(remoteName),
  compression: setting(choice('auto', 'off')),
  region: setting(text),
  profile: setting(text),
  endpoint: setting(httpUrl),
  'path-style': setting(boolean),
  sse: setting(choice('AES256', 'aws:kms')),
  'sse-kms-key-id': setting(text),
  'storage-class': setting(text),
  checksum: setting(choice('when-required', 'when-supported')),
  'unsigned-payload': setting(boolean),
  'access-key-id': credential(text),
  'secret-access-key': credential(text),
  'session-token': credential(text),
  token: credential(text),
  username: credential(text),
  password: credential(text),
  'identity-file': personal(file),
  'known-hosts': personal(choice('strict', 'accept-new')),
  account: setting(text),
  'account-key': credential(text),
  'sas-token': credential(text),
  'connection-string': credential(text),
  'project-id': setting(text),
  'credentials-file': personal(file),
} as const;

export type FixedKey = keyof typeof FIXED;
export type RemoteKey = keyof typeof OF_REMOTE;
export type ValueOf<S> = S extends Setting<infer T> ? T : never;
/** The value of any setting. */
export type SettingValue = ValueOf<(typeof FIXED)[FixedKey] | (typeof OF_REMOTE)[RemoteKey]>;

/** The sections that mlv knows; others in `mlv.yaml` belong to someone else. */
export const SECTIONS = ['core', 'hooks', 'cache', 'retention', 'registry', 'remote'] as const;

/** A dotted key that names a setting, taken apart. */
export interface KnownKey {
  /** The key as written, such as `remote.origin.url`. */
  key: string;
  /** For the settings of a remote, its name. */
  remote?: string;
  setting: Setting<SettingValue>;
}

/** The setting that a dotted key names, or undefined where there is none. */
export function lookUp(key: string): KnownKey | undefined {
  const [section, name, last, ...more] = key.split('.');
  if (section !== 'remote') return Object.hasOwn(FIXED, key) ? { key, setting: FIXED[key as FixedKey] } : undefined;
  if (name === undefined || last === undefined || more.length > 0) return undefined;
  if (!Object.hasOwn(OF_REMOTE, last) || remoteName.parse(name, '') === undefined) return undefined;
  return { key, remote: name, setting: OF_REMOTE[last as RemoteKey] };
}

/** The setting that a dotted key names. Error: `CONFIG_KEY_UNKNOWN`, with the nearest key that there is. */
export function settingFor(key: string): KnownKey {
  const known = lookUp(key);
  if (known) return known;
  const [section, name] = key.split('.');
  if (section === 'remote' && name !== undefined && remoteName.parse(name, '') === undefined) {
    throw new MlvError('CONFIG_KEY_UNKNOWN', `'${name}' in '${key}' cannot be the name of a remote`, {
      hint: `it must be ${remoteName.describe}`,
      data: { key },
    });
  }
  throw new MlvError('CONFIG_KEY_UNKNOWN', `'${key}' is not a setting of mlv`, { ...suggestion(key), data: { key } });
}

/** A hint that names the known key nearest to one that is not known. */
export function suggestion(key: string): { hint: string } {
  const [section, name, last = ''] = key.split('.');
  const candidates = section === 'remote' ? keysOfRemote(name) : Object.keys(FIXED);
  // Of a remote's key, only the end can be mistaken: the name is the user's own.
  const index = section === 'remote' ? nearest(last, Object.keys(OF_REMOTE)) : nearest(key, candidates);
  if (index !== undefined) return { hint: `did you mean '${candidates[index]}'?` };
  const related = candidates.filter((candidate) => candidate.startsWith(`${section}.`));
  const known = related.length > 0 ? related : [...candidates, ...keysOfRemote(undefined)];
  return { hint: `the settings are: ${known.join(', ')}` };
}

/** A value as the text that its setting's kind reads. */
export function textOf(value: SettingValue): string {
  return typeof value === 'object' ? value.join(',') : String(value);
}

function keysOfRemote(name: string | undefined): string[] {
  const shown = name !== undefined && remoteName.parse(name, '') !== undefined ? name : '<name>';
  return Object.keys(OF_REMOTE).map((last) => `remote.${shown}.${last}`);
}

/** True when the value must not be printed or committed: a credential, or a URL with a password in it. */
export function isSecret(known: KnownKey, value: SettingValue): boolean {
  return known.setting.secret || (typeof value === 'string' && redactUrl(value) !== value);
}

/** A value (or what was given as one) as text, credentials and users in URLs replaced by `***`: fit to be printed. */
export function printable(known: KnownKey, value: SettingValue): string {
  if (known.setting.secret) return '***';
  return redactUrl(textOf(value));
}

function setting<T>(kind: Kind<T>): Setting<T> {
  return { kind, project: true, secret: false };
}

function personal<T>(kind: Kind<T>): Setting<T> {
  return { kind, project: false, secret: false };
}

function credential<T>(kind: Kind<T>): Setting<T> {
  return { kind, project: false, secret: true };
}
