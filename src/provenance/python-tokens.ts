/** One piece of Python source. */
export interface PythonToken {
  kind: 'name' | 'number' | 'string' | 'operator';
  /** As written; of a string its value. */
  text: string;
  /** False for bytes and f-strings, whose value is not known without running them. */
  constant: boolean;
}

/** A statement as the language counts it: brackets and backslashes join lines, semicolons part them. */
export interface PythonStatement {
  /** True where nothing stands before it on its line, so that it belongs to the module itself. */
  topLevel: boolean;
  tokens: PythonToken[];
}

/** Space, and comments up to the end of their line. */
const PASSED_OVER = /[ \t\f]+|#[^\n]*/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER =
  /(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?[jJ]?)/y;
const STRING_START = /([A-Za-z]{0,3})("""|'''|"|')/y;
const PREFIXES = /^(?:[bBfFuUtT]?[rR]?|[rR][bBfFtT])$/;
const OPENING = '([{';
const CLOSING = ')]}';

/**
 * The statements of Python source, none of which is run. What cannot be Python (a string without an end, a closing
 * bracket too many) ends the list: what stands before it is given.
 */
export function* pythonStatements(source: string): Generator<PythonStatement> {
  const lexer = new Lexer(source.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n'));
  for (let found = lexer.statement(); found; found = lexer.statement()) yield found;
}

class Lexer {
  private at = 0;
  private depth = 0;
  private tokens: PythonToken[] = [];
  private topLevel: boolean;

  constructor(private readonly text: string) {
    this.topLevel = !this.isIndented();
  }

  /** The next statement, or undefined at the end of what can be understood. */
  statement(): PythonStatement | undefined {
    this.tokens = [];
    const { text } = this;
    while (this.at < text.length) {
      const { topLevel } = this;
      const ended = this.step(text[this.at] as string);
      if (ended === undefined) return undefined;
      if (ended && this.tokens.length > 0) return { topLevel, tokens: this.tokens };
    }
    return this.depth === 0 && this.tokens.length > 0 ? { topLevel: this.topLevel, tokens: this.tokens } : undefined;
  }

  /** Takes one piece of the text. True where it ends a statement, undefined where it cannot be Python. */
  private step(char: string): boolean | undefined {
    if (char === '\n') return this.newline();
    if (char === ';' && this.depth === 0) return this.move(1, true);
    if (char === '\\' && this.text[this.at + 1] === '\n') return this.move(2);
    const passed = this.match(PASSED_OVER);
    if (passed) return this.move(passed[0].length);
    const opening = this.match(STRING_START);
    if (opening && PREFIXES.test(opening[1] as string)) return this.string(opening);
    const word = this.match(NAME) ?? this.match(NUMBER);
    if (word) {
      this.tokens.push({ kind: /^[.\d]/.test(word[0]) ? 'number' : 'name', text: word[0], constant: true });
      return this.move(word[0].length);
    }
    return this.operator(char);
  }

  private newline(): boolean {
    this.move(1);
    if (this.depth > 0) return false;
    this.topLevel = !this.isIndented();
    return true;
  }

  private isIndented(): boolean {
    return /[ \t\f]/.test(this.text[this.at] ?? '');
  }

  private string(opening: RegExpExecArray): false | undefined {
    const [all, prefix = '', quote = ''] = opening;
    const string = readString(this.text, this.at + all.length, { prefix, quote });
    if (!string) return undefined;
    this.tokens.push(string.token);
    this.at = string.end;
    return false;
  }

  private operator(char: string): false | undefined {
    if (OPENING.includes(char)) this.depth += 1;
    if (CLOSING.includes(char)) this.depth -= 1;
    if (this.depth < 0) return undefined;
    this.tokens.push({ kind: 'operator', text: char, constant: true });
    this.move(1);
    return false;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }

  private move<T extends boolean = false>(count: number, ended = false as T): T {
    this.at += count;
    return ended;
  }
}

function readString(
  text: string,
  start: number,
  { prefix, quote }: { prefix: string; quote: string },
): { token: PythonToken; end: number } | undefined {
  const raw = /r/i.test(prefix);
  const constant = !/[bft]/i.test(prefix);
  let from = start;
  let value = '';
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') {
      value += text.slice(from, at);
      const escaped = raw ? { text: text.slice(at, at + 2), length: 2 } : readEscape(text, at);
      value += escaped.text;
      at += escaped.length - 1;
      from = at + 1;
    } else if (text.startsWith(quote, at)) {
      value += text.slice(from, at);
      return { token: { kind: 'string', text: value, constant }, end: at + quote.length };
    } else if (text[at] === '\n' && quote.length === 1) return undefined;
  }
  return undefined;
}

const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  '\n': '',
};
const CODED = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3}))/y;

/** An escape that Python does not know stands for itself, backslash included. */
function readEscape(text: string, at: number): { text: string; length: number } {
  const next = text[at + 1] ?? '';
  const simple = SIMPLE[next];
  if (simple !== undefined) return { text: simple, length: 2 };
  CODED.lastIndex = at;
  const coded = CODED.exec(text);
  if (!coded) return { text: `\\${next}`, length: 2 };
  const hex = coded[1] ?? coded[2] ?? coded[3];
  const point = hex === undefined ? Number.parseInt(coded[4] as string, 8) : Number.parseInt(hex, 16);
  return { text: point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd', length: coded[0].length };
}
