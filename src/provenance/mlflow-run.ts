import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, MlvError } from '../core/errors.js';
import { readTextFile } from '../workspace/text-file.js';
import { figuresOf, type Logged } from './logged.js';

const MAX_NAMES = 10_000;
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_LEVELS = 10;

/**
 * Reads what MLflow's file store has of a run: `metrics/<name>` with lines of `<time> <value> <step>` (the last counts)
 * and `params/<name>`. `directory` (absolute) is that of a run, or one that holds runs
 * (`mlruns`, or an experiment), of which the one that started last is taken. Error: `METRICS_INVALID`.
 */
export function readMlflowRun(directory: string, path: string): Logged {
  const run = newestRun(directory);
  if (run === undefined) {
    throw new MlvError('METRICS_INVALID', `'${path}' holds no run of MLflow: no directory in it has 'metrics' in it`, {
      hint: 'name a file of metrics, or the directory that MLflow writes to (mlruns)',
      data: { path },
    });
  }
  const params = filesBelow(join(run, 'params')).map(([name, text]) => [name, text.replace(/\n$/, '')]);
  const metrics = filesBelow(join(run, 'metrics')).map(([name, text]): [string, number] => {
    const value = Number(text.trimEnd().split('\n').at(-1)?.split(/\s+/)[1]);
    if (Number.isFinite(value)) return [name, value];
    throw new MlvError('METRICS_INVALID', `'${path}': the metric '${name}' of MLflow has no finite number`, {
      data: { path, name },
    });
  });
  return { metrics: figuresOf(metrics), params: Object.fromEntries(params) };
}

function newestRun(directory: string): string | undefined {
  const runs = [directory, ...namesIn(directory), ...namesIn(directory).flatMap(namesIn)].filter(isRun);
  return runs.sort((left, right) => startOf(right) - startOf(left) || (left < right ? -1 : 1))[0];
}

function isRun(directory: string): boolean {
  return isDirectory(join(directory, 'metrics'));
}

/** When MLflow says that the run began, in milliseconds; 0 where it does not. */
function startOf(run: string): number {
  const found = readTextFile(join(run, 'meta.yaml'), MAX_FILE_BYTES);
  return Number(/^start_time:\s*(\d+)\s*$/m.exec(found && 'text' in found ? found.text : '')?.[1] ?? 0);
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function namesIn(directory: string): string[] {
  if (!isDirectory(directory)) return [];
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(directory, name))
      .filter(isDirectory);
  } catch (error) {
    throw fileSystemError('list', directory, error);
  }
}

/** Names may hold slashes, which are directories then. */
function filesBelow(directory: string, prefix = '', level = 0): [name: string, text: string][] {
  if (!isDirectory(directory) || level > MAX_LEVELS) return [];
  const found: [string, string][] = [];
  for (const entry of readdirSync(directory).sort()) {
    const at = join(directory, entry);
    const name = `${prefix}${entry}`;
    if (isDirectory(at)) found.push(...filesBelow(at, `${name}/`, level + 1));
    else {
      const read = readTextFile(at, MAX_FILE_BYTES);
      if (read && 'text' in read && found.length < MAX_NAMES) found.push([name, read.text]);
    }
  }
  return found;
}
