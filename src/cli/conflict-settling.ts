import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, MlvError } from '../core/errors.js';
import type { Better } from '../provenance/metrics.js';
import { checkout } from '../workspace/checkout.js';
import type { CheckoutReport } from '../workspace/checkout-directory.js';
import { type ConflictedPointer, ConflictMemory, type Decisions, targetName } from '../workspace/conflicts.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import { formatPointer } from '../workspace/pointer-format.js';
import type { PointerConflict, PointerSide, PointerSides } from '../workspace/pointer-merge.js';
import { writeTextFile } from '../workspace/pointer-write.js';
import { parseTarget } from '../workspace/pointers.js';
import { removeGone } from '../workspace/remove-gone.js';
import { decideByMetric, type MetricDecision } from './conflict-metric.js';
import type { OpenRepository } from './context.js';
import { mergeHere } from './pointer-merging.js';
import { quotePath } from './render/quote.js';
import type { Session } from './session.js';

/** How a conflict is to be decided. */
export type Settlement = { by: 'ours' | 'theirs' } | { by: 'metric'; metric: string; better: Better | undefined };

/** What became of one pointer in conflict. */
export interface Settled {
  path: RepositoryPath;
  /** Its pointer. */
  file: RepositoryPath;
  /** True where the side that deleted it won. */
  deleted: boolean;
  /** How many conflicts are decided, and which are left; none where it is settled. */
  decided: number;
  open: PointerConflict[];
  /** In words: which side the conflicts were given to. */
  from: string;
  decision?: MetricDecision;
  notes: string[];
  /** What bringing the content to the pointer did, where it is settled. */
  report?: CheckoutReport;
}

/**
 * Decides a pointer in conflict: all that is not decided yet, or with `files` (paths below the directory) these alone. The
 * pointer in the working tree is then what is decided so far; when nothing is left, the content follows. Errors:
 * `PATH_NOT_FOUND` for a file that is not in conflict, `USAGE`, those of mergeHere and decideByMetric.
 */
export async function settle(
  session: Session,
  repository: OpenRepository,
  { conflict, choice, files }: { conflict: ConflictedPointer; choice: Settlement; files: readonly string[] },
): Promise<Settled> {
  if (choice.by === 'metric' && files.length > 0) {
    throw new MlvError('USAGE', '--by-metric decides on a target as a whole, not on single files of it', {
      hint: 'leave the files out, or choose: --ours, --theirs',
    });
  }
  const decision =
    choice.by === 'metric' ? await decideByMetric(session, repository, { conflict, ...choice }) : undefined;
  const winner = decision?.winner ?? (choice.by as 'ours' | 'theirs');
  const { base, ours, theirs } = conflict;
  if (!ours || !theirs || decision) {
    return { ...(await takeWhole(session, repository, { conflict, winner, files })), ...(decision && { decision }) };
  }
  return takeParts(session, repository, { conflict, sides: { base, ours, theirs }, winner, files });
}

/** One side wins as a whole: the pointer, its run and its keys; or its deletion. */
async function takeWhole(
  session: Session,
  repository: OpenRepository,
  { conflict, winner, files }: { conflict: ConflictedPointer; winner: 'ours' | 'theirs'; files: readonly string[] },
): Promise<Settled> {
  const { path, file } = conflict;
  if (files.length > 0) throw notAmong(conflict, files[0] as string, []);
  const result = { path, file, decided: 1, open: [], from: `as ${winner} has it`, notes: [] };
  const side = conflict[winner];
  new ConflictMemory(repository).forget(conflict);
  if (!side) return { ...result, deleted: true, notes: await removeTarget(repository, conflict) };
  const text = formatPointer({ ...side.pointer, path: targetName(file) }, side.text);
  return { ...result, deleted: false, ...(await write(session, repository, { file, text })) };
}

