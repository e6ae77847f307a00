import { remoteName } from './kinds.js';
import { FIXED, type KnownKey, OF_REMOTE, settingFor } from './settings.js';
import { variableOf } from './values.js';

/** A setting that an environment variable gives. */
export interface EnvironmentSetting {
  known: KnownKey;
  variable: string;
  text: string;
}

const BY_VARIABLE = new Map(Object.keys(FIXED).map((key) => [variableOf(key), key]));
// Longest first: SSE_KMS_KEY_ID must not be read as a remote named ..._SSE_KMS with a key that ends alike.
const REMOTE_SUFFIXES = Object.keys(OF_REMOTE)
  .map((key) => ({ key, suffix: variableOf(key).slice('MLV'.length) }))
  .sort((left, right) => right.suffix.length - left.suffix.length);
const REMOTE_PREFIX = 'MLV_REMOTE_';

/**
 * The settings in the environment. `MLV_REMOTE_<NAME>_<KEY>` means every remote whose name reads so in upper case with
 * underscores; where none of `remotes` does, it makes one, in lower case with dashes. Empty variables and variables that
 * mean no setting are passed over.
 */
export function environmentSettings(env: NodeJS.ProcessEnv, remotes: Iterable<string>): EnvironmentSetting[] {
  const names = [...remotes];
  const found: EnvironmentSetting[] = [];
  for (const variable of Object.keys(env).sort()) {
    const text = env[variable];
    if (!text) continue;
    for (const key of keysFor(variable, names)) found.push({ known: settingFor(key), variable, text });
  }
  return found;
}

function keysFor(variable: string, remotes: readonly string[]): string[] {
  const fixed = BY_VARIABLE.get(variable);
  if (fixed !== undefined) return [fixed];
  if (!variable.startsWith(REMOTE_PREFIX)) return [];
  const rest = variable.slice(REMOTE_PREFIX.length);
  const match = REMOTE_SUFFIXES.find(({ suffix }) => rest.endsWith(suffix) && rest.length > suffix.length);
  if (!match) return [];
  const spelled = rest.slice(0, -match.suffix.length);
  const known = remotes.filter((name) => name.replaceAll('-', '_').toUpperCase() === spelled);
  const names = known.length > 0 ? known : [spelled.replaceAll('_', '-').toLowerCase()];
  return names.filter((name) => remoteName.parse(name, '') !== undefined).map((name) => `remote.${name}.${match.key}`);
}
