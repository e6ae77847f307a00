import { MlvError } from '../core/errors.js';

/** How far a figure may be from another and still count as the same. */
export interface Tolerance {
  /** In the figure's own unit, or a share of the figure that it is compared with; infinite for `any`. */
  amount: number;
  relative: boolean;
}

/** Tolerances of metrics: one for all, and those of single names. */
export interface Tolerances {
  all: Tolerance;
  named: ReadonlyMap<string, Tolerance>;
}

const DEFAULT: Tolerance = { amount: 0.01, relative: true };

/**
 * Reads tolerances: `0.01` (in the metric's unit), `2%` (of the figure that was recorded) or `any`, for all metrics or
 * behind `name=` for one. The last one of a name counts; 1% where nothing is said. Error: `USAGE`.
 */
export function parseTolerances(texts: readonly string[]): Tolerances {
  const named = new Map<string, Tolerance>();
  let all = DEFAULT;
  for (const text of texts) {
    const equals = text.lastIndexOf('=');
    const tolerance = parseTolerance(text.slice(equals + 1).trim());
    if (tolerance === undefined || equals === 0) {
      throw new MlvError('USAGE', `'${text}' is no tolerance`, {
        hint: 'such as: --tolerance 0.5%, --tolerance auc=0.01, --tolerance seconds=any',
      });
    }
    if (equals < 0) all = tolerance;
    else named.set(text.slice(0, equals).trim(), tolerance);
  }
  return { all, named };
}

function parseTolerance(text: string): Tolerance | undefined {
  if (text === 'any') return { amount: Number.POSITIVE_INFINITY, relative: false };
  const [, number, percent] = /^(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)(%?)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return percent === '%'
    ? { amount: Number(number) / 100, relative: true }
    : { amount: Number(number), relative: false };
}

/** The tolerance of one metric. */
export function toleranceOf(name: string, { all, named }: Tolerances): Tolerance {
  return named.get(name) ?? all;
}

/** True where `after` is as near to `before` as the tolerance asks; what binary fractions add to the limit is forgiven. */
export function isWithinTolerance(before: number, after: number, { amount, relative }: Tolerance): boolean {
  if (before === after) return true;
  const limit = relative ? amount * Math.abs(before) : amount;
  return Math.abs(after - before) <= limit * (1 + 1e-9);
}

/** A tolerance as it is written: `1%`, `0.01`, `any`. */
export function formatTolerance({ amount, relative }: Tolerance): string {
  if (!Number.isFinite(amount)) return 'any';
  return relative ? `${Number((amount * 100).toPrecision(12))}%` : String(amount);
}
