import { MlvError } from '../core/errors.js';
import type { DataFormat, ProfileOptions } from '../provenance/data-profile.js';
import { DRIFT_LIMITS, type DriftLimits } from '../provenance/drift.js';
import type { Session } from './session.js';
import { textOption, textsOption, type VerbInput } from './verb.js';

/** How many distinct values are counted where nothing else is asked for. */
const CATEGORIES = 50;

/** How a verb is to look at files of rows. Errors: `USAGE`. */
export function profileOptions(session: Session, { options }: VerbInput): ProfileOptions & { format?: DataFormat } {
  const delimiter = textOption(options.delimiter);
  const sample = textOption(options.sample);
  const columns = textsOption(options.columns).flatMap((each) => each.split(','));
  const format = textOption(options.format) as DataFormat | undefined;
  return {
    categories: wholeNumber(textOption(options.categories) ?? String(CATEGORIES), '--categories', 0),
    header: options.header !== false,
    data: options.data !== false,
    signal: session.signal,
    ...(delimiter !== undefined && { delimiter: delimiterOf(delimiter) }),
    ...(sample !== undefined && { sample: wholeNumber(sample, '--sample', 1) }),
    ...(columns.length > 0 && { columns }),
    ...(format !== undefined && { format }),
  };
}

/** What counts as drift: the usual limits, with the share of empty cells that `--tolerance` gives. Error: `USAGE`. */
export function driftLimits({ options }: VerbInput): DriftLimits {
  const text = textOption(options.tolerance);
  if (text === undefined) return DRIFT_LIMITS;
  const nulls = Number(text);
  if (/^\d*\.?\d+$/.test(text) && nulls <= 1) return { ...DRIFT_LIMITS, nulls };
  throw new MlvError('USAGE', `'${text}' is not a share for --tolerance`, {
    hint: 'a number from 0 to 1, such as 0.05',
  });
}

function delimiterOf(text: string): string {
  const delimiter = text === '\\t' || text === 'tab' ? '\t' : text;
  if (delimiter.length === 1 && !/["\r\n]/.test(delimiter)) return delimiter;
  throw new MlvError('USAGE', `'${text}' cannot be a delimiter`, { hint: "one character, such as ';', or tab" });
}

function wholeNumber(text: string, flag: string, least: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= least) return value;
  throw new MlvError('USAGE', `'${text}' is not a number for ${flag}`, { hint: `a whole number from ${least}` });
}
