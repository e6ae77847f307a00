import { MlvError } from '../core/errors.js';

/** The settings of DVC's configuration, of one file or of several taken together. */
export interface DvcConfig {
  /** Name of the default remote. */
  defaultRemote: string | undefined;
  /** Settings of each remote by its name; keys are in lower case. */
  remotes: Map<string, Map<string, string>>;
  /** `cache.dir` as it is written. */
  cacheDirectory: string | undefined;
}

const MAX_CONFIG = 1024 * 1024;
const SECTION = /^\[\s*(?:"([^"]*)"|'(.*)'|([^"'\]]+))\s*\]$/;
const REMOTE = /^remote\s+"(.*)"$/;

/** Reads a `.dvc/config` (ConfigObj's INI, as DVC writes it). Error: `FOREIGN_INVALID` with the line. */
export function parseDvcConfig(text: string, file: string): DvcConfig {
  const config: DvcConfig = { defaultRemote: undefined, remotes: new Map(), cacheDirectory: undefined };
  if (text.length > MAX_CONFIG) throw invalid(file, 1, `it is longer than ${MAX_CONFIG} characters`);
  let section = '';
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const found = SECTION.exec(line.replace(/\s*#[^\]]*$/, ''));
    if (found) {
      section = (found[1] ?? found[2] ?? found[3] ?? '').trim();
      continue;
    }
    const at = line.indexOf('=');
    if (at < 1) throw invalid(file, index + 1, "it is neither a section nor 'key = value'");
    set(config, section, { key: line.slice(0, at).trim().toLowerCase(), value: unquoted(line.slice(at + 1).trim()) });
  }
  return config;
}

/** What several files say together, the later ones first. */
export function mergeDvcConfigs(configs: readonly DvcConfig[]): DvcConfig {
  const merged: DvcConfig = { defaultRemote: undefined, remotes: new Map(), cacheDirectory: undefined };
  for (const { defaultRemote, remotes, cacheDirectory } of configs) {
    merged.defaultRemote = defaultRemote ?? merged.defaultRemote;
    merged.cacheDirectory = cacheDirectory ?? merged.cacheDirectory;
    for (const [name, settings] of remotes) {
      merged.remotes.set(name, new Map([...(merged.remotes.get(name) ?? []), ...settings]));
    }
  }
  return merged;
}

function set(config: DvcConfig, section: string, { key, value }: { key: string; value: string }): void {
  const remote = REMOTE.exec(section)?.[1];
  if (remote !== undefined) {
    const name = remote.toLowerCase();
    config.remotes.set(name, (config.remotes.get(name) ?? new Map<string, string>()).set(key, value));
  } else if (section === 'core' && key === 'remote') config.defaultRemote = value.toLowerCase();
  else if (section === 'cache' && key === 'dir') config.cacheDirectory = value;
}

function unquoted(value: string): string {
  const match = /^(?:"([^"]*)"|'([^']*)')/.exec(value);
  return match ? (match[1] ?? match[2] ?? '') : value.replace(/\s+#.*$/, '');
}

function invalid(file: string, line: number, reason: string): MlvError {
  return new MlvError('FOREIGN_INVALID', `'${file}', line ${line}, cannot be read: ${reason}`, {
    data: { path: file, line },
  });
}
