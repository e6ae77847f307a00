/** Control characters of ASCII and Latin-1, line separators, and the marks that turn the direction of writing. */
export const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

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

/** A character as C writes it: `\n`, or its UTF-8 bytes in octal. */
export function escapedCharacter(character: string): string {
  return SHORT[character] ?? octal(character);
}

function octal(character: string): string {
  return Array.from(Buffer.from(character, 'utf8'), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
