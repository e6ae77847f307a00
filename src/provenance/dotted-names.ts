import type { ParamValue } from './params.js';

/** Most names that one file, or one version, may have. */
export const MAX_NAMES = 10_000;
/** Longest dotted name, in characters. */
const MAX_NAME_LENGTH = 200;
/** Most values in lists, all lists of a file together. */
const MAX_LISTED = 100_000;
const MAX_DEPTH = 32;
/** Lists in lists. */
const MAX_LIST_DEPTH = 8;
/** Longest text that a parameter may have, in characters. */
const MAX_TEXT_LENGTH = 10_000;

/** What a parser of YAML, JSON, TOML or Python gives: mappings as maps or objects, whole numbers perhaps as bigints. */
export type PlainValue = unknown;

/** A value with its dotted name, before anybody decides whether it can be kept. */
export interface NamedValue {
  name: string;
  value: Exclude<PlainValue, undefined>;
}

/** Refuses with a reason; never returns. */
export type Refuse = (reason: string) => never;

/** Why a dotted name cannot be used, or undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'a name is empty';
  if (name.length > MAX_NAME_LENGTH)
    return `the name '${name.slice(0, 40)}…' is longer than ${MAX_NAME_LENGTH} characters`;
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) return `the name '${name.replace(/\P{L}/gu, '?')}' holds a control character`;
  if (name.split('.').includes('__proto__')) return "a name holds '__proto__'";
  return undefined;
}

/**
 * The leaves of nested mappings by dotted name, in their order: `{model: {depth: 3}}` is `model.depth`. A list is one
 * leaf, but a list that holds mappings is nested, too, by position: `layers.0.size`. `refuse` is called with a reason
 * for two values of one name, for names that cannot be used, and for what is too deep or too much.
 */
export function flatten(root: PlainValue, refuse: Refuse): NamedValue[] {
  const leaves: NamedValue[] = [];
  const seen = new Set<string>();
  const visit = (value: PlainValue, name: string, depth: number): void => {
    if (depth > MAX_DEPTH) refuse(`'${name.slice(0, 60)}…' is nested more than ${MAX_DEPTH} levels deep`);
    const entries = entriesOf(value);
    if (entries) {
      for (const [key, inner] of entries) visit(inner, name === '' ? key : `${name}.${key}`, depth + 1);
      return;
    }
    const problem = nameProblem(name);
    if (problem !== undefined) refuse(problem);
    if (seen.has(name)) refuse(`two values are called '${name}'`);
    seen.add(name);
    leaves.push({ name, value });
    if (leaves.length > MAX_NAMES) refuse(`it holds more than ${MAX_NAMES} names`);
  };
  visit(root, '', 0);
  return leaves;
}

/** True for a mapping, be it a map or a plain object. */
export function isMapping(value: PlainValue): boolean {
  if (value instanceof Map) return true;
  return isObject(value);
}

function isObject(value: PlainValue): value is Record<string, PlainValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function entriesOf(value: PlainValue): Iterable<readonly [string, PlainValue]> | undefined {
  if (value instanceof Map) return [...value].map(([key, inner]) => [String(key), inner] as const);
  if (isObject(value)) return Object.entries(value);
  if (Array.isArray(value) && value.some(isMapping)) return value.map((inner, at) => [String(at), inner] as const);
  return undefined;
}

/**
 * A function that turns leaves into values of parameters. What a number cannot hold becomes text, so that nothing is
 * lost: whole numbers beyond 2^53, dates, `NaN`, `Infinity`. `refuse` is called for what is too large.
 */
export function paramValues(refuse: Refuse): (leaf: NamedValue) => ParamValue {
  let listed = 0;
  const convert = (value: PlainValue, name: string, depth: number): ParamValue => {
    if (Array.isArray(value)) {
      listed += value.length;
      if (listed > MAX_LISTED) refuse(`its lists hold more than ${MAX_LISTED} values`);
      if (depth >= MAX_LIST_DEPTH) refuse(`'${name}' holds lists more than ${MAX_LIST_DEPTH} levels deep`);
      return value.map((inner) => convert(inner, name, depth + 1));
    }
    if (isMapping(value)) return refuse(`'${name}' holds a mapping in a list of lists`);
    if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) {
      return refuse(`the text of '${name}' is longer than ${MAX_TEXT_LENGTH} characters`);
    }
    return scalar(value);
  };
  return ({ name, value }) => convert(value, name, 0);
}

function scalar(value: PlainValue): ParamValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? (Object.is(value, -0) ? 0 : value) : String(value);
    case 'bigint':
      return isSafe(value) ? Number(value) : String(value);
    default:
      if (value instanceof Date) return value.toISOString();
      return null;
  }
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}
