import { resolve } from 'node:path';
import { MlvError } from '../core/errors.js';
import { readTextFile } from '../workspace/text-file.js';
import type { Params } from './params.js';
import { type Metrics, mergeMetrics, parseMetrics } from './parse-metrics.js';
import { mergeParams, parseParams, selectParams, splitParamsSource } from './parse-params.js';
import { type Asker, invalidText } from './structured-text.js';

/** Largest file of parameters, in bytes; larger ones are no settings but data. */
export const MAX_PARAMS_BYTES = 4 * 1024 * 1024;
/** Largest file of metrics, in bytes: room for a table of a million steps. */
export const MAX_METRICS_BYTES = 64 * 1024 * 1024;

/** How files that the user named are found. */
export interface ReadOptions {
  /** Absolute path that relative ones start from. */
  cwd: string;
}

/**
 * Reads parameters of files (`params.yaml`, or `params.yaml:model,train.lr` for some of its names) as one. No link is
 * followed. Errors: `PATH_NOT_FOUND`, `PARAMS_INVALID`, `FILE_SYSTEM`, `USAGE`.
 */
export async function readParams(sources: readonly string[], options: ReadOptions): Promise<Params> {
  const read = [];
  for (const argument of sources) {
    const source = existing(argument, options) ?? splitParamsSource(argument);
    const text = readText({ file: source.path, code: 'PARAMS_INVALID' }, MAX_PARAMS_BYTES, options);
    read.push({ path: source.path, params: selectParams(await parseParams(text, source.path), source) });
  }
  return mergeParams(read);
}

/** A file whose own name holds a colon is taken as it stands. */
function existing(argument: string, { cwd }: ReadOptions): { path: string; keys: [] } | undefined {
  if (!argument.includes(':')) return undefined;
  return readTextFile(resolve(cwd, argument), 1) === undefined ? undefined : { path: argument, keys: [] };
}

/**
 * Reads metrics of files as one. No link is followed. Errors: `PATH_NOT_FOUND`, `METRICS_INVALID`, `FILE_SYSTEM`.
 */
export async function readMetrics(paths: readonly string[], options: ReadOptions): Promise<Metrics> {
  const read = [];
  for (const path of paths) {
    const text = readText({ file: path, code: 'METRICS_INVALID' }, MAX_METRICS_BYTES, options);
    read.push({ path, metrics: await parseMetrics(text, path) });
  }
  return mergeMetrics(read);
}

function readText(asker: Asker, limit: number, { cwd }: ReadOptions): string {
  const found = readTextFile(resolve(cwd, asker.file), limit + 1);
  if (found === undefined) {
    const what = asker.code === 'PARAMS_INVALID' ? 'parameters' : 'metrics';
    throw new MlvError('PATH_NOT_FOUND', `there is no file of ${what} '${asker.file}'`, { data: { path: asker.file } });
  }
  if ('link' in found) throw invalidText(asker, 'it is a symbolic link, and is not followed');
  if (Buffer.byteLength(found.text) > limit) throw invalidText(asker, `it is larger than ${limit / 1024 ** 2} MiB`);
  return found.text;
}
