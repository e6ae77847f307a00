import type { Finding } from '../../provenance/drift.js';
import { figure, shortText } from './data-profile.js';
import { alignColumns } from './table.js';

const SHOWN_VALUES = 5;

/** Findings for people: what is drift is marked. */
export function findingLines(findings: readonly Finding[]): string[] {
  return alignColumns(
    findings.map((finding) => [
      finding.drift ? '!' : ' ',
      finding.column === undefined ? '' : shortText(finding.column),
      findingWords(finding),
    ]),
  );
}

/** A finding in words, without the column; texts of the data are made safe for a terminal and cut. */
export function findingWords({ what, before, after }: Finding): string {
  switch (what) {
    case 'rows':
      return `${before} → ${after} rows`;
    case 'malformed':
      return `${before} → ${after} malformed rows`;
    case 'added':
      return `new column, ${after}`;
    case 'removed':
      return `column is gone, was ${before}`;
    case 'type':
      return `${before} → ${after}`;
    case 'range':
      return `range ${ends(before)} → ${ends(after)}`;
    case 'nulls':
      return `nulls ${percent(before)} → ${percent(after)}`;
    case 'values':
      return valueWords(before, after);
    case 'shares':
      return shareWords(before as Record<string, number>, after as Record<string, number>);
  }
}

function ends(range: unknown): string {
  const [min = '', max = ''] = range as [number | string, number | string];
  return `${figure(min)} … ${figure(max)}`;
}

function percent(share: unknown): string {
  return `${figure(Number((Number(share) * 100).toPrecision(3)))} %`;
}

function valueWords(before: unknown, after: unknown): string {
  if (!Array.isArray(before) || !Array.isArray(after)) return `distinct values ${before} → ${after}`;
  const parts = [
    ...(after.length > 0 ? [`new values ${listed(after)}`] : []),
    ...(before.length > 0 ? [`no more ${listed(before)}`] : []),
  ];
  return parts.join('; ');
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, SHOWN_VALUES).map(shortText).join(', ');
  return values.length > SHOWN_VALUES ? `${shown}, and ${values.length - SHOWN_VALUES} more` : shown;
}

function shareWords(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string {
  const names = Object.keys(after);
  const shown = names
    .slice(0, SHOWN_VALUES)
    .map((name) => `${shortText(name)} ${percent(before[name])} → ${percent(after[name])}`);
  const rest = names.length - shown.length;
  return `shares: ${shown.join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`;
}
