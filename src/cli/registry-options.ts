import { MlvError } from '../core/errors.js';
import { parseCondition } from '../registry/condition.js';
import type { Condition } from '../registry/condition-syntax.js';
import { readMoment } from '../registry/reference.js';
import type { RegistryView } from '../registry/registry.js';
import type { Selection } from '../registry/version-list.js';
import { plain } from './render/registry.js';
import { type OptionValue, textOption, type VerbInput } from './verb.js';

/** What to tell where nothing is registered. */
const EMPTY_REGISTRY_NOTE = 'nothing is registered yet; start with: mlv register <model> <artifact...>';

/** The condition of `--where`; undefined without it. Error: `EXPRESSION_INVALID`. */
export function whereOption({ options }: VerbInput): Condition | undefined {
  const text = textOption(options.where);
  return text === undefined ? undefined : parseCondition(text);
}

/** The number of `--limit`; undefined without it. Error: `USAGE`. */
export function limitOption({ options }: VerbInput): number | undefined {
  const text = textOption(options.limit);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new MlvError('USAGE', `'${text}' is no limit`, { hint: 'write a number, such as --limit 10' });
}

/** Texts of an option that may be repeated, and may list several with commas; undefined without it. */
export function namesOption(value: OptionValue): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const names = (value as readonly string[]).flatMap((each) => each.split(',')).map((each) => each.trim());
  return names.filter((each) => each !== '');
}

/** The last moment of the day, or the moment, that `--date` names. Error: `USAGE`. */
export function dateOption({ options }: VerbInput): Date {
  const text = textOption(options.date) ?? '';
  const moment = readMoment(text);
  if (moment) return moment;
  throw new MlvError('USAGE', text === '' ? 'mlv at needs a date' : `'${text}' is no date`, {
    hint: 'write it as --date 2026-03-01 or --date 2026-03-01T10:00:00Z',
  });
}

/** What to say of names that some versions have not, and of comparisons that could not be made. */
export function conditionNotes({ missing, asked, unfit }: Pick<Selection, 'missing' | 'asked' | 'unfit'>): string[] {
  const absent = [...missing].map(([name, count]) =>
    count === asked ? `no version has ${name}` : `${count} of ${asked} versions have no ${name}`,
  );
  return unfit === undefined ? absent : [...absent, `not all could be judged: ${plain(unfit)}`];
}

/** What to tell of an empty registry, or nothing. */
export function emptyNotes(view: Pick<RegistryView, 'tip'>, models: readonly unknown[]): string[] {
  return view.tip === undefined || models.length === 0 ? [EMPTY_REGISTRY_NOTE] : [];
}

/** Columns of the terminal that standard output is; undefined where it is none. */
export function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}
