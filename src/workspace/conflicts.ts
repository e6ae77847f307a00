import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileSystemError, isMlvError } from '../core/errors.js';
import { isMapping } from '../core/mapping.js';
import type { GitConflict } from '../git/git.js';
import { isWithin, nameOf, type RepositoryPath } from './paths.js';
import { POINTER_SUFFIX, parseAnyPointer } from './pointer-format.js';
import type { PointerSide } from './pointer-merge.js';
import { isPointerPath } from './pointers.js';
import type { Repository } from './repository.js';
import { readTextFile } from './text-file.js';
import { writeWholeFile } from './write-whole-file.js';

/** A pointer that Git has in conflict; a side that deleted it is undefined, and so is a base that cannot be read. */
export interface ConflictedPointer {
  /** The tracked file or directory. */
  path: RepositoryPath;
  /** Its pointer. */
  file: RepositoryPath;
  base: PointerSide | undefined;
  ours: PointerSide | undefined;
  theirs: PointerSide | undefined;
  /** Names of what is in conflict, the same for as long as this conflict lasts. */
  id: string;
}

/**
 * The pointers that Git's index holds in conflict and that are at, name or lie below one of the paths, or hold one of
 * them; all where none is given. Errors: `POINTER_INVALID` and `FORMAT_TOO_NEW` for a side that cannot be read.
 */
export async function conflictedPointers(
  repository: Repository,
  paths: readonly RepositoryPath[] = [],
): Promise<ConflictedPointer[]> {
  const all = (await repository.git.conflicts(POINTER_SUFFIX)).filter(({ path }) => isPointerPath(path));
  const chosen = all.filter(({ path }) => paths.length === 0 || paths.some((each) => concerns(each, path)));
  const names = chosen.flatMap(({ base, ours, theirs }) => [base, ours, theirs]).filter((each) => each !== undefined);
  const blobs = await repository.git.readBlobs([...new Set(names)]);
  return chosen.map((conflict) => toConflict(conflict, blobs));
}

function concerns(path: RepositoryPath, file: RepositoryPath): boolean {
  const target = file.slice(0, -POINTER_SUFFIX.length);
  return path === file || path === '' || isWithin(target, path) || isWithin(path, target);
}

function toConflict({ path: file, ...names }: GitConflict, blobs: ReadonlyMap<string, Buffer>): ConflictedPointer {
  const side = (name: string | undefined): PointerSide | undefined =>
    name === undefined ? undefined : readSide(blobs.get(name)?.toString('utf8') ?? '', file);
  return {
    path: file.slice(0, -POINTER_SUFFIX.length),
    file,
    base: readBase(names.base === undefined ? '' : (blobs.get(names.base)?.toString('utf8') ?? ''), file),
    ours: side(names.ours),
    theirs: side(names.theirs),
    id: [names.base, names.ours, names.theirs].map((name) => name ?? '-').join(' '),
  };
}

/** A pointer as one side of a merge has it. Errors: `POINTER_INVALID`, `FORMAT_TOO_NEW`. */
export function readSide(text: string, file: RepositoryPath): PointerSide {
  return { pointer: parseAnyPointer(text, file), text };
}

/** What both sides began with: undefined for nothing, and for the outcome of an earlier merge that had conflicts. */
export function readBase(text: string, file: RepositoryPath): PointerSide | undefined {
  if (text === '') return undefined;
  try {
    return readSide(text, file);
  } catch (error) {
    if (isMlvError(error, 'POINTER_INVALID')) return undefined;
    throw error;
  }
}

/** What a pointer at that path names, whatever it was called on either side. */
export function targetName(file: RepositoryPath): string {
  return nameOf(file).slice(0, -POINTER_SUFFIX.length);
}

/** Files of a directory in conflict that somebody has decided on, by their paths below the directory. */
export type Decisions = Readonly<Record<string, 'ours' | 'theirs'>>;

/** Remembers, for this working tree, what was decided of conflicts that are not settled as a whole yet. */
export class ConflictMemory {
  private readonly file: string;

  constructor({ layout }: Repository) {
    this.file = join(layout.gitDir, 'mlv', 'conflicts.json');
  }

  /** What was decided; nothing where the conflict is another one. Error: `FILE_SYSTEM`. */
  decisions({ file, id }: ConflictedPointer): Decisions {
    const entry = this.read()[file];
    return entry?.id === id ? entry.decisions : {};
  }

  /** Errors: `DISK_FULL`, `FILE_SYSTEM`. */
  remember({ file, id }: ConflictedPointer, decisions: Decisions): void {
    try {
      mkdirSync(dirname(this.file), { recursive: true });
    } catch (error) {
      throw fileSystemError('create', dirname(this.file), error);
    }
    writeWholeFile(this.file, `${JSON.stringify({ ...this.read(), [file]: { id, decisions } })}\n`);
  }

  /** Error: `FILE_SYSTEM`. */
  forget({ file }: ConflictedPointer): void {
    const { [file]: gone, ...rest } = this.read();
    if (!gone) return;
    if (Object.keys(rest).length > 0) writeWholeFile(this.file, `${JSON.stringify(rest)}\n`);
    else rmSync(this.file, { force: true });
  }

  private read(): Record<string, { id: string; decisions: Decisions }> {
    const found = readTextFile(this.file, Number.POSITIVE_INFINITY);
    if (!found || 'link' in found) return {};
    try {
      const value: unknown = JSON.parse(found.text);
      return isMapping(value) ? Object.fromEntries(Object.entries(value).filter(isRemembered)) : {};
    } catch {
      // Only this program writes it; a file that is damaged costs the decisions, which can be made again.
      return {};
    }
  }
}

function isRemembered(entry: [string, unknown]): entry is [string, { id: string; decisions: Decisions }] {
  const [, value] = entry;
  if (!isMapping(value) || typeof value.id !== 'string' || !isMapping(value.decisions)) return false;
  return Object.values(value.decisions).every((side) => side === 'ours' || side === 'theirs');
}
