import { type ComparisonOperator, type ConditionDate, isConditionDate, readConditionDate } from './condition-syntax.js';

/** What an expression comes to. */
export type Value = number | string | boolean | null | ConditionDate | readonly Value[];

/** True, false, or undefined where nobody can tell. */
export type Outcome = boolean | undefined;

/** How a comparison came out, and why it could not be made, told with the texts of both sides. */
export interface Compared {
  outcome: Outcome;
  problem?: (left: string, right: string) => string;
}

/**
 * Compares two values. Numbers with numbers, text with text, dates with dates or text that is one. A list equals a single
 * value when any of its items does. Values of different kinds cannot be compared; `null` equals only itself.
 */
export function comparison(operator: ComparisonOperator, left: Value, right: Value): Compared {
  switch (operator) {
    case '==':
      return equality(left, right);
    case '!=':
      return opposite(equality(left, right));
    case 'in':
      return membership(left, right);
    case 'not in':
      return opposite(membership(left, right));
    case 'has':
      return containment(left, right);
    default:
      return order(operator, left, right);
  }
}

function opposite({ outcome, ...rest }: Compared): Compared {
  return { outcome: outcome === undefined ? undefined : !outcome, ...rest };
}

function equality(left: Value, right: Value): Compared {
  if (isList(left) && isList(right)) return { outcome: sameLists(left, right) };
  if (isList(left)) return { outcome: left.some((item) => equality(item, right).outcome === true) };
  if (isList(right)) return { outcome: right.some((item) => equality(left, item).outcome === true) };
  if (left === null || right === null) return { outcome: left === right };
  const dates = datesOf(left, right);
  if (dates) return { outcome: dates[0].start < dates[1].end && dates[1].start < dates[0].end };
  return typeof left === typeof right && !isConditionDate(left) ? { outcome: left === right } : unlike(left, right);
}

function sameLists(left: readonly Value[], right: readonly Value[]): boolean {
  return (
    left.length === right.length && left.every((item, index) => equality(item, right[index] as Value).outcome === true)
  );
}

function membership(left: Value, right: Value): Compared {
  if (!isList(right)) return { outcome: undefined, problem: (_, list) => `${list} is no list` };
  const wanted = isList(left) ? left : [left];
  return { outcome: wanted.some((item) => right.some((each) => equality(item, each).outcome === true)) };
}

function containment(left: Value, right: Value): Compared {
  if (isList(left)) {
    return { outcome: left.some((item) => equality(item, right).outcome === true || isAbbreviated(right, item)) };
  }
  if (typeof left === 'string' && typeof right === 'string') return { outcome: left.includes(right) };
  return { outcome: undefined, problem: (name) => `${name} is neither a list nor text` };
}

/** An oid may be given by its first hex digits, eight at least. */
function isAbbreviated(short: Value, item: Value): boolean {
  const isPrefix = typeof short === 'string' && /^[a-z0-9]+:[0-9a-f]{8,}$/.test(short);
  return isPrefix && typeof item === 'string' && item.startsWith(short);
}

function order(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value): Compared {
  const dates = datesOf(left, right);
  // A day is all of its hours: what is later than a day begins after its end.
  if (dates) return { outcome: datesInOrder(operator, ...dates) };
  const comparable = typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
  return comparable ? { outcome: inOrder(operator, left, right as typeof left) } : unlike(left, right);
}

function datesInOrder(operator: '<' | '<=' | '>' | '>=', left: ConditionDate, right: ConditionDate): boolean {
  if (operator === '<') return left.end <= right.start;
  if (operator === '>') return left.start >= right.end;
  return operator === '<=' ? left.start < right.end : left.end > right.start;
}

function inOrder<T extends number | string>(operator: '<' | '<=' | '>' | '>=', left: T, right: T): boolean {
  if (operator === '<') return left < right;
  if (operator === '>') return left > right;
  return operator === '<=' ? left <= right : left >= right;
}

/** Both sides as dates, where one of them is a date and the other can be read as one. */
function datesOf(left: Value, right: Value): [ConditionDate, ConditionDate] | undefined {
  if (!isConditionDate(left) && !isConditionDate(right)) return undefined;
  const [one, other] = [asDate(left), asDate(right)];
  return one && other && [one, other];
}

function asDate(value: Value): ConditionDate | undefined {
  return typeof value === 'string' ? readConditionDate(value) : isConditionDate(value) ? value : undefined;
}

function unlike(left: Value, right: Value): Compared {
  const [one, other] = [kindOf(left), kindOf(right)];
  const problem = (leftText: string, rightText: string): string =>
    one === other
      ? `${leftText} and ${rightText} are ${one === 'a list' ? 'lists' : one}: they have no order`
      : `${leftText} is ${one}, ${rightText} is ${other}: they cannot be compared`;
  return { outcome: undefined, problem };
}

function kindOf(value: Value): string {
  if (value === null) return 'null';
  if (isList(value)) return 'a list';
  if (typeof value === 'object') return 'a date';
  return { number: 'a number', string: 'text', boolean: 'true or false' }[typeof value as 'number'];
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
