import { isMlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import { fitsArguments } from './paths.js';
import { RawLogReader } from './raw-log.js';
import { isPlausible, unknownRevision } from './revisions.js';

/** Which history is looked at, and how far. */
export interface HistoryOptions {
  /** Where the walk starts. */
  revisions: readonly string[];
  /** Versions of each path at most. */
  limit: number;
}

/** `git log` with the settings of the user's that change what it walks or prints set back, one by one. */
export const LOG = ['-c', 'log.showRoot=true', '-c', 'log.follow=false', '-c', 'log.showSignature=false', 'log'];

/** Options that make it print what RawLogReader reads. */
export const RAW = ['--raw', '-z', '-c', '--format=', '--no-abbrev', '--no-renames', '--no-color', '--no-notes'];

/**
 * For each path the distinct blobs it had in the commits reachable from the revisions, newest commit first. All sides
 * of merges count; a renamed file's history begins with the rename. Ends as soon as every path has `limit` versions.
 * Error: `REVISION_UNKNOWN`.
 */
export async function pathHistory(
  context: GitContext,
  paths: readonly string[],
  options: HistoryOptions,
): Promise<Map<string, string[]>> {
  const collector = new HistoryCollector(paths, options.limit);
  if (collector.full || options.revisions.length === 0) return collector.history;
  const unlikely = options.revisions.find((revision) => !isPlausible(revision));
  if (unlikely !== undefined) throw unknownRevision(unlikely);
  // Many pathspecs cost Git more than the whole difference of each commit costs us.
  const pathspecs = fitsArguments(paths) ? ['--', ...paths] : [];
  try {
    await context.run([...LOG, ...RAW, '--full-history', '--stdin', ...pathspecs], {
      input: options.revisions.map((revision) => `${revision}\n`).join(''),
      onStdout: (chunk) => {
        collector.push(chunk);
        return !collector.full;
      },
    });
  } catch (error) {
    if (isMlvError(error, 'GIT_FAILED')) await findUnknown(context, options.revisions, error);
    throw error;
  }
  return collector.history;
}

async function findUnknown(
  context: GitContext,
  revisions: readonly string[],
  cause: Parameters<typeof unknownRevision>[1],
) {
  for (const revision of revisions) {
    const check = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    const { code } = await context.run(check, { accept: [0, 1, 128] });
    if (code !== 0) throw unknownRevision(revision, cause);
  }
}

/** Keeps the newest versions of some paths. */
class HistoryCollector {
  readonly history: Map<string, string[]>;
  private open: number;
  private readonly reader = new RawLogReader(({ path, blob }) => this.add(path, blob));

  constructor(
    paths: readonly string[],
    private readonly limit: number,
  ) {
    this.history = new Map(paths.map((path) => [path, []]));
    this.open = limit > 0 ? this.history.size : 0;
  }

  /** True when no path can take another version. */
  get full(): boolean {
    return this.open === 0;
  }

  push(chunk: Buffer): void {
    this.reader.push(chunk);
  }

  private add(path: string, blob: string): void {
    const versions = this.history.get(path);
    if (!versions || versions.length >= this.limit || versions.includes(blob)) return;
    versions.push(blob);
    if (versions.length === this.limit) this.open -= 1;
  }
}
