import { lstatSync, readFileSync } from 'node:fs';
import { fileSystemError, MlvError } from '../core/errors.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import { readTextFile } from '../workspace/text-file.js';
import type { Logged } from './logged.js';
import { parseMetricLog } from './metric-log.js';
import { readMlflowRun } from './mlflow-run.js';
import { type Metrics, mergeMetrics, parseMetrics } from './parse-metrics.js';
import { parseParams, selectParams } from './parse-params.js';
import { MAX_METRICS_BYTES, MAX_PARAMS_BYTES } from './read-files.js';
import type { RunParams } from './run-record.js';

/** What the files of metrics say after a run. */
export interface RunFigures {
  metrics: Metrics;
  /** Parameters that the program logged itself, by the file it logged them to. */
  logged: RunParams[];
  /** The bytes of each file; undefined for a directory. */
  files: { path: RepositoryPath; bytes: Buffer | undefined }[];
}

/**
 * Reads files of metrics: tables and mappings as `parseMetrics` does, the log of `mlv_log.py` (`.jsonl`), and the
 * directory of an MLflow run. No link is followed. Errors: `RUN_FAILED` for one that is not there, `METRICS_INVALID`.
 */
export async function readFigures(repository: Repository, paths: readonly RepositoryPath[]): Promise<RunFigures> {
  const figures: RunFigures = { metrics: {}, logged: [], files: [] };
  const read: { path: string; metrics: Metrics }[] = [];
  for (const path of paths) {
    const absolute = absolutePath(repository.layout, path);
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    if (!stat) throw notWritten(path);
    const bytes = stat.isDirectory() ? undefined : bytesOf(absolute, path);
    const logged = bytes ? await readText(bytes.toString('utf8'), path) : readMlflowRun(absolute, path);
    figures.files.push({ path, bytes });
    read.push({ path, metrics: logged.metrics });
    if (Object.keys(logged.params).length > 0) figures.logged.push({ path, values: logged.params });
  }
  figures.metrics = mergeMetrics(read);
  return figures;
}

async function readText(text: string, path: RepositoryPath): Promise<Logged> {
  if (path.toLowerCase().endsWith('.jsonl')) return parseMetricLog(text, path);
  return { metrics: await parseMetrics(text, path), params: {} };
}

function bytesOf(absolute: string, path: RepositoryPath): Buffer {
  const stat = lstatSync(absolute);
  const refuse = (reason: string): never => {
    throw new MlvError('METRICS_INVALID', `'${path}' cannot be read as metrics: ${reason}`, { data: { path } });
  };
  if (!stat.isFile()) refuse('it is no file');
  if (stat.size > MAX_METRICS_BYTES) refuse(`it is larger than ${MAX_METRICS_BYTES / 1024 ** 2} MiB`);
  try {
    return readFileSync(absolute);
  } catch (error) {
    throw fileSystemError('read', absolute, error);
  }
}

function notWritten(path: RepositoryPath): MlvError {
  return new MlvError('RUN_FAILED', `the command ended well, but did not write its metrics '${path}'`, {
    hint: 'check the name; nothing was recorded',
    data: { path },
  });
}

/** A file of parameters, and which of its names are asked for; all where `keys` is empty. */
export interface ParamsChoice {
  path: RepositoryPath;
  keys: readonly string[];
}

/** Reads parameters of files of the repository. Errors: `PATH_NOT_FOUND`, `PARAMS_INVALID`, `FILE_SYSTEM`. */
export async function readRunParams(repository: Repository, choices: readonly ParamsChoice[]): Promise<RunParams[]> {
  const read: RunParams[] = [];
  for (const { path, keys } of choices) {
    const found = readTextFile(absolutePath(repository.layout, path), MAX_PARAMS_BYTES + 1);
    if (found === undefined) {
      throw new MlvError('PATH_NOT_FOUND', `there is no file of parameters '${path}'`, { data: { path } });
    }
    if ('link' in found || Buffer.byteLength(found.text) > MAX_PARAMS_BYTES) {
      const reason = 'link' in found ? 'it is a symbolic link, and is not followed' : 'it is far too large';
      throw new MlvError('PARAMS_INVALID', `'${path}' cannot be read: ${reason}`, { data: { path } });
    }
    const values = selectParams(await parseParams(found.text, path), { path, keys });
    read.push({ path, ...(keys.length > 0 && { keys: [...keys] }), values });
  }
  return read;
}
