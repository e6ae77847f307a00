import type { GitContext } from './context.js';
import { nulPieces } from './nul-pieces.js';
import type { ChainChange, ChainEntry } from './plumbing.js';

/** `git log` along first parents with whatever the user's configuration could change set back. */
const CHAIN = [
  '--no-replace-objects',
  ...['-c', 'log.showRoot=true', '-c', 'log.showSignature=false', '-c', 'core.commitGraph=false', 'log'],
  ...['--first-parent', '--diff-merges=first-parent', '--raw', '-z', '--no-renames', '--no-abbrev', '--no-color'],
  ...['--no-notes', '--no-ext-diff', '--ignore-submodules=none', '--format=tformat:commit %H'],
];

/**
 * Every commit from the first one to `tip` along first parents, oldest first, with what it changed; with `paths`, only
 * the commits that touched these, and only what they did there. One Git process. Error: `GIT_FAILED`.
 */
export async function chainLog(context: GitContext, tip: string, paths: readonly string[] = []): Promise<ChainEntry[]> {
  const reader = new ChainReader();
  await context.run([...CHAIN, '--end-of-options', tip, '--', ...paths], {
    onStdout: (chunk) => {
      reader.push(chunk);
      return true;
    },
  });
  return reader.entries.reverse();
}

/** Takes the output apart, in pieces of any size. */
class ChainReader {
  readonly entries: ChainEntry[] = [];
  readonly push = nulPieces((piece) => this.take(piece.toString('utf8')));
  private change: ChainChange | undefined;

  private take(piece: string): void {
    if (this.change) {
      this.entries.at(-1)?.changes.push({ ...this.change, path: piece });
      this.change = undefined;
      return;
    }
    // The first change of a commit stands on a line of its own.
    const text = piece.startsWith('\n') ? piece.slice(1) : piece;
    if (text.startsWith('commit ')) this.entries.push({ commit: text.slice('commit '.length), changes: [] });
    else if (text.startsWith(':')) this.change = changeOf(text);
  }
}

function changeOf(entry: string): ChainChange {
  const [, mode = '', , blob = '', status = ''] = entry.slice(1).split(' ');
  if (status === 'D') return { path: '', kind: 'deleted' };
  return { path: '', kind: status === 'A' ? 'added' : 'changed', blob, mode };
}
