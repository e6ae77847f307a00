import { MlvError } from '../core/errors.js';
import { readObjects } from './blobs.js';
import type { GitContext } from './context.js';
import { NO_HOOKS } from './no-hooks.js';
import type { NewChange, NewCommit, NewFile } from './rewriting.js';

/** Never written: it names the branch that `git fast-import` works on until it is told to forget it. */
const WORKING_REF = 'refs/mlv/rewriting';
const ARGUMENTS = [...NO_HOOKS, 'fast-import', '--quiet', '--done', '--date-format=raw-permissive'];
/** Commits whose headers are read at once. */
const HEADERS_AT_ONCE = 2000;

/** Writes commits, and gives their names in order; no ref is left behind. Error: `GIT_FAILED`. */
export async function writeCommits(context: GitContext, commits: readonly NewCommit[]): Promise<string[]> {
  if (commits.length === 0) return [];
  const { stdout } = await context.run(ARGUMENTS, { input: commitStream(context, commits) });
  const names = stdout.toString('latin1').split('\n').filter(Boolean);
  if (names.length !== commits.length) throw noAnswer(stdout);
  return names;
}

async function* commitStream(context: GitContext, commits: readonly NewCommit[]): AsyncGenerator<Buffer> {
  for (let start = 0; start < commits.length; start += HEADERS_AT_ONCE) {
    const part = commits.slice(start, start + HEADERS_AT_ONCE);
    const headers = await readObjects(
      context,
      part.map(({ like }) => like),
      ['commit'],
    );
    for (const [at, commit] of part.entries()) {
      yield commitBytes(commit, { mark: start + at + 1, raw: headers.get(commit.like) as Buffer });
    }
  }
  const names = commits.map((_, at) => `get-mark :${at + 1}\n`).join('');
  yield Buffer.from(`reset ${WORKING_REF}\nfrom ${'0'.repeat(commits[0]?.like.length ?? 40)}\n\n${names}done\n`);
}

function commitBytes(commit: NewCommit, { mark, raw }: { mark: number; raw: Buffer }): Buffer {
  const { head, message } = splitCommit(raw);
  const [first, ...others] = commit.parents;
  const lines = head.toString('latin1').split('\n');
  const line = (key: string): string[] => lines.filter((each) => each.startsWith(`${key} `)).slice(0, 1);
  // A branch that has a commit already would become the parent of a commit without one.
  const begin = first === undefined ? [`reset ${WORKING_REF}`] : [];
  const text = [...begin, `commit ${WORKING_REF}`, `mark :${mark}`, ...line('author'), ...line('committer')];
  text.push(...line('encoding'), `data ${message.length}\n`);
  const parents = [
    ...(first === undefined ? [] : [`from :${first + 1}\n`]),
    ...others.map((parent) => `merge :${parent + 1}\n`),
  ];
  return Buffer.concat([
    Buffer.from(text.join('\n'), 'latin1'),
    message,
    Buffer.from(`\n${parents.join('')}`, 'latin1'),
    changesBytes(commit.changes),
    Buffer.from('\n'),
  ]);
}

/** Header and message of a raw commit or tag: views, without the empty line between them. Pure. */
export function splitCommit(raw: Buffer): { head: Buffer; message: Buffer } {
  const end = raw.indexOf('\n\n');
  if (end === -1) return { head: raw, message: Buffer.alloc(0) };
  return { head: raw.subarray(0, end), message: raw.subarray(end + 2) };
}

/** Writes the tree of a commit with some files otherwise, and gives its name. Error: `GIT_FAILED`. */
export async function writeChangedTree(
  context: GitContext,
  base: string,
  changes: readonly NewChange[],
): Promise<string> {
  const input = Buffer.concat([
    Buffer.from(`commit ${WORKING_REF}\ncommitter mlv <mlv> 0 +0000\ndata 0\nfrom ${base}\n`),
    changesBytes(changes),
    Buffer.from(`ls ""\nreset ${WORKING_REF}\nfrom ${'0'.repeat(base.length)}\n\ndone\n`),
  ]);
  const { stdout } = await context.run(ARGUMENTS, { input });
  const match = /^040000 tree ([0-9a-f]{40,64})\t/.exec(stdout.toString('latin1'));
  if (!match) throw noAnswer(stdout);
  return match[1] as string;
}

/** Deletions come first, so that a file may take the place of a directory, or a directory that of a file. */
function changesBytes(changes: readonly NewChange[]): Buffer {
  const parts: Buffer[] = [];
  for (const { path, file } of changes) if (!file) parts.push(Buffer.from(`D ${quoted(path)}\n`, 'latin1'));
  for (const { path, file } of changes) if (file) parts.push(fileBytes(path, file));
  return Buffer.concat(parts);
}

function fileBytes(path: string, file: NewFile): Buffer {
  if ('blob' in file) return Buffer.from(`M ${file.mode} ${file.blob} ${quoted(path)}\n`, 'latin1');
  const bytes = Buffer.from(file.text, 'utf8');
  const head = Buffer.from(`M ${file.mode} inline ${quoted(path)}\ndata ${bytes.length}\n`, 'latin1');
  return Buffer.concat([head, bytes, Buffer.from('\n')]);
}

function quoted(path: string): string {
  const escaped = path.replace(/[\\"]/g, '\\$&').replace(/[\x00-\x1f\x7f]/g, (character) => {
    return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  return `"${escaped}"`;
}

function noAnswer(answer: Buffer): MlvError {
  const data = { answer: answer.toString('latin1').slice(0, 1000) };
  return new MlvError('GIT_FAILED', "'git fast-import' did not name what it wrote", { data });
}
