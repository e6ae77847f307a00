import { MlvError } from '../core/errors.js';

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of a text such as `12h`, `14d` or `2w`. Error: `USAGE`; `flag` is the option it was given with. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d{1,5})([hdw])$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  if (match && unit !== undefined) return Number(match[1]) * unit;
  throw new MlvError('USAGE', `'${text}' is not a duration for ${flag}`, {
    hint: 'write hours, days or weeks: 12h, 14d, 2w',
    data: { value: text },
  });
}
