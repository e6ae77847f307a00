import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import type { Reporter } from '../core/reporter.js';
import { absolutePath, type RepositoryPath } from '../workspace/paths.js';
import type { Repository } from '../workspace/repository.js';
import type { RunRequest } from './run-prepare.js';
import { saveFiles, saveOutputs } from './save-content.js';

/** What stood at the outputs of a run before its command: set aside, or watched where it is. */
export interface OutputsBefore {
  /** Outputs that begin with nothing: what is there after the command is all of it. */
  anew: readonly RepositoryPath[];
  /** Ends with `RUN_FAILED` for an output that was there before and that the command did not write. */
  requireWritten(): void;
  /** The command was recorded: what was set aside goes. */
  drop(): void;
  /** Nothing was recorded: what was set aside comes back where the command left nothing in its place. */
  putBack(): void;
}

/**
 * Takes the outputs away before a command, so that what is there afterwards is what it wrote: content that is in no object
 * is stored first, and told of. With `keepOutputs` they stay, and are only looked at; a directory of metrics always stays.
 * Errors: those of add, `FILE_SYSTEM`.
 */
export async function takeOutputs(
  repository: Repository,
  request: RunRequest,
  tools: { reporter: Reporter; signal?: AbortSignal },
): Promise<OutputsBefore> {
  const there = [...request.outputs, ...request.metrics].filter((path) => statOf(repository, path) !== undefined);
  const absent = request.outputs.filter((path) => !there.includes(path));
  if (request.keepOutputs) return watched(repository, there, { anew: absent, aside: [] });
  const isFigures = (path: RepositoryPath): boolean => request.metrics.includes(path);
  const stays = there.filter((path) => isFigures(path) && statOf(repository, path)?.isDirectory());
  const goes = there.filter((path) => !stays.includes(path));
  await saveOutputs(
    repository,
    goes.filter((path) => !isFigures(path)),
    { ...tools, pointers: false },
  );
  await saveFiles(repository, goes.filter(isFigures), tools);
  const aside: Aside[] = [];
  const before = watched(repository, stays, { anew: request.outputs, aside });
  try {
    for (const path of goes) aside.push(setAside(repository, path));
  } catch (error) {
    before.putBack();
    throw error;
  }
  return before;
}

interface Aside {
  path: string;
  /** Undefined where it could only be removed: its content is in the cache. */
  place: string | undefined;
}

/** Moved beside the cache, which removes there what killed processes left. */
function setAside({ layout, cache }: Repository, path: RepositoryPath): Aside {
  const absolute = absolutePath(layout, path);
  const place = cache.temporary.next();
  try {
    renameSync(absolute, place);
    return { path: absolute, place };
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw fileSystemError('set aside', absolute, error);
  }
  remove(absolute);
  return { path: absolute, place: undefined };
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw fileSystemError('remove', path, error);
  }
}

function watched(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { anew, aside }: { anew: readonly RepositoryPath[]; aside: readonly Aside[] },
): OutputsBefore {
  const marks = new Map(paths.map((path) => [path, markOf(absolutePath(repository.layout, path))]));
  return {
    anew,
    requireWritten: () => {
      for (const [path, mark] of marks) {
        if (markOf(absolutePath(repository.layout, path)) === mark) throw notWritten(path);
      }
    },
    drop: () => {
      for (const { place } of aside) if (place !== undefined) remove(place);
    },
    putBack: () => {
      for (const { path, place } of aside) {
        if (place === undefined) continue;
        if (lstatSync(path, { throwIfNoEntry: false })) remove(place);
        else renameSync(place, path);
      }
    },
  };
}

/** Changes with whatever is written to a file, or to anything in a directory: inode and time of the last change of each. */
function markOf(path: string): string {
  const hash = createHash('sha256');
  const visit = (current: string, name: string): void => {
    const stat = lstatSync(current, { bigint: true, throwIfNoEntry: false });
    hash.update(`${name}\0${stat?.ino}\0${stat?.ctimeNs}\0${stat?.size}\n`);
    if (stat?.isDirectory())
      for (const each of readdirSync(current).sort()) visit(join(current, each), `${name}/${each}`);
  };
  try {
    visit(path, '');
  } catch (error) {
    throw fileSystemError('look at', path, error);
  }
  return hash.digest('hex');
}

function statOf({ layout }: Repository, path: RepositoryPath): ReturnType<typeof lstatSync> | undefined {
  return lstatSync(absolutePath(layout, path), { throwIfNoEntry: false });
}

function notWritten(path: RepositoryPath): MlvError {
  return new MlvError(
    'RUN_FAILED',
    `the command ended well, but did not write '${path}': what is there is from before`,
    {
      hint: 'nothing was recorded; where it is to be made anew, remove it first',
      data: { paths: [path] },
    },
  );
}