async function takeParts(
  session: Session,
  repository: OpenRepository,
  {
    conflict,
    sides,
    winner,
    files,
  }: { conflict: ConflictedPointer; sides: PointerSides; winner: 'ours' | 'theirs'; files: readonly string[] },
): Promise<Settled> {
  const { path, file } = conflict;
  const memory = new ConflictMemory(repository);
  const before = memory.decisions(conflict);
  const now: Decisions = { ...before, ...Object.fromEntries(files.map((each) => [each, winner])) };
  const decided = ({ path: at }: PointerConflict): 'ours' | 'theirs' | undefined =>
    Object.hasOwn(now, at) && at !== '' ? now[at] : files.length === 0 ? winner : undefined;
  const merged = await mergeHere(session, repository, {
    path,
    name: targetName(file),
    sides,
    choose: (each) => decided(each) ?? 'left',
  });
  const wrong = files.find((each) => !merged.conflicts.some((known) => known.path === each));
  if (wrong !== undefined) throw notAmong(conflict, wrong, merged.conflicts);
  const open = merged.conflicts.filter((each) => !decided(each));
  const from = Object.keys(before).length > 0 ? `the rest as ${winner} has it` : `conflicts as ${winner} has them`;
  const result = { path, file, deleted: false, decided: merged.conflicts.length - open.length, open, from };
  if (open.length > 0) {
    memory.remember(conflict, now);
    writeTextFile(repository.layout, file, merged.text);
    return { ...result, notes: [] };
  }
  const { notes, ...rest } = await write(session, repository, { file, text: merged.text });
  memory.forget(conflict);
  const run = merged.runDropped ? [`${quotePath(path)} is merged content, which no run made`] : [];
  return { ...result, notes: [...run, ...notes], ...rest };
}

function notAmong({ path }: ConflictedPointer, wrong: string, conflicts: readonly PointerConflict[]): MlvError {
  const some = conflicts.slice(0, 5).map((each) => quotePath(each.path || path));
  const more = conflicts.length > some.length ? ', …' : '';
  return new MlvError('PATH_NOT_FOUND', `${quotePath(wrong)} is no file in conflict of ${quotePath(path)}`, {
    hint:
      some.length > 0
        ? `in conflict are: ${some.join(', ')}${more}`
        : 'it is in conflict as a whole: leave the file out',
    data: { path: `${path}/${wrong}` },
  });
}

/** Writes the pointer and brings the content to it; work that is in no object stays. */
async function write(
  session: Session,
  repository: OpenRepository,
  { file, text }: { file: RepositoryPath; text: string },
): Promise<{ notes: string[]; report?: CheckoutReport }> {
  writeTextFile(repository.layout, file, text);
  const target = parseTarget(file, text);
  // As the hooks do: nothing on the way, everything at the end.
  if (isRebasing(repository)) return { notes: ['the content follows at the end of the rebase'] };
  const { reporter, signal } = session;
  const report = await checkout(repository, [{ target, below: '' }], { reporter, signal });
  const missing = report.failed.some(({ error }) => error instanceof MlvError && error.code === 'OBJECT_MISSING');
  return { notes: missing ? [`mlv pull gets what the cache lacks of ${quotePath(target.path)}`] : [], report };
}

function isRebasing({ layout }: OpenRepository): boolean {
  return ['rebase-merge', 'rebase-apply'].some((name) => existsSync(join(layout.gitDir, name)));
}

async function removeTarget(
  repository: OpenRepository,
  { path, file, base, ours, theirs }: ConflictedPointer,
): Promise<string[]> {
  const absolute = absolutePath(repository.layout, file);
  try {
    rmSync(absolute, { force: true });
  } catch (error) {
    throw fileSystemError('remove', absolute, error);
  }
  if (isRebasing(repository)) return ['the content follows at the end of the rebase'];
  const there = [ours, theirs, base].find((side): side is PointerSide => side !== undefined);
  if (!there) return [];
  const { kept } = await removeGone(repository, [{ path, pointer: there.pointer, text: there.text }]);
  return kept.length > 0 ? [`${quotePath(path)} stays: it differs from what the pointer said, or is not saved`] : [];
}
