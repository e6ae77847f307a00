import { existsSync } from 'node:fs';
import { type AddedTarget, type AddResult, add } from '../../workspace/add.js';
import { absolutePath, parentOf, type RepositoryPath } from '../../workspace/paths.js';
import { isDirectoryTarget, loadTargets, pointerPathOf } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { expandPaths } from '../glob.js';
import { getListingsOnTheWay } from '../inner-listings.js';
import { displayer } from '../operands.js';
import { alignColumns } from '../render/table.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv add`: see its declaration. Errors: those of add and expandPaths. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const paths = await expandPaths(repository, args);
  if (paths.some((path) => liesInTracked(repository, path))) {
    const { targets } = await loadTargets(repository);
    await getListingsOnTheWay(session, repository, { targets, paths });
  }
  const { reporter, signal } = session;
  const result = await add(repository, paths, {
    reporter,
    signal,
    ...(typeof options.stage === 'boolean' && { stage: options.stage }),
  });
  return { done: lines(repository, result), notes: await next(repository, result), json: { ...jsonOf(result) } };
}

/** Asks the workspace, and not Git: most paths that are added are tracked themselves, or new. */
function liesInTracked({ layout }: OpenRepository, path: RepositoryPath): boolean {
  for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
    if (existsSync(absolutePath(layout, pointerPathOf(above)))) return true;
  }
  return false;
}

function lines(repository: OpenRepository, { targets }: AddResult): string[] {
  const show = displayer(repository);
  const rows = targets.map(({ path, pointer, state }) => {
    const directory = isDirectoryTarget({ pointer });
    return [state, show(path, directory), formatCount(pointer.files ?? 1, 'file'), formatBytes(pointer.size)];
  });
  return alignColumns(rows, ['left', 'left', 'right', 'right']);
}

async function next(repository: OpenRepository, { files, staged, targets }: AddResult): Promise<string[]> {
  if (staged) return [];
  const unknown = targets.every(({ state }) => state === 'unchanged') ? await missingInGit(repository, files) : files;
  const command = await gitAddCommand(repository, unknown);
  return command === undefined ? [] : ['To record it in Git:', `  ${command}`];
}

async function missingInGit(repository: OpenRepository, files: readonly string[]): Promise<string[]> {
  const known = new Set(await repository.git.trackedFiles(files));
  return files.filter((file) => !known.has(file));
}

function jsonOf({ targets, files, staged }: AddResult): Record<string, unknown> {
  return { targets: targets.map(targetOf), files, staged };
}

function targetOf({ path, pointer, state, read }: AddedTarget): Record<string, unknown> {
  return {
    path,
    pointer: pointerPathOf(path),
    state,
    oid: pointer.oid,
    size: pointer.size,
    ...(pointer.files === undefined ? {} : { files: pointer.files }),
    read: { files: read.items, bytes: read.bytes },
  };
}
