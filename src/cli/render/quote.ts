import { escapedCharacter, HOSTILE } from '../../core/hostile-characters.js';

const HOSTILE_OR_QUOTED = new RegExp(`${HOSTILE.source}|["\\\\]`);
const EACH_HOSTILE = new RegExp(HOSTILE.source, 'g');

/**
 * A path as Git prints it (core.quotePath off): as it is, or in double quotes with C escapes where it holds quotes,
 * backslashes or anything that a terminal would act on.
 */
export function quotePath(path: string): string {
  if (!HOSTILE_OR_QUOTED.test(path)) return path;
  return `"${Array.from(path, (character) => (HOSTILE_OR_QUOTED.test(character) ? escapedCharacter(character) : character)).join('')}"`;
}

/** Text with everything that a terminal would act on made visible; newlines stay where `keepNewlines` is set. */
export function escapeControls(text: string, options: { keepNewlines?: boolean } = {}): string {
  return text.replace(EACH_HOSTILE, (character) =>
    character === '\n' && options.keepNewlines ? character : escapedCharacter(character),
  );
}
