import { momentOf } from './column-profile.js';
import type { ColumnProfile, DataProfile } from './data-profile.js';

/** What is other in a table than it was. */
export interface Finding {
  what: 'rows' | 'malformed' | 'added' | 'removed' | 'type' | 'range' | 'nulls' | 'values' | 'shares';
  /** Absent for what concerns the table. */
  column?: string;
  /** True for what a program that was made for the table before may not expect; false for what is only worth knowing. */
  drift: boolean;
  /**
   * Of rows and malformed rows a count, of types and columns a type, of ranges `[min, max]`, of nulls a share from 0 to 1, of
   * values what is there now or no more, of shares those of the values whose share moved.
   */
  before?: unknown;
  after?: unknown;
}

/** What counts as drift. */
export interface DriftLimits {
  /** The share of nulls may change by this much, from 0 to 1, where there were some. */
  nulls: number;
  /** The share of a value may change by this much, from 0 to 1. */
  shares: number;
}

/** What is drift where nobody says otherwise. */
export const DRIFT_LIMITS: DriftLimits = { nulls: 0.01, shares: 0.1 };

/**
 * What is other in one version of a table than in another, columns in the order of the later one. Drift is: columns that came
 * or went or changed their type, values outside the range that was, nulls where there were none or clearly more or fewer,
 * values of a category that came or went, clear shifts among them, malformed rows where there were fewer, and no rows at
 * all. More or fewer rows and a narrower range are told, and are none.
 */
export function driftBetween(before: DataProfile, after: DataProfile, limits: DriftLimits = DRIFT_LIMITS): Finding[] {
  const findings: Finding[] = [];
  if (before.rows !== after.rows) {
    findings.push({ what: 'rows', drift: after.rows === 0, before: before.rows, after: after.rows });
  }
  const [badBefore, badAfter] = [before.malformed.count, after.malformed.count];
  if (badBefore !== badAfter) {
    findings.push({ what: 'malformed', drift: badAfter > badBefore, before: badBefore, after: badAfter });
  }
  const earlier = new Map(before.columns.map((column) => [column.name, column]));
  const later = new Set(after.columns.map(({ name }) => name));
  for (const { name, type } of before.columns) {
    if (!later.has(name)) findings.push({ what: 'removed', column: name, drift: true, before: type });
  }
  for (const column of after.columns) {
    const was = earlier.get(column.name);
    if (!was) findings.push({ what: 'added', column: column.name, drift: true, after: column.type });
    else findings.push(...ofColumn({ ...was, rows: before.rows }, { ...column, rows: after.rows }, limits));
  }
  return findings;
}

/** A column, and of how many rows. */
type Column = ColumnProfile & { rows: number };

function ofColumn(before: Column, after: Column, limits: DriftLimits): Finding[] {
  // Of a table without rows, nothing is known but its columns.
  if (before.rows === 0 || after.rows === 0) return [];
  const found = [nulls(before, after, limits)];
  if (before.type === after.type)
    found.push(range(before, after), values(before, after), shares(before, after, limits));
  else {
    found.unshift({ what: 'type', column: after.name, drift: true, before: before.type, after: after.type });
    if (isNumeric(before) && isNumeric(after)) found.push(range(before, after));
  }
  return found.filter((each) => each !== undefined);
}

function isNumeric({ type }: ColumnProfile): boolean {
  return type === 'int' || type === 'float';
}

function nulls(before: Column, after: Column, limits: DriftLimits): Finding | undefined {
  if (before.nulls === undefined || after.nulls === undefined) return undefined;
  const [was, is] = [before.nulls / before.rows, after.nulls / after.rows];
  const isNew = (was === 0) !== (is === 0);
  if (!isNew && Math.abs(is - was) <= limits.nulls) return undefined;
  return {
    what: 'nulls',
    column: after.name,
    drift: was === 0 || Math.abs(is - was) > limits.nulls,
    before: was,
    after: is,
  };
}

function range(before: ColumnProfile, after: ColumnProfile): Finding | undefined {
  const [was, is] = [endsOf(before), endsOf(after)];
  if (!was || !is || (was[0] === is[0] && was[1] === is[1])) return undefined;
  const finding = { what: 'range' as const, column: after.name, drift: is[0] < was[0] || is[1] > was[1] };
  return { ...finding, before: [before.min, before.max], after: [after.min, after.max] };
}

function endsOf({ min, max }: ColumnProfile): [number, number] | undefined {
  if (typeof min === 'number' && typeof max === 'number') return [min, max];
  return typeof min === 'string' && typeof max === 'string' ? [momentOf(min), momentOf(max)] : undefined;
}

/** Numbers and dates have a range; of them, single values tell nothing. */
const WITH_VALUES = new Set<ColumnProfile['type']>(['string', 'bool', 'mixed']);

function values(before: ColumnProfile, after: ColumnProfile): Finding | undefined {
  const [was, is] = [before.categories, after.categories];
  if (!was || !is || !WITH_VALUES.has(after.type)) return undefined;
  if ('moreThan' in was || 'moreThan' in is) {
    const counts = [was, is].map((each) => ('moreThan' in each ? `more than ${each.moreThan}` : each.values.length));
    if (typeof counts[0] === typeof counts[1]) return undefined;
    return { what: 'values', column: after.name, drift: true, before: counts[0], after: counts[1] };
  }
  const [old, now] = [was.values, is.values].map((each) => new Set(each.map(({ value }) => value))) as [
    Set<string>,
    Set<string>,
  ];
  const gone = [...old].filter((value) => !now.has(value)).sort();
  const come = [...now].filter((value) => !old.has(value)).sort();
  if (gone.length === 0 && come.length === 0) return undefined;
  return { what: 'values', column: after.name, drift: true, before: gone, after: come };
}

/** Shares of the values that are there in both, of all rows with a value. */
function shares(before: Column, after: Column, limits: DriftLimits): Finding | undefined {
  if (!WITH_VALUES.has(after.type)) return undefined;
  const [was, is] = [sharesOf(before), sharesOf(after)];
  const moved = [...was.keys()]
    .filter((value) => Math.abs((is.get(value) ?? Number.NaN) - (was.get(value) ?? Number.NaN)) > limits.shares)
    .sort();
  if (moved.length === 0) return undefined;
  const of = (all: ReadonlyMap<string, number>): Record<string, number> =>
    Object.fromEntries(moved.map((value) => [value, all.get(value) as number]));
  return { what: 'shares', column: after.name, drift: true, before: of(was), after: of(is) };
}

function sharesOf({ categories }: ColumnProfile): Map<string, number> {
  if (!categories || 'moreThan' in categories) return new Map();
  const total = categories.values.reduce((sum, { count }) => sum + count, 0);
  return new Map(categories.values.map(({ value, count }) => [value, count / total]));
}
