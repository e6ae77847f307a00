import { statSync } from 'node:fs';
import { join } from 'node:path';
import { KIND } from '../objects/tree-format.js';
import type { DirectoryBlock } from './directory-block.js';
import { IgnoreRules } from './ignore-rules.js';
import { LookAhead } from './look-ahead.js';
import type { RepositoryPath } from './paths.js';
import { recordedModes } from './recorded-modes.js';
import type { Repository } from './repository.js';
import { type Walk, type WalkOptions, walkDirectory } from './walk.js';

/**
 * Walks a tracked directory of the repository with everything that a walk needs from it. `recorded` is the digest of the tree
 * that says which files are executable where the disk does not, instead of the pointer's.
 */
export function walkTarget(
  repository: Repository,
  path: RepositoryPath,
  {
    recorded,
    ...options
  }: Pick<WalkOptions, 'previous' | 'onEntries' | 'only' | 'placed' | 'settled'> & { recorded?: Buffer } = {},
): Walk {
  const { layout, cache } = repository;
  const { previous, only, placed, settled } = options;
  const rules = IgnoreRules.forDirectory(layout.worktree, path);
  const modes = recordedModes(repository, path, recorded);
  const isPlain = rules.empty && !only && !placed && !settled && !modes;
  return walkDirectory({
    worktree: layout.worktree,
    directory: path,
    rules,
    objectOfLink: objectOfLink(repository),
    inodeOfObject: (hex) => statSync(cache.pathOfHex(hex), { throwIfNoEntry: false })?.ino,
    ...options,
    modes,
    ahead: previous && isPlain ? LookAhead.begin(previous, `${layout.worktree}/${path}`) : undefined,
  });
}

/** Recognises an absolute link target inside this repository's cache and gives the object's hex digest. */
export function objectOfLink(repository: Repository): (target: string) => string | undefined {
  const folder = join(repository.cache.objectsDirectory, repository.hash.algorithm);
  return (target) => {
    if (!target.startsWith(`${folder}/`)) return undefined;
    const hex = target.slice(folder.length + 1).replace('/', '');
    return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined;
  };
}

/** Calls back for every file (not link) of a block and all blocks below it, with its repository path. */
export function eachFile(
  block: DirectoryBlock,
  path: RepositoryPath,
  visit: (block: DirectoryBlock, index: number, path: RepositoryPath) => void,
): void {
  for (let index = 0; index < block.length; index++) {
    const kind = block.kindAt(index);
    if (kind === KIND.tree)
      eachFile(block.children.get(index) as DirectoryBlock, `${path}/${block.names[index]}`, visit);
    else if (kind !== KIND.link) visit(block, index, path);
  }
}
