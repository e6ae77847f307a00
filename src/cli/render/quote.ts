/** Control characters of ASCII and Latin-1, line separators, and the marks that turn the direction of writing. */
const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const HOSTILE_OR_QUOTED = new RegExp(`${HOSTILE.source}|["\\\\]`);
const EACH_HOSTILE = new RegExp(HOSTILE.source, 'g');

const SHORT: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/**
 * A path as Git prints it (core.quotePath off): as it is, or in double quotes with C escapes where it holds quotes,
 * backslashes or anything that a terminal would act on.
 */
export function quotePath(path: string): string {
  if (!HOSTILE_OR_QUOTED.test(path)) return path;
  return `"${Array.from(path, (character) => (HOSTILE_OR_QUOTED.test(character) ? escaped(character) : character)).join('')}"`;
}

/** Text with everything that a terminal would act on made visible; newlines stay where `keepNewlines` is set. */
export function escapeControls(text: string, options: { keepNewlines?: boolean } = {}): string {
  return text.replace(EACH_HOSTILE, (character) =>
    character === '\n' && options.keepNewlines ? character : escaped(character),
  );
}

/** A word as a POSIX shell reads it back: for commands that the user is told to run. */
export function shellQuote(word: string): string {
  if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word)) return word;
  if (HOSTILE.test(word)) return `$'${Array.from(word, (character) => inAnsiQuotes(character)).join('')}'`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function escaped(character: string): string {
  return SHORT[character] ?? octal(character);
}

function inAnsiQuotes(character: string): string {
  if (character === "'") return "\\'";
  if (character === '\\') return '\\\\';
  return HOSTILE.test(character) ? escaped(character) : character;
}

function octal(character: string): string {
  return Array.from(Buffer.from(character, 'utf8'), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
