import type { Oid } from '../objects/oid.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { formatPointer, POINTER_SUFFIX, parsePointer } from '../workspace/pointer-format.js';
import { pointerPathOf, readPointerText, type Target } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';

/** Versions of a pointer in the history of HEAD that are looked at. */
const HISTORY = 200;

/**
 * Of the targets, those whose pointer in the workspace says something that would be lost if it were overwritten: it is
 * neither what is wanted, nor what the index or any commit says, nor made of nothing but registered content.
 */
export async function unsavedPointers(
  repository: Repository,
  targets: readonly Target[],
  isRegistered: (oid: Oid) => boolean,
): Promise<RepositoryPath[]> {
  const doubtful = new Map<RepositoryPath, { path: RepositoryPath; text: string }>();
  for (const { path, text: wanted } of targets) {
    const file = pointerPathOf(path);
    const text = readPointerText(repository.layout, file);
    if (text === undefined || text === wanted || isMadeOf(text, file, isRegistered)) continue;
    doubtful.set(file, { path, text });
  }
  if (doubtful.size === 0) return [];
  const saved = await savedTexts(repository, [...doubtful.keys()]);
  const unsaved: RepositoryPath[] = [];
  for (const [file, { path, text }] of doubtful) {
    if (!saved.get(file)?.has(text) && !(await isInAnyCommit(repository, file))) unsaved.push(path);
  }
  return unsaved;
}

/** True for a pointer that says nothing but a registered oid: it can be made again. */
function isMadeOf(text: string, file: RepositoryPath, isRegistered: (oid: Oid) => boolean): boolean {
  try {
    const pointer = parsePointer(text, file);
    return isRegistered(pointer.oid) && formatPointer(pointer) === text;
  } catch {
    return false;
  }
}

/** Asked last, because all history is looked through: another version's pointer, brought here before. */
async function isInAnyCommit({ git }: Repository, file: RepositoryPath): Promise<boolean> {
  const [found] = await git.hashFiles([file]);
  return found !== undefined && (await git.commitWith(found.blob)) !== undefined;
}

async function savedTexts(
  { git }: Repository,
  files: readonly RepositoryPath[],
): Promise<Map<RepositoryPath, Set<string>>> {
  const head = await git.head();
  const staged = (await git.listFiles({ kind: 'index' }, POINTER_SUFFIX)).filter(({ path }) => files.includes(path));
  const history = head
    ? await git.pathHistory(files, { revisions: [head], limit: HISTORY })
    : new Map<string, string[]>();
  const blobs = await git.readBlobs([...new Set([...staged.map(({ blob }) => blob), ...[...history.values()].flat()])]);
  const textOf = (blob: string): string => blobs.get(blob)?.toString('utf8') ?? '';
  return new Map(
    files.map((file) => {
      const names = [
        ...(history.get(file) ?? []),
        ...staged.filter(({ path }) => path === file).map(({ blob }) => blob),
      ];
      return [file, new Set(names.map(textOf))];
    }),
  );
}
