import { MlvError } from '../core/errors.js';
import { type ConditionDate, readConditionDate } from './condition-syntax.js';

/** Longest condition, in UTF-16 units. */
const MAX_CONDITION_LENGTH = 4096;

/** One word of a condition, and where it begins (an index into the text). */
export type Token = { at: number; text: string } & (
  | { kind: 'number'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'date'; value: ConditionDate }
  | { kind: 'name' | 'stage' | 'keyword' | 'symbol' | 'end' }
);

const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'has', 'contains', 'true', 'false', 'null']);

const DATE = /\d{4}-\d{2}-\d{2}(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?(?![\w.])/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\d_.])/uy;
// `ndcg@10` is the name of a metric: what follows the @ of a stage is never a digit.
const NAME = /[\p{L}_][\p{L}\p{M}\p{N}_]*(?:@\d+)?/uy;
// A hyphen belongs to a stage's name only before a letter, so that `@production-0.01` is a difference.
const STAGE = /@([A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z_][A-Za-z0-9_]*)*)/y;
const SYMBOL = /==|!=|<=|>=|[<>()[\],.+\-*/]/y;
const SPACE = /\s*/y;

const MEANT: Record<string, string> = { '=': '==', '&': 'and', '|': 'or', '!': 'not', '~': 'has', '%': '/ 100' };

/** Cuts a condition into words; the last one is `end`. Error: `EXPRESSION_INVALID` with the column. */
export function conditionTokens(text: string): Token[] {
  if (text.length > MAX_CONDITION_LENGTH) {
    throw new MlvError('EXPRESSION_INVALID', `a condition is at most ${MAX_CONDITION_LENGTH} characters long`, {
      data: { length: text.length },
    });
  }
  const tokens: Token[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    tokens.push(token);
    at = skipSpace(text, at + token.text.length);
  }
  tokens.push({ kind: 'end', at, text: '' });
  return tokens;
}

/** The error for a condition that cannot be understood at a place in its text. */
export function conditionError(
  text: string,
  at: number,
  { problem, hint }: { problem: string; hint?: string },
): MlvError {
  const column = Array.from(text.slice(0, at)).length + 1;
  return new MlvError('EXPRESSION_INVALID', `cannot read the condition '${text}' at column ${column}: ${problem}`, {
    hint: hint ?? "such as: metrics.auc > 0.9 and stage == 'staging' (docs/conditions.md)",
    data: { condition: text, column },
  });
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(text)?.[0].length ?? 0);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function tokenAt(text: string, at: number): Token {
  const first = text[at] as string;
  if (first === '"' || first === "'") return stringAt(text, at);
  const date = match(DATE, text, at)?.[0];
  if (date !== undefined) return dateToken(text, at, date);
  const number = match(NUMBER, text, at)?.[0];
  if (number !== undefined) return numberToken(text, at, number);
  const name = match(NAME, text, at)?.[0];
  if (name !== undefined) return { kind: KEYWORDS.has(name) ? 'keyword' : 'name', at, text: name };
  const stage = match(STAGE, text, at)?.[0];
  if (stage !== undefined) return { kind: 'stage', at, text: stage };
  const symbol = match(SYMBOL, text, at)?.[0];
  if (symbol !== undefined) return { kind: 'symbol', at, text: symbol };
  throw unexpectedCharacter(text, at);
}

function dateToken(text: string, at: number, found: string): Token {
  const value = readConditionDate(found);
  if (value) return { kind: 'date', at, text: found, value };
  throw conditionError(text, at, { problem: `${found} is no date`, hint: 'dates are like 2026-03-01' });
}

function numberToken(text: string, at: number, found: string): Token {
  const value = Number(found);
  if (Number.isFinite(value)) return { kind: 'number', at, text: found, value };
  throw conditionError(text, at, { problem: `${found} is too large a number` });
}

function stringAt(text: string, at: number): Token {
  const quote = text[at] as string;
  let value = '';
  for (let position = at + 1; position < text.length; position += 1) {
    const character = text[position] as string;
    if (character === quote) return { kind: 'string', at, text: text.slice(at, position + 1), value };
    if (character !== '\\') value += character;
    else {
      position += 1;
      const escaped = text[position];
      if (escaped !== quote && escaped !== '\\') {
        throw conditionError(text, position - 1, { problem: `only \\${quote} and \\\\ are known behind a backslash` });
      }
      value += escaped;
    }
  }
  throw conditionError(text, at, { problem: 'the text that begins here has no end', hint: `it ends with ${quote}` });
}

function unexpectedCharacter(text: string, at: number): MlvError {
  const character = String.fromCodePoint(text.codePointAt(at) as number);
  const meant = MEANT[character];
  const problem = /[\d.]/.test(character) ? 'this is no number' : `'${character}' has no meaning here`;
  return conditionError(text, at, { problem, ...(meant === undefined ? {} : { hint: `write ${meant}` }) });
}
