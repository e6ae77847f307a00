import { isAbsolute, posix } from 'node:path';
import { redactUrl } from '../core/redact.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { type DvcConfig, parseDvcConfig } from './dvc-config.js';
import { mapDvcRemote } from './dvc-remote.js';

/** What of DVC's configuration goes into `mlv.yaml`. */
export interface MappedRemotes {
  /** Values by dotted key: `remote.<name>.url`, `core.remote`, … */
  settings: Map<string, string>;
  left: string[];
}

/**
 * The remotes of a committed `.dvc/config` as settings of ours. Ours lie in the directory `mlv` of the same place, so that
 * DVC's objects stay by themselves. Credentials are not taken over. Error: `FOREIGN_INVALID`.
 */
export function mapDvcRemotes(text: string, file: RepositoryPath): MappedRemotes {
  const config = parseDvcConfig(text, file);
  const settings = new Map<string, string>();
  const left: string[] = [];
  for (const name of config.remotes.keys()) {
    const problem = addRemote(config, name, { file, settings, left });
    if (problem !== undefined) left.push(`${file}: ${problem}`);
  }
  const chosen = config.defaultRemote === undefined ? undefined : ourName(config.defaultRemote);
  if (chosen !== undefined && settings.has(`remote.${chosen}.url`)) settings.set('core.remote', chosen);
  return { settings, left };
}

function addRemote(
  config: DvcConfig,
  name: string,
  { file, settings, left }: { file: RepositoryPath; settings: Map<string, string>; left: string[] },
): string | undefined {
  const directory = posix.dirname(posix.join('/', file));
  const given = config.remotes.get(name)?.get('url') ?? '';
  const mapped = mapDvcRemote(name, config.remotes, { directory });
  if ('problem' in mapped) return mapped.problem;
  if (/^https?:/i.test(mapped.url))
    return `the remote '${name}' (${redactUrl(mapped.url)}) cannot be written to by mlv`;
  if (redactUrl(mapped.url) !== mapped.url) return `the remote '${name}' has credentials in its URL`;
  const isLocal = !/^[a-z][a-z0-9+.-]+:\/\//i.test(mapped.url);
  const url = isLocal && !isAbsolute(given) ? fromTop(file, given) : mapped.url;
  const ours = ourName(name);
  settings.set(`remote.${ours}.url`, `${url.replace(/\/+$/, '')}/mlv`);
  for (const [key, value] of Object.entries(mapped.settings)) settings.set(`remote.${ours}.${key}`, value);
  const secrets = Object.keys(mapped.secrets);
  if (secrets.length > 0) left.push(`${file}: remote ${name}: ${secrets.join(', ')} (credentials are not copied)`);
  if (mapped.left.length > 0) left.push(`${file}: remote ${name}: ${mapped.left.join(', ')}`);
  return undefined;
}

/** A relative path of DVC starts from the directory of its configuration file, ours from the top of the working tree. */
function fromTop(file: RepositoryPath, path: string): string {
  const joined = posix.normalize(posix.join(posix.dirname(file), path));
  return joined.startsWith('../') || joined === '..' ? joined : `./${joined}`;
}

/** Names of remotes are letters, digits, `-` and `_` with us. */
function ourName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 64);
  return /^[A-Za-z0-9]/.test(plain) ? plain : `dvc${plain}`.slice(0, 64);
}
