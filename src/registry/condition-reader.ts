import { conditionError, conditionTokens, type Token } from './condition-tokens.js';

/** Parentheses, brackets, `not` and minus signs may be nested this deep. */
const MAX_CONDITION_DEPTH = 64;

/** The words of a condition, taken one after the other; the last one, `end`, is never passed. */
export class ConditionReader {
  private readonly tokens: readonly Token[];
  private position = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    this.tokens = conditionTokens(text);
  }

  /** The word that comes next. */
  get next(): Token {
    return this.tokens[this.position] as Token;
  }

  get atEnd(): boolean {
    return this.next.kind === 'end';
  }

  /** Whether the word behind the next one is this one. */
  follows(kind: Token['kind'], text: string): boolean {
    const token = this.tokens[this.position + 1];
    return token?.kind === kind && token.text === text;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.position += 1;
    return token;
  }

  /** Takes the next word where it is one of these. */
  takeIf(kind: 'keyword' | 'symbol', ...texts: string[]): Token | undefined {
    return this.next.kind === kind && texts.includes(this.next.text) ? this.take() : undefined;
  }

  /** Reads something one level deeper. Error: `EXPRESSION_INVALID` below the deepest that is allowed. */
  nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > MAX_CONDITION_DEPTH) throw this.fail(this.next, 'it is nested too deeply');
    const value = read();
    this.depth -= 1;
    return value;
  }

  /** The error for a next word that cannot stand there. */
  expected(what: string): Error {
    const { kind, text } = this.next;
    return this.fail(this.next, `expected ${what}, found ${kind === 'end' ? 'the end' : text}`);
  }

  /** The error for what begins at a word. */
  fail(token: Token, problem: string, hint?: string): Error {
    return conditionError(this.text, token.at, { problem, ...(hint === undefined ? {} : { hint }) });
  }
}
