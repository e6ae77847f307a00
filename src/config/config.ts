import type { LinkMode } from '../core/link-mode.js';
import type { LevelEntry } from './document.js';
import { environmentSettings } from './environment.js';
import type { FileLevel, Level } from './levels.js';
import type { Project } from './project-format.js';
import {
  type FIXED,
  type FixedKey,
  type KnownKey,
  OF_REMOTE,
  printable,
  type SettingValue,
  settingFor,
  textOf,
  type ValueOf,
} from './settings.js';
import { type Place, parseValue } from './values.js';

/** Where an effective value comes from. */
export interface Origin extends Partial<Place> {
  level: Level;
}

/** The settings of one remote; what is absent was set nowhere. */
export interface RemoteSettings {
  /** Path or URL, as written; a relative path is relative to the top of the working tree. */
  readonly url?: string;
  /** Name of the remote that this one holds the same as. */
  readonly mirrorOf?: string;
  readonly compression?: 'auto' | 'off';
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly pathStyle?: boolean;
  readonly sse?: 'AES256' | 'aws:kms';
  readonly sseKmsKeyId?: string;
  readonly storageClass?: string;
  readonly checksum?: 'when-required' | 'when-supported';
  readonly unsignedPayload?: boolean;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** Absolute. */
  readonly identityFile?: string;
  readonly knownHosts?: 'strict' | 'accept-new';
  readonly account?: string;
  readonly accountKey?: string;
  readonly sasToken?: string;
  readonly connectionString?: string;
  readonly projectId?: string;
  /** Absolute. */
  readonly credentialsFile?: string;
}

/** The configuration in force: every level taken together. */
export interface Config {
  /** What `mlv init` wrote into `mlv.yaml`; undefined where it was not run. */
  readonly project: Project | undefined;
  readonly core: {
    /** `mlv add` stages in Git. */
    readonly stage: boolean;
    /** Requests to a remote at once, at most. */
    readonly jobs: number;
    readonly hashImplementation: 'auto' | 'native' | 'wasm';
    /** The default remote's name. */
    readonly remote: string | undefined;
    /** Verify objects on checkout. */
    readonly verify: boolean;
  };
  readonly hooks: {
    /** Bytes from which on the pre-commit hook refuses a file that goes into Git. */
    readonly largeFile: number;
  };
  readonly cache: {
    /** Absolute. */
    readonly dir: string;
    /** In the order to be tried. */
    readonly link: readonly LinkMode[];
  };
  readonly retention: {
    /** The newest versions of each model that a collection keeps; undefined where no rule thins them out. */
    readonly last: number | undefined;
  };
  readonly registry: {
    /** The Git remote that the registry is shared through; where undefined, that of the branch, else `origin`. */
    readonly remote: string | undefined;
    /** Run the checks of the policy on a promotion: commands that others wrote. Never taken from the committed level. */
    readonly runChecks: boolean;
  };
  /** By name, in alphabetical order. */
  readonly remotes: ReadonlyMap<string, RemoteSettings>;
  /** Every value that is in force, defaults included, by dotted key. */
  readonly values: ReadonlyMap<string, EffectiveValue>;
  /** Where the value of a setting comes from; undefined where it has none. Error: `CONFIG_KEY_UNKNOWN`. */
  origin(key: string): Origin | undefined;
}

/** A value in force. Not for printing: it may be a credential; see listSettings. */
export interface EffectiveValue {
  known: KnownKey;
  value: SettingValue;
  origin: Origin;
}

/** What the effective configuration follows from. */
export interface ConfigSources {
  /** The settings of each file level that has a file. */
  files: Partial<Record<FileLevel, ReadonlyMap<string, LevelEntry>>>;
  environment: NodeJS.ProcessEnv;
  /** Values from the command line by dotted key; undefined ones are passed over. */
  flags: Readonly<Record<string, SettingValue | undefined>>;
  project: Project | undefined;
  /** Where the cache is by default, and the user's home. */
  paths: { cache: string; home: string };
  /** May change the values before they are in force: for a committed level that is not the user's own. */
  review?: (values: Map<string, EffectiveValue>) => void;
}

