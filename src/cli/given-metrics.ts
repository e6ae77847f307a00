import { resolve } from 'node:path';
import { fileSystemError, MlvError } from '../core/errors.js';
import { type Metrics, mergeMetrics, parseMetricAssignment, parseMetrics } from '../provenance/parse-metrics.js';
import { readBounded } from './read-bounded.js';
import type { Session } from './session.js';
import type { OptionValue } from './verb.js';

/** Bytes of a file of metrics. */
const METRICS_LIMIT = 16 * 1024 * 1024;

/** Figures as `-m name=value` and `--metrics file` give them. Errors: `USAGE`, `METRICS_INVALID`, `FILE_SYSTEM`. */
export async function givenMetrics(
  session: Session,
  { assignments, files }: { assignments: OptionValue; files: OptionValue },
): Promise<Metrics> {
  const sources = texts(assignments).map((text) => ({ path: `-m ${text}`, metrics: parseMetricAssignment(text) }));
  for (const file of texts(files)) {
    sources.push({ path: file, metrics: await parseMetrics(readSmallFile(resolve(session.cwd, file)), file) });
  }
  return mergeMetrics(sources);
}

/** A text file that a person gave. Errors: `FILE_SYSTEM`, `METRICS_INVALID` for one of more than 16 MiB. */
export function readSmallFile(path: string): string {
  try {
    const bytes = readBounded(path, METRICS_LIMIT);
    if (bytes) return bytes.toString('utf8');
    throw new MlvError('METRICS_INVALID', `'${path}' is larger than 16 MiB`, { data: { path } });
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}

/** What an option that may be repeated was given. */
export function texts(value: OptionValue): readonly string[] {
  return Array.isArray(value) ? value : [];
}
