import { nulPieces } from './nul-pieces.js';

const FILE_MODE = /^(?:100644|100755|120000)$/;
const NEWLINE = 10;
const COMMIT = 'commit ';

/** A file as a commit left it. */
export interface RawVersion {
  /** As Git has it; bytes that are no UTF-8 are replaced. */
  path: string;
  /** Object name of the blob, hex. */
  blob: string;
  /** `100644`, `100755`, `120000`. */
  mode: string;
  /** The commit that left it so; empty where the log was asked for none. */
  commit: string;
}

/**
 * Takes the entries of `git log --raw -z -c --format=` apart, in pieces of any size; deletions are passed over. With
 * `--format=tformat:commit %H`, each is told with its commit.
 */
export class RawLogReader {
  /** Takes the next part of the output. */
  readonly push = nulPieces((piece) => this.take(piece));
  private entry: string | undefined;
  private commit = '';

  constructor(private readonly visit: (version: RawVersion) => void) {}

  private take(piece: Buffer): void {
    if (this.entry === undefined) {
      // The first change of a commit stands on a line of its own.
      const text = piece.toString('latin1', piece[0] === NEWLINE ? 1 : 0);
      if (text.startsWith(COMMIT)) this.commit = text.slice(COMMIT.length);
      else if (text !== '') this.entry = text;
      return;
    }
    const version = resultOf(this.entry);
    this.entry = undefined;
    if (version) this.visit({ path: piece.toString('utf8'), commit: this.commit, ...version });
  }
}

/**
 * What a commit made of a path, or undefined where it left no file there. An entry reads
 * `:old-mode new-mode old new status` for a commit with one parent, and has one more colon, mode and blob for each
 * further parent.
 */
function resultOf(entry: string): { mode: string; blob: string } | undefined {
  const parents = /^:*/.exec(entry)?.[0].length ?? 0;
  const fields = entry.slice(parents).split(' ');
  const [mode, blob] = [fields[parents], fields[2 * parents + 1]];
  return mode !== undefined && blob !== undefined && FILE_MODE.test(mode) ? { mode, blob } : undefined;
}
