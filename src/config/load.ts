import { type Config, resolveConfig } from './config.js';
import type { LevelEntry, LevelFile } from './document.js';
import { type ConfigPaths, FILE_LEVELS, type FileLevel } from './levels.js';
import type { Project } from './project-format.js';
import { readLevelText } from './read-file.js';
import type { SettingValue } from './settings.js';

/** What loadConfig reads. */
export interface LoadOptions {
  /** See configPaths. */
  paths: ConfigPaths;
  /** The environment of the user; only `MLV_` variables are looked at. */
  environment: NodeJS.ProcessEnv;
  /** Values from the command line by dotted key; undefined ones are passed over. */
  flags?: Readonly<Record<string, SettingValue | undefined>>;
}

/**
 * Reads every level and takes them together (see resolveConfig). A file that does not exist is an empty level.
 * Errors: `CONFIG_INVALID` with file and line, `CREDENTIAL_IN_COMMITTED_CONFIG`, `FORMAT_TOO_NEW`, `FILE_SYSTEM`,
 * `CONFIG_KEY_UNKNOWN` for a flag.
 */
export async function loadConfig({ paths, environment, flags = {} }: LoadOptions): Promise<Config> {
  const levels = await Promise.all(FILE_LEVELS.map((level) => readLevel(level, paths)));
  const files = Object.fromEntries(levels.flatMap((read) => (read ? [[read.file.level, read.settings]] : [])));
  const project = levels.find((read) => read?.project)?.project;
  return resolveConfig({ files, environment, flags, project, paths });
}

/** The `mlv.yaml` of a repository that is not the user's, and how far it is trusted. */
export interface ElsewhereProject {
  /** Undefined where it has none. */
  text: string | undefined;
  /** For messages: which file of which repository. */
  name: string;
  /** Absolute directory from which relative directories start; undefined where the repository is on another machine. */
  base: string | undefined;
  /** Endpoints that the user's own configuration names: credentials may go there. */
  trustedEndpoints: readonly string[];
}

/**
 * The configuration for a repository of somebody else's: the user's own levels, and of its `mlv.yaml` only which remotes
 * there are (see elsewhere.ts). `paths` are those of no repository. Errors as loadConfig.
 */
export async function loadElsewhereConfig(
  { paths, environment, flags = {} }: LoadOptions,
  { text, name, ...trust }: ElsewhereProject,
): Promise<Config> {
  const own = (await Promise.all((['system', 'user'] as const).map((level) => readLevel(level, paths)))).filter(
    (read) => read !== undefined,
  );
  const elsewhere = text === undefined ? undefined : await readText(text, { level: 'project', path: name }, paths.home);
  const { admitted, reviewElsewhere } = await import('./elsewhere.js');
  const files = Object.fromEntries(own.map((read) => [read.file.level, read.settings]));
  if (elsewhere) files.project = admitted(elsewhere.settings);
  const review = reviewElsewhere(name, trust);
  return resolveConfig({ files, environment, flags, project: elsewhere?.project, paths, review });
}

/** The settings of one level alone, by dotted key: for `mlv config get --user` and its like. Errors as loadConfig. */
export async function readLevelSettings(file: LevelFile, home: string): Promise<Map<string, LevelEntry>> {
  return (await readFileOf(file, home))?.settings ?? new Map();
}

interface ReadLevel {
  file: LevelFile;
  settings: Map<string, LevelEntry>;
  project: Project | undefined;
}

function readLevel(level: FileLevel, paths: ConfigPaths): Promise<ReadLevel | undefined> {
  const path = paths[level];
  return path === undefined ? Promise.resolve(undefined) : readFileOf({ level, path }, paths.home);
}

async function readFileOf(file: LevelFile, home: string): Promise<ReadLevel | undefined> {
  const text = await readLevelText(file);
  return text === undefined ? undefined : readText(text, file, home);
}

async function readText(text: string, file: LevelFile, home: string): Promise<ReadLevel> {
  // Here, because it imports the YAML library: a command that finds no file does without.
  const { parseFile, readSettings } = await import('./document.js');
  const { projectOf } = await import('./project-format.js');
  const parsed = parseFile(text, file);
  return {
    file,
    settings: readSettings(parsed, home),
    project: file.level === 'project' ? projectOf(parsed) : undefined,
  };
}
