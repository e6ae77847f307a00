import type { NewFile } from '../git/rewriting.js';
import { ignoreLine, withLines, withoutLines } from '../workspace/git-ignore-file.js';
import { childOf, nameOf, parentOf, type RepositoryPath } from '../workspace/paths.js';

/** A file of the overlay that is text. */
export function textFile(text: string): NewFile {
  return { mode: '100644', text };
}

/**
 * Has Git ignore the tracked paths in the `.gitignore` beside each, where it does not yet; `before` gives the text that
 * such a file has now. Lines in which DVC said the same with other signs go. Gives the files that change.
 */
export function ignoredBeside(
  paths: Iterable<RepositoryPath>,
  before: (file: RepositoryPath) => string | undefined,
): Map<RepositoryPath, string> {
  const names = new Map<RepositoryPath, string[]>();
  for (const path of paths) {
    const file = childOf(parentOf(path), '.gitignore');
    const there = names.get(file);
    if (there) there.push(nameOf(path));
    else names.set(file, [nameOf(path)]);
  }
  const changed = new Map<RepositoryPath, string>();
  for (const [file, found] of names) {
    const text = before(file) ?? '';
    const lines = found.map(ignoreLine);
    const others = found.map(dvcLine).filter((line, at) => line !== lines[at]);
    const after = withLines(others.length > 0 ? withoutLines(text, others) : text, lines);
    if (after !== text) changed.set(file, after);
  }
  return changed;
}

/** The line that DVC writes for a name: gitignore's signs, and two more, escaped. */
function dvcLine(name: string): string {
  return `/${name.replace(/[\\[\]!*#?]/g, '\\$&')}`;
}
