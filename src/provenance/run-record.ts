import { isMlvError, MlvError } from '../core/errors.js';
import { isMapping } from '../core/mapping.js';
import { isOid, type Oid } from '../objects/oid.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { Environment } from './environment.js';
import type { Params, ParamValue } from './params.js';
import type { Metrics } from './parse-metrics.js';

/** Name of the record in the directory object of a run. */
export const RECORD_FILE = 'run.json';
/** Name of the patch that makes the workspace of a run out of its commit. */
export const DIFFERENCE_FILE = 'difference.patch';
/** Name of the list of files that Git tracks and that were inputs. */
export const CODE_FILE = 'code.txt';
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** What a run read. */
export interface RunInput {
  path: RepositoryPath;
  /**
   * `tracked` is an mlv target or lies in one; `git` is a file that Git has, or a directory of them; `plain` is neither,
   * such as an ignored file.
   */
  kind: 'tracked' | 'git' | 'plain';
  /**
   * The content: an oid, or `git:<blob>` for one file of Git. For a directory of Git, the oid of its lines in `code.txt`.
   */
  oid: string;
  /** Bytes; absent where it was not counted. */
  size?: number;
  /** Number of files, for a directory. */
  files?: number;
  /** The tracked directory that it lies in. */
  within?: RepositoryPath;
  /** What its pointer, or that of the directory it lies in, said instead: the data had changes that were not added. */
  pointer?: Oid;
}

/** What a run wrote, as `mlv add` took it. */
export interface RunOutput {
  path: RepositoryPath;
  oid: Oid;
  size: number;
  files?: number;
  executable?: true;
}

/** A file of metrics as the run left it; its bytes are in the record. */
export interface RunMetricsFile {
  path: RepositoryPath;
  /** Absent for a directory, of which only the figures are kept. */
  oid?: Oid;
  size?: number;
}

/** Parameters of one file, or those of its names that were asked for. */
export interface RunParams {
  path: RepositoryPath;
  /** The names that were asked for; all where absent. */
  keys?: string[];
  values: Params;
}

/** Everything that is known of one run of a command; see docs/formats/run.md. */
export interface RunRecord {
  /** Format number. */
  mlv_run: 1;
  name?: string;
  /** What was run on what: see runKey. */
  key: string;
  /** Program and arguments; text was given to the shell. */
  command: string | string[];
  /** Where it ran, from the top of the repository; empty at the top. */
  directory: RepositoryPath;
  /** Environment variables that the stage sets. */
  env?: Record<string, string>;
  inputs: RunInput[];
  outputs: RunOutput[];
  params: RunParams[];
  metrics: Metrics;
  metrics_files: RunMetricsFile[];
  /** Parameters and variables that sound like seeds, by name. */
  seeds: Record<string, ParamValue>;
  /** Inputs that were other at the end than at the beginning: what came of it may be of either. */
  changed?: { path: RepositoryPath; before: string; after: string | null }[];
  /** HEAD, hex; absent before the first commit. */
  commit?: string;
  /** True where the workspace had more than the commit. */
  dirty: boolean;
  /**
   * `left_out` are untracked files that are too large for the patch, or named as secrets are; `patch` is false where the
   * patch as a whole was too large.
   */
  difference?: { patch: boolean; files: number; left_out?: string[] };
  environment: Environment;
  /** Class of the machine, in one line. */
  host: string;
  /** RFC 3339, UTC. */
  started: string;
  ended: string;
  desc?: string;
  /** Where the data came from, as the stage says. */
  source?: unknown;
}

/** The bytes of a record: JSON, two spaces, keys in the order of the format. */
export function formatRunRecord(record: RunRecord): Buffer {
  const ordered = Object.fromEntries(ORDER.filter((key) => record[key] !== undefined).map((key) => [key, record[key]]));
  const unknown = Object.entries(record).filter(([key]) => !(ORDER as readonly string[]).includes(key));
  return Buffer.from(`${JSON.stringify({ ...ordered, ...Object.fromEntries(unknown) }, undefined, 2)}\n`, 'utf8');
}

