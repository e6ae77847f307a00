import type { Reproduction } from '../reproduce-version.js';
import { escapeControls, quotePath } from './quote.js';
import type { Style } from './style.js';
import { alignColumns } from './table.js';

const WORDS = {
  'bit-identical': 'the same bytes came of it',
  equivalent: 'other bytes, and all metrics are within their tolerance',
  different: 'what came of it is another',
} as const;

/** What came of a reproduction, for people: the verdict, then each output, and the figures where bytes differ. */
export function reproductionLines(
  name: string,
  { verdict, outputs, metrics, environment }: Reproduction,
  style: Style,
): string[] {
  const colour = verdict === 'different' ? style.red : style.green;
  const differs = verdict !== 'bit-identical';
  const rows = [
    ...outputs.map(({ path, before, after, same }) => [
      quotePath(path),
      same ? 'same' : 'OTHER',
      same ? short(after) : `${short(after)}, was ${short(before)}`,
    ]),
    ...metrics.map(({ name: metric, before, after, tolerance, within }) => [
      escapeControls(metric),
      within ? 'within' : differs ? 'BEYOND' : 'beyond',
      `${after ?? 'missing'}, was ${before} (${tolerance})`,
    ]),
    ...environment.map(({ name: fact, before, after }) => [
      escapeControls(fact),
      'other',
      escapeControls(`${after ?? 'none'}, was ${before ?? 'none'}`),
    ]),
  ];
  return [
    `${style.bold(name)}: ${colour(verdict)} (${WORDS[verdict]})`,
    ...alignColumns(rows).map((line) => `  ${line}`),
  ];
}

function short(oid: string): string {
  return oid.slice(0, oid.indexOf(':') + 13);
}
