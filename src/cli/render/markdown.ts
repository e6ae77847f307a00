import { escapeControls } from './quote.js';

const PLAIN = /^(?!www\.)[A-Za-z0-9_./+=%-]+(?: [A-Za-z0-9_./+=%-]+)*$/i;

/**
 * A text of somebody else as Markdown that shows it and does nothing: code, in which neither GitHub nor GitLab looks for
 * links, mentions, references, HTML or the bars of a table. At most `limit` characters of it.
 */
export function codeOf(text: string, limit = 80): string {
  const letters = Array.from(escapeControls(text));
  const shown = letters.length > limit ? [...letters.slice(0, limit - 1), '…'] : letters;
  const cut = shown.join('');
  if (PLAIN.test(cut)) return `\`${cut}\``;
  if (cut === '') return '';
  return `<code>${shown.map((letter) => (/[A-Za-z0-9 ]/.test(letter) ? letter : `&#${letter.codePointAt(0)};`)).join('')}</code>`;
}

/** A table of Markdown; cells are Markdown already, without bars or newlines. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map((_, at) => (right.includes(at) ? '---:' : '---'))), ...rows.map(line)];
}