const ORDER = [
  'mlv_run',
  'name',
  'key',
  'command',
  'directory',
  'env',
  'desc',
  'source',
  'started',
  'ended',
  'commit',
  'dirty',
  'difference',
  'inputs',
  'changed',
  'outputs',
  'params',
  'seeds',
  'metrics',
  'metrics_files',
  'host',
  'environment',
] as const satisfies readonly (keyof RunRecord)[];

/**
 * Reads a record that anybody may have written. Keys that are not known are kept. `place` is what to call it in messages.
 * Errors: `RECORD_INVALID`, `FORMAT_TOO_NEW`.
 */
export function parseRunRecord(bytes: Buffer, place: string): RunRecord {
  const value = readJson(bytes, place);
  if (typeof value.mlv_run === 'number' && value.mlv_run > 1) {
    throw new MlvError('FORMAT_TOO_NEW', `${place} has format ${value.mlv_run}; this mlv reads format 1`, {
      hint: 'install a newer mlv',
    });
  }
  for (const [key, isValid] of Object.entries(CHECKS)) {
    if (!isValid(value[key])) throw invalid(place, `'${key}' is not what it must be`);
  }
  return value as unknown as RunRecord;
}

function readJson(bytes: Buffer, place: string): Record<string, unknown> {
  if (bytes.length > MAX_RECORD_BYTES) throw invalid(place, 'it is far too long');
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (isMapping(value)) return value;
  } catch (error) {
    if (isMlvError(error)) throw error;
  }
  throw invalid(place, 'it is not a JSON object');
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isSize: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** True for a path that stays inside the repository, whoever wrote it. */
export function isSafePath(value: unknown): value is RepositoryPath {
  if (typeof value !== 'string' || value === '' || value.includes('\0') || value.includes('\\')) return false;
  const parts = value.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') && !/^\.git$/i.test(parts[0] as string);
}

const isInput: Check = (value) =>
  isMapping(value) &&
  isText(value.path) &&
  isText(value.oid) &&
  (isOid(value.oid) || /^git:[0-9a-f]{40,64}$/.test(value.oid as string)) &&
  ['tracked', 'git', 'plain'].includes(value.kind as string) &&
  optional(isSize)(value.size) &&
  optional(isSize)(value.files) &&
  optional(isOid)(value.pointer);

const isOutput: Check = (value) =>
  isMapping(value) && isSafePath(value.path) && isOid(value.oid) && isSize(value.size) && optional(isSize)(value.files);

const isMetricsFile: Check = (value) =>
  isMapping(value) && isSafePath(value.path) && optional(isOid)(value.oid) && optional(isSize)(value.size);

const isParams: Check = (value) => isMapping(value) && isText(value.path) && isMapping(value.values);

const isMetric: Check = (value) => isMapping(value) && typeof value.value === 'number';

const isTexts = optional(listOf(isText));
const isTextMapping = optional((value) => isMapping(value) && Object.values(value).every(isText));

const isEnvironment: Check = (value) =>
  isMapping(value) &&
  [value.packages, value.conda, value.gpus, value.absent].every(isTexts) &&
  [value.locks, value.variables].every(isTextMapping);

const CHECKS: Partial<Record<keyof RunRecord, Check>> = {
  mlv_run: (value) => value === 1,
  name: optional(isText),
  key: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  command: (value) => isText(value) || (listOf(isText)(value) && (value as string[]).length > 0),
  directory: (value) => value === '' || isSafePath(value),
  env: optional((value) => isMapping(value) && Object.values(value).every(isText)),
  inputs: listOf(isInput),
  outputs: listOf(isOutput),
  params: listOf(isParams),
  metrics: (value) => isMapping(value) && Object.values(value).every(isMetric),
  metrics_files: listOf(isMetricsFile),
  seeds: isMapping,
  changed: optional(listOf((value) => isMapping(value) && isText(value.path))),
  commit: optional((value) => typeof value === 'string' && /^[0-9a-f]{40,64}$/.test(value)),
  dirty: (value) => typeof value === 'boolean',
  difference: optional(isMapping),
  environment: isEnvironment,
  host: isText,
  started: isText,
  ended: isText,
};

function invalid(place: string, reason: string): MlvError {
  return new MlvError('RECORD_INVALID', `${place} is not the record of a run: ${reason}`, {
    hint: 'run the command again to have a good one: mlv run, mlv repro',
  });
}