/**
 * Takes the levels together: flags over environment over local over project over user over system over defaults, key
 * by key. Errors: `CONFIG_INVALID` for a value in the environment or a flag, `CONFIG_KEY_UNKNOWN` for a flag's key.
 */
export function resolveConfig(sources: ConfigSources): Config {
  const values = defaults(sources.paths.cache);
  for (const level of ['system', 'user', 'project', 'local'] as const) {
    for (const [key, { known, value, place }] of sources.files[level] ?? []) {
      values.set(key, { known, value, origin: { level, ...place } });
    }
  }
  addFlagsAndEnvironment(values, sources);
  sources.review?.(values);
  return typed(values, sources.project);
}

/** One line of `mlv config list`. */
export interface ListedSetting {
  key: string;
  /** Fit to be printed: credentials are `***`. */
  value: string;
  origin: Origin;
}

/** Every setting in force, by key in alphabetical order, credentials redacted. */
export function listSettings(config: Config): ListedSetting[] {
  return [...config.values.values()]
    .map(({ known, value, origin }) => ({ key: known.key, value: printable(known, value), origin }))
    .sort((left, right) => (left.key < right.key ? -1 : 1));
}

type Values = Map<string, EffectiveValue>;

function defaults(cache: string): Values {
  const values: { [K in FixedKey]?: ValueOf<(typeof FIXED)[K]> } = {
    'core.stage': false,
    'core.jobs': 32,
    'hooks.large-file': 10 * 2 ** 20,
    'core.hash-implementation': 'auto',
    'core.verify': true,
    'registry.run-checks': false,
    'cache.dir': cache,
    'cache.link': ['reflink', 'copy'],
  };
  return new Map(
    Object.entries(values).map(([key, value]) => [
      key,
      { known: settingFor(key), value, origin: { level: 'default' } },
    ]),
  );
}

function addFlagsAndEnvironment(values: Values, { environment, flags, paths }: ConfigSources): void {
  const { home } = paths;
  const given = Object.entries(flags).flatMap(([key, value]) =>
    value === undefined ? [] : [{ known: settingFor(key), value }],
  );
  const remotes = [...values.values(), ...given].flatMap(({ known }) => known.remote ?? []);
  for (const { known, variable, text } of environmentSettings(environment, new Set(remotes))) {
    const place = { where: variable };
    values.set(known.key, {
      known,
      value: parseValue(known, text, { place, home }),
      origin: { level: 'environment', ...place },
    });
  }
  for (const { known, value } of given) {
    const place = { where: `the option for ${known.key}` };
    values.set(known.key, {
      known,
      value: parseValue(known, textOf(value), { place, home }),
      origin: { level: 'flags', ...place },
    });
  }
}

function typed(values: Values, project: Project | undefined): Config {
  // Every value was made by the parser of its own setting, so its type is that setting's.
  const read = <K extends FixedKey>(key: K) => values.get(key)?.value as ValueOf<(typeof FIXED)[K]>;
  return {
    project,
    core: {
      stage: read('core.stage'),
      jobs: read('core.jobs'),
      hashImplementation: read('core.hash-implementation'),
      remote: values.has('core.remote') ? read('core.remote') : undefined,
      verify: read('core.verify'),
    },
    hooks: { largeFile: read('hooks.large-file') },
    cache: { dir: read('cache.dir'), link: read('cache.link') },
    retention: { last: values.has('retention.last') ? read('retention.last') : undefined },
    registry: {
      remote: values.has('registry.remote') ? read('registry.remote') : undefined,
      runChecks: read('registry.run-checks'),
    },
    remotes: remotesOf(values),
    values,
    origin: (key) => values.get(settingFor(key).key)?.origin,
  };
}

function remotesOf(values: Values): Map<string, RemoteSettings> {
  const names = new Set([...values.values()].flatMap(({ known }) => known.remote ?? []));
  return new Map([...names].sort().map((name) => [name, remoteOf(values, name)]));
}

function remoteOf(values: Values, name: string): RemoteSettings {
  const settings: Record<string, SettingValue> = {};
  for (const key of Object.keys(OF_REMOTE)) {
    const found = values.get(`remote.${name}.${key}`);
    if (found) settings[key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] = found.value;
  }
  return settings as RemoteSettings;
}
