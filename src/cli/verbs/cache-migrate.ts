import { resolve } from 'node:path';
import { setValue } from '../../config/edit.js';
import { MlvError } from '../../core/errors.js';
import { inShellQuotes } from '../../core/shell-quote.js';
import type { RepositoryLayout } from '../../git/git.js';
import { loadHash } from '../../objects/hash.js';
import { requireApart } from '../../workspace/cache-apart.js';
import { type BegunMove, moveNote } from '../../workspace/cache-move-note.js';
import { movedTo } from '../../workspace/cache-moved.js';
import { type CacheMigration, migrateCache } from '../../workspace/migrate-cache.js';
import { noRepository, openConfig, type Surroundings } from '../context.js';
import { levelFile } from '../levels.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv cache migrate`: see its declaration. Errors: those of migrateCache, `USAGE`, `NOT_A_GIT_REPOSITORY`. */
export async function run(session: Session, { args }: VerbInput): Promise<Result> {
  const { git, config, paths } = await openConfig(session);
  if (!git) throw await noRepository(session, 'the cache of a repository is moved from inside it');
  const { layout } = git;
  const to = resolve(session.cwd, args[0] ?? '');
  const begun = begunMove(layout, config.cache.dir);
  if (begun && begun.to !== to) {
    throw new MlvError('USAGE', `the cache is on its way from '${begun.from}' to '${begun.to}'`, {
      hint: `finish that first: mlv cache migrate ${inShellQuotes(begun.to)}`,
      data: { ...begun },
    });
  }
  const from = begun?.from ?? config.cache.dir;
  if (!begun && from === to) return unchanged(to);
  requireOwnSetting({ git, config, paths });
  requireApart(from, to);
  moveNote.write(layout, { from, to });
  const { reporter, signal } = session;
  const states = await git.worktreeDirectories();
  const moved = await migrateCache({
    ...{ from, to, layout, reporter, signal },
    worktrees: states.map(({ top }) => top),
    gitDirs: states.map(({ gitDir }) => gitDir),
    loadHash: (algorithm) => loadHash(algorithm, config.core.hashImplementation),
    switchTo: (directory) => setValue(levelFile(paths, 'local'), 'cache.dir', { text: directory, home: session.home }),
  });
  moveNote.remove(layout);
  return { done: [...lines(moved)], json: { ...moved }, notes: notesOn(moved) };
}

/** A move that has gone so far that commands find the cache in its new place only; one before that may be given up. */
function begunMove(layout: RepositoryLayout, directory: string): BegunMove | undefined {
  const begun = moveNote.read(layout);
  return begun && (directory === begun.to || movedTo(begun.from) === begun.to) ? begun : undefined;
}

function unchanged(directory: string): Result {
  const nothing = { linked: 0, copied: 0, present: 0, bytes: 0, relinked: 0, removed: false };
  return { done: [`the cache is in ${directory} already`], json: { from: directory, to: directory, ...nothing } };
}

/** What is set for one call, or by a variable, would go on naming the former place. */
function requireOwnSetting({ config }: Surroundings): void {
  const origin = config.origin('cache.dir');
  if (origin?.level !== 'environment' && origin?.level !== 'flags') return;
  throw new MlvError('USAGE', `cache.dir is set by ${origin.where}, which a move of the cache does not change`, {
    hint: 'unset it, and run the same command again',
  });
}

function* lines({ from, to, linked, copied, present, bytes, relinked }: CacheMigration): Generator<string> {
  yield `the cache is in ${to} now, no more in ${from}`;
  yield `${formatCount(linked + copied + present, 'object')}: ${linked} linked, ${copied} copied (${formatBytes(bytes)}), ${present} there before`;
  if (relinked > 0) yield `${formatCount(relinked, 'link')} of working trees follow`;
}

function notesOn({ from, removed }: CacheMigration): string[] {
  return removed ? [] : [`other repositories use ${from}: it stays as it is`];
}
