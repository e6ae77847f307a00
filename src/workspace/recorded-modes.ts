import { isMlvError } from '../core/errors.js';
import { isObjectError } from '../objects/object-error.js';
import { digestOf } from '../objects/oid.js';
import type { TreeLoader } from '../objects/tree-diff.js';
import { decodeTree } from '../objects/tree-format.js';
import { isWithin, parentOf, type RepositoryPath } from './paths.js';
import { isDirectoryTarget, parseTarget, pointerPathOf, readPointerText, type Target } from './pointers.js';
import type { Repository } from './repository.js';
import { cacheLoader } from './workspace-trees.js';

/** What the record of a directory says, by name, of what the disk does not tell. */
export interface DirectoryModes {
  executables: ReadonlySet<string>;
  /** Links for which files stand that have the target as their content. */
  links: ReadonlySet<string>;
}

/** The modes of a directory; undefined where its record is not to be had. */
export type RecordedModes = (directory: RepositoryPath) => DirectoryModes | undefined;

const NONE: DirectoryModes = { executables: new Set(), links: new Set() };

/**
 * Where the disk's executable bits say nothing (`core.fileMode` is false), which files of a tracked directory are executable
 * or stand for links: as its pointer has it, or the tree that is given instead. What is not recorded yet is neither, as for Git.
 * Undefined where the bits on the disk are what counts. Errors: `GIT_FAILED`, `FILE_SYSTEM`.
 */
export function recordedModes(repository: Repository, path: RepositoryPath, tree?: Buffer): RecordedModes | undefined {
  if (repository.git.trustsFileMode()) return undefined;
  const target = tree ? undefined : targetAround(repository, path);
  const at = target?.path ?? path;
  const digest = tree ?? (target && isDirectoryTarget(target) ? digestOf(target.pointer.oid) : undefined);
  if (digest === undefined) return () => NONE;
  const levels = new Levels(at, digest, {
    load: cacheLoader(repository.cache),
    makesLinks: repository.git.makesLinks(),
  });
  return (directory) => {
    try {
      return isWithin(directory, at) ? levels.modes(directory) : NONE;
    } catch (error) {
      if (isObjectError(error)) return undefined;
      throw error;
    }
  };
}

/** The directories of a tree, each read when it is asked for: a walk comes from above, and goes through each once. */
class Levels {
  private readonly digests: Map<RepositoryPath, Buffer>;
  private readonly opened = new Set<RepositoryPath>();

  constructor(
    private readonly top: RepositoryPath,
    digest: Buffer,
    private readonly options: { load: TreeLoader; makesLinks: boolean },
  ) {
    this.digests = new Map([[top, digest]]);
  }

  modes(directory: RepositoryPath): DirectoryModes {
    const parent = parentOf(directory);
    if (directory !== this.top && !this.opened.has(parent)) this.modes(parent);
    this.opened.add(directory);
    const digest = this.digests.get(directory);
    if (digest === undefined) return NONE;
    const executables = new Set<string>();
    const links = new Set<string>();
    for (const entry of decodeTree(this.options.load(digest))) {
      if (entry.kind === 'tree') this.digests.set(`${directory}/${entry.name}`, entry.digest);
      else if (entry.kind === 'executable') executables.add(entry.name);
      else if (entry.kind === 'link' && !this.options.makesLinks) links.add(entry.name);
    }
    return { executables, links };
  }
}

/** True for a single file whose pointer says that it is executable. Error: `FILE_SYSTEM`. */
export function isRecordedExecutable(repository: Repository, path: RepositoryPath): boolean {
  return targetOf(repository, path)?.pointer.executable === true;
}

/** The target at a path or around it. */
function targetAround(repository: Repository, path: RepositoryPath): Target | undefined {
  for (let at = path; at !== ''; at = parentOf(at)) {
    const target = targetOf(repository, at);
    if (target) return target;
  }
  return undefined;
}

function targetOf({ layout }: Repository, path: RepositoryPath): Target | undefined {
  const file = pointerPathOf(path);
  const text = readPointerText(layout, file);
  if (text === undefined) return undefined;
  try {
    return parseTarget(file, text);
  } catch (error) {
    // Whoever loads targets says what is wrong with it.
    if (isMlvError(error)) return undefined;
    throw error;
  }
}
