import { MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import { entryNameProblem, isWindowsDeviceName } from '../../objects/entry-name.js';
import type { Point } from './store.js';

/** Numbers that a file store and the database have for the state of a run. */
const STATUS = ['', 'RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];

/**
 * A parameter as mlv has it: MLflow keeps texts only, so what is exactly how a number or a Python boolean is written
 * becomes one (`0.1`, `True`), and can be compared; everything else stays text (`1e-3`, `007`, `None`).
 */
export function paramValue(text: string): string | number | boolean {
  if (text === 'True') return true;
  if (text === 'False') return false;
  const number = Number(text);
  return text !== '' && Number.isFinite(number) && String(number) === text ? number : text;
}

/** A name as models of mlv have them: `Churn study (v2)` is `churn-study-v2`. Undefined where nothing is left. */
export function modelNameOf(name: string): string | undefined {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/[._-]*([._-])[._-]*/g, '$1')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, 94)
    .replace(/[._-]+$/, '');
  if (plain === '') return undefined;
  return isWindowsDeviceName(plain) || plain.endsWith('.lock') ? `${plain}-model` : plain;
}

/** The point that MLflow calls the latest: of the highest step, the newest, the highest. */
export function latestPoint(points: readonly Point[]): Point | undefined {
  return points.reduce<Point | undefined>((best, point) => {
    if (!best) return point;
    return byStep(point, best) > 0 ? point : best;
  }, undefined);
}

/** The name of a run's state, which older stores have as a number. */
export function statusName(status: unknown): string {
  return typeof status === 'number' ? (STATUS[status] ?? String(status)) : String(status ?? '');
}

/** Points in one log are held in memory. */
const MOST_POINTS = 5_000_000;

/**
 * All points as the log that `python/mlv_log.py` writes and mlv reads: a line of JSON each, of each metric in the order in
 * which the last one is the latest. Points without a finite number have no line. Error: `FOREIGN_INVALID` for too many.
 */
export function metricLog(history: ReadonlyMap<string, readonly Point[]>): string {
  const lines: string[] = [];
  for (const [metric, points] of [...history].sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (lines.length + points.length > MOST_POINTS) throw sourceInvalid(`a run has more than ${MOST_POINTS} points`);
    const ordered = points.filter(({ value }) => Number.isFinite(value)).sort(byStep);
    for (const { value, step, time } of ordered) {
      const at = instantOf(time);
      lines.push(JSON.stringify({ metric, value, step, ...(at !== undefined && { time: at }) }));
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

function byStep(left: Point, right: Point): number {
  return left.step - right.step || left.time - right.time || left.value - right.value;
}

/** RFC 3339 of milliseconds since 1970; undefined for what is none. */
export function instantOf(milliseconds: number | undefined): string | undefined {
  if (milliseconds === undefined || !(Math.abs(milliseconds) < 8.64e15)) return undefined;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** The parts of a path below a directory of artifacts. Error: `FOREIGN_INVALID` for one that could leave it. */
export function safeParts(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  for (const part of parts) checkName(part);
  return parts;
}

/** Gives the name of an artifact back. Error: `FOREIGN_INVALID` for one that no directory may hold. */
export function checkName(name: string): string {
  const problem = name.includes('\\') ? 'a name holds a backslash' : entryNameProblem(Buffer.from(name, 'utf8'));
  if (problem === undefined) return name;
  throw sourceInvalid(`the artifact ${JSON.stringify(name.slice(0, 100))} is refused: ${problem}`);
}

/** The error for a store that does not say what it should. */
export function sourceInvalid(reason: string, cause?: unknown): MlvError {
  return new MlvError('FOREIGN_INVALID', reason, {
    hint: 'nothing was imported of it; look at it with MLflow itself',
    ...(cause !== undefined && { cause }),
  });
}

/** The error for artifacts that cannot be reached from here; `absent` where everything was looked at. */
export function unreachable(
  artifacts: string,
  reason: string,
  { hint, absent = false }: { hint: string; absent?: boolean },
): MlvError {
  const shown = redactUrl(artifacts);
  return new MlvError('OBJECT_MISSING', `the artifacts at '${shown}' cannot be read: ${reason}`, {
    hint,
    data: { artifacts: shown, absent },
  });
}
