import { lstatSync, rmSync } from 'node:fs';
import { withLock } from '../config/lock-file.js';
import { fileSystemError, MlvError } from '../core/errors.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { absolutePath, childOf, nameOf, parentOf, type RepositoryPath } from './paths.js';
import { writeTextFile } from './pointer-write.js';
import type { Repository } from './repository.js';
import { GIT_FILE_LIMIT, readWholeTextFile } from './text-file.js';

/**
 * The line of a `.gitignore` that ignores exactly one name of its own directory. A newline cannot be written there and
 * becomes `?`, which matches any one character. Follows gitignore(5).
 */
export function ignoreLine(name: string): string {
  const escaped = name.replace(/[\\*?[\]]/g, '\\$&').replace(/[\n\r]/g, '?');
  return `/${escaped.replace(/ +$/, (spaces) => '\\ '.repeat(spaces.length))}`;
}

/** The text with the lines added at its end that are not there already. */
export function withLines(text: string, lines: readonly string[]): string {
  const there = new Set(text.split(/\r?\n/));
  const added = [...new Set(lines)].filter((line) => !there.has(line));
  if (added.length === 0) return text;
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${added.join('\n')}\n`;
}

/** The text without these lines, however they end (LF or CRLF); all else stays as it is. Pure. */
export function withoutLines(text: string, lines: readonly string[]): string {
  const gone = new Set(lines);
  return text
    .split('\n')
    .filter((each) => !gone.has(each.replace(/\r$/, '')))
    .join('\n');
}

/** Makes Git ignore the tracked paths through the `.gitignore` beside each, written once. Gives the files' paths. */
export function ignoreInGit(repository: Repository, paths: readonly RepositoryPath[]): RepositoryPath[] {
  const files = linesByFile(paths);
  for (const [file, lines] of files) {
    const text = (): string => readIgnoreFile(repository, file) ?? '';
    const before = text();
    if (withLines(before, lines) === before) continue;
    withLock(lockOf(repository), () => writeTextFile(repository.layout, file, withLines(text(), lines)));
  }
  return [...files.keys()];
}

/** Takes the paths' lines out of the `.gitignore` beside each; an empty file goes. */
export function unignoreInGit(repository: Repository, paths: readonly RepositoryPath[]): void {
  for (const [file, lines] of linesByFile(paths)) {
    withLock(lockOf(repository), () => {
      const found = readWholeTextFile(absolutePath(repository.layout, file), GIT_FILE_LIMIT);
      if (!found || 'link' in found) return;
      const before = found.text;
      const after = withoutLines(before, lines);
      if (after === before) return;
      if (after !== '') writeTextFile(repository.layout, file, after);
      else removeFile(absolutePath(repository.layout, file));
    });
  }
}

/** Brings Git's index to the `.gitignore` beside each path, also where that is gone. */
export async function stageIgnoreFiles(repository: Repository, paths: readonly RepositoryPath[]): Promise<void> {
  const files = [...new Set(paths.map(ignoreFileOf))];
  const there = files.filter((file) => lstatSync(absolutePath(repository.layout, file), { throwIfNoEntry: false }));
  const gone = files.filter((file) => !there.includes(file));
  if (gone.length > 0) await repository.git.unstage(gone);
  if (there.length > 0) await repository.git.stage(there);
}

/** A link is not followed, as Git does not: its content, which may be private, would become a file of the repository. */
function readIgnoreFile({ layout }: Repository, file: RepositoryPath): string | undefined {
  const found = readWholeTextFile(absolutePath(layout, file), GIT_FILE_LIMIT);
  if (!found || 'text' in found) return found?.text;
  throw new MlvError('PATH_UNSUPPORTED', `'${file}' is a symbolic link, which Git does not follow, and mlv neither`, {
    hint: `put a file in its place: rm ${inShellQuotes(file)}`,
    data: { path: file },
  });
}

function linesByFile(paths: readonly RepositoryPath[]): Map<RepositoryPath, string[]> {
  const files = new Map<RepositoryPath, string[]>();
  for (const path of paths) {
    const lines = files.get(ignoreFileOf(path));
    if (lines) lines.push(ignoreLine(nameOf(path)));
    else files.set(ignoreFileOf(path), [ignoreLine(nameOf(path))]);
  }
  return files;
}

/** Two commands that change one ignore file at once must not lose each other's line. */
function lockOf(repository: Repository): string {
  return `${repository.layout.gitDir}/mlv/ignore-files.lock`;
}

function ignoreFileOf(path: RepositoryPath): RepositoryPath {
  return childOf(parentOf(path), '.gitignore');
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw fileSystemError('remove', path, error);
  }
}
