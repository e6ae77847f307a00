import { escapedCharacter, HOSTILE } from './hostile-characters.js';

const PLAIN = /^[A-Za-z0-9_./:=@%+,-]+$/;

/** A word as a POSIX shell reads it back, for commands that the user is told to run: bare where nothing in it needs quotes. */
export function shellQuote(word: string): string {
  return PLAIN.test(word) ? word : inShellQuotes(word);
}

/** As shellQuote, but in quotes whatever is in the word: in a sentence, they show where it begins and ends. */
export function inShellQuotes(word: string): string {
  if (HOSTILE.test(word)) return `$'${Array.from(word, (character) => inAnsiQuotes(character)).join('')}'`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function inAnsiQuotes(character: string): string {
  if (character === "'") return "\\'";
  if (character === '\\') return '\\\\';
  return HOSTILE.test(character) ? escapedCharacter(character) : character;
}
