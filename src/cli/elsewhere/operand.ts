import { isMlvError, MlvError } from '../../core/errors.js';
import { isExplicitReference, tryReference } from '../../registry/reference.js';
import {
  type CommittedFile,
  elsewherePath,
  isRegular,
  type PathCandidates,
  pathCandidates,
} from '../../workspace/elsewhere-path.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import { parseTarget, pointerPathOf, type Selection, selectTargets, type Target } from '../../workspace/pointers.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import { type ElsewhereRepository, openElsewhere } from './open.js';
import { type ElsewhereVersion, elsewhereVersion } from './version.js';

/** What a user asked for of a repository elsewhere. */
export interface ElsewhereContent {
  repository: ElsewhereRepository;
  /** The path that was asked for; undefined for a version, whose paths are those of its targets. */
  path: RepositoryPath | undefined;
  version?: ElsewhereVersion;
  selections: Selection[];
  /** Files that Git itself holds. */
  gitFiles: CommittedFile[];
  /** Pointers that could not be read. */
  problems: MlvError[];
}

export interface ElsewhereOperand {
  url: string;
  /** A path, or a reference to a version. */
  operand: string;
  revision: string | undefined;
  /** Absolute path of a directory that is this command's own. */
  directory: string;
  /** Whether contents that Git itself holds are wanted. */
  contents: boolean;
  /** Whether a version may be meant. */
  versions: boolean;
  artifactsOnly?: boolean;
  key?: string | undefined;
  base?: string;
  own?: OpenRepository;
}

/**
 * Finds what an operand names in a repository elsewhere: a path of it, or else a version of its registry. Errors:
 * `PATH_NOT_FOUND`, those of openElsewhere and elsewhereVersion.
 */
export async function elsewhereContent(session: Session, wanted: ElsewhereOperand): Promise<ElsewhereContent> {
  const { operand, contents } = wanted;
  const registry = wanted.versions && tryReference(operand) !== undefined;
  let path: RepositoryPath | undefined;
  try {
    path = elsewherePath(operand);
  } catch (error) {
    if (!registry || !isMlvError(error, 'PATH_OUTSIDE_REPOSITORY')) throw error;
  }
  let found: PathCandidates = { pointers: [], below: [] };
  const choose = (files: readonly CommittedFile[]): CommittedFile[] => {
    found = path === undefined ? found : pathCandidates(files, path);
    return [...found.pointers, ...(contents ? plainFiles(found, path ?? '') : [])];
  };
  const repository = await openElsewhere(session, { ...wanted, registry, choose });
  const isPath = found.pointers.length > 0 || found.file !== undefined || found.below.length > 0 || path === '';
  if (registry && wanted.key !== undefined) return ofVersion(repository, wanted);
  if (isPath && path !== undefined) return atPath(repository, found, path);
  if (registry && isExplicitReference(operand)) {
    if (repository.registryTip === undefined) throw noRegistry(repository, operand);
    return ofVersion(repository, wanted);
  }
  if (!registry || repository.registryTip === undefined) throw notThere(repository, operand);
  try {
    return await ofVersion(repository, wanted);
  } catch (error) {
    // A word that names no model was most likely meant for a path.
    throw isMlvError(error, 'MODEL_UNKNOWN') ? notThere(repository, operand, error) : error;
  }
}

async function ofVersion(repository: ElsewhereRepository, wanted: ElsewhereOperand): Promise<ElsewhereContent> {
  const { operand, artifactsOnly = false, key } = wanted;
  const version = await elsewhereVersion(repository, operand, { artifactsOnly, key });
  const selections = version.targets.map((target) => ({ target: withoutRun(target), below: '' }));
  return { repository, path: undefined, version, selections, gitFiles: [], problems: [] };
}

async function atPath(
  repository: ElsewhereRepository,
  found: PathCandidates,
  path: RepositoryPath,
): Promise<ElsewhereContent> {
  const { targets, problems } = await readPointers(repository, found.pointers);
  const isTarget = targets.some((each) => each.path === path || pointerPathOf(each.path) === path);
  if (found.file && !isTarget) {
    return { repository, path, selections: [], gitFiles: [found.file], problems: [] };
  }
  const own = problems.find(({ data }) => data.path === pointerPathOf(path) || data.path === path);
  if (own) throw own;
  const gitFiles = plainFiles(found, path);
  if (targets.length === 0 && gitFiles.length === 0) {
    if (path === '') return { repository, path, selections: [], gitFiles, problems };
    throw problems[0] ?? notThere(repository, path);
  }
  const selections = targets.length === 0 ? [] : selectTargets(targets, [path]);
  const byPointer = selections.find(({ target }) => pointerPathOf(target.path) === path);
  return { repository, path: byPointer?.target.path ?? path, selections, gitFiles, problems };
}

/** Files of Git's that a path stands for: itself, or where no pointer says otherwise all below it. */
function plainFiles({ pointers, file, below }: PathCandidates, path: RepositoryPath): CommittedFile[] {
  if (file) return isRegular(file) && pointers.some((each) => each.path === path) ? [] : [file];
  return pointers.some((each) => each.path === pointerPathOf(path)) ? [] : below;
}

async function readPointers(
  { git }: ElsewhereRepository,
  pointers: readonly CommittedFile[],
): Promise<{ targets: Target[]; problems: MlvError[] }> {
  const blobs = await git.readBlobs(pointers.map(({ blob }) => blob));
  const targets: Target[] = [];
  const problems: MlvError[] = [];
  for (const { path, blob } of pointers) {
    try {
      targets.push(withoutRun(parseTarget(path, blobs.get(blob)?.toString('utf8') ?? '')));
    } catch (error) {
      if (!isMlvError(error)) throw error;
      problems.push(error);
    }
  }
  return { targets, problems };
}

/** The record of the run that made something is not asked for with it. */
function withoutRun(target: Target): Target {
  const { run: _run, ...pointer } = target.pointer;
  return { ...target, pointer };
}

function noRegistry({ address }: ElsewhereRepository, operand: string): MlvError {
  return new MlvError('MODEL_UNKNOWN', `nothing is registered in ${address.shown}, so it has no '${operand}'`, {
    hint: `see what it tracks: mlv ls ${address.shown}   (a registry that was never sent is sent by its owner: mlv registry push)`,
    data: { reference: operand, url: address.shown },
  });
}

function notThere({ address, commit }: ElsewhereRepository, operand: string, cause?: unknown): MlvError {
  return new MlvError('PATH_NOT_FOUND', `${address.shown} has no '${operand}' at ${commit.slice(0, 10)}`, {
    hint: `see what it tracks: mlv ls ${address.shown}`,
    data: { path: operand, url: address.shown, commit },
    cause,
  });
}
