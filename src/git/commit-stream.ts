import type { GitContext } from './context.js';
import { nulPieces } from './nul-pieces.js';
import type { RewriteChange, RewriteCommit } from './rewriting.js';

/** `git log` over whole histories, with whatever the user's configuration could change set back. */
const ALL = [
  '--no-replace-objects',
  ...['-c', 'log.showRoot=true', '-c', 'log.showSignature=false', '-c', 'log.follow=false', 'log'],
  ...['--topo-order', '--reverse', '--diff-merges=first-parent', '--raw', '-z', '--no-renames', '--no-abbrev'],
  ...['--no-color', '--no-notes', '--no-ext-diff', '--ignore-submodules=none', '--format=tformat:commit %H %P'],
];
const COLON = 0x3a;
const LINE_FEED = 0x0a;
const COMMIT = Buffer.from('commit ');

/** Every commit that leads to the tips, parents before children, with what each changed. One Git process. */
export async function streamCommits(context: GitContext, tips: readonly string[]): Promise<RewriteCommit[]> {
  if (tips.length === 0) return [];
  const reader = new CommitReader();
  await context.run([...ALL, '--stdin'], {
    input: tips.map((tip) => `${tip}\n`).join(''),
    onStdout: (chunk) => {
      reader.push(chunk);
      return true;
    },
  });
  return reader.commits;
}

/** Takes the output apart, in pieces of any size. */
class CommitReader {
  readonly commits: RewriteCommit[] = [];
  readonly push = nulPieces((piece) => this.take(piece));
  private change: Omit<RewriteChange, 'path'> | undefined;

  private take(piece: Buffer): void {
    if (this.change) {
      this.commits.at(-1)?.changes.push({ ...this.change, path: piece.toString('latin1') });
      this.change = undefined;
      return;
    }
    // The first change of a commit stands on a line of its own.
    const text = piece[0] === LINE_FEED ? piece.subarray(1) : piece;
    if (text[0] === COLON) this.change = changeOf(text.toString('latin1'));
    else if (text.subarray(0, COMMIT.length).equals(COMMIT)) {
      const [, commit = '', ...parents] = text.toString('latin1').split(' ');
      this.commits.push({ commit, parents: parents.filter(Boolean), changes: [] });
    }
  }
}

function changeOf(entry: string): Omit<RewriteChange, 'path'> {
  const [, mode = '', , blob = '', status = ''] = entry.slice(1).split(' ');
  return status.startsWith('D') ? { mode: undefined, blob: '' } : { mode, blob };
}
