import { MlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import type { FetchRoot } from '../transfer/roots.js';
import { checkout } from '../workspace/checkout.js';
import { Completeness } from '../workspace/completeness.js';
import { ignoreInGit } from '../workspace/git-ignore-file.js';
import { nameOf, type RepositoryPath } from '../workspace/paths.js';
import type { Pointer } from '../workspace/pointer-format.js';
import { writePointers, writeTextFile } from '../workspace/pointer-write.js';
import { loadTargets, pointerPathOf, selectTargets } from '../workspace/pointers.js';
import type { Repository } from '../workspace/repository.js';
import { whileWriting } from './output-locks.js';
import type { RunTools } from './run.js';
import { makeWritable, type RunRequest, writtenPaths } from './run-prepare.js';
import { RECORD_FILE, type RunMetricsFile, type RunOutput } from './run-record.js';
import { rememberRun, type StoredRun } from './run-store.js';
import { saveFiles, saveOutputs } from './save-content.js';

type RestoreTools = Pick<RunTools, 'reporter' | 'signal' | 'stage'>;

/** What a run made, as it can be put back. */
interface Restorable {
  outputs: RunOutput[];
  metrics: (RunMetricsFile & { oid: Oid; size: number })[];
}

/**
 * What of an earlier run answers a request: undefined where it did not make the same things, or kept figures of a whole
 * directory, which cannot be put back.
 */
function restorable(repository: Repository, stored: StoredRun, request: RunRequest): Restorable | undefined {
  const { record, files } = stored;
  const outputs = request.receipt === undefined ? record.outputs : receiptOf(repository, files, request.receipt);
  const wanted = request.receipt === undefined ? request.outputs : [request.receipt];
  if (!samePaths(outputs, wanted) || !samePaths(record.metrics_files, request.metrics)) return undefined;
  const metrics = record.metrics_files.filter((each) => each.oid !== undefined && each.size !== undefined);
  if (metrics.length < record.metrics_files.length) return undefined;
  return { outputs, metrics: metrics as Restorable['metrics'] };
}

function receiptOf({ cache }: Repository, files: StoredRun['files'], path: RepositoryPath): RunOutput[] {
  const oid = files.get(RECORD_FILE);
  return oid === undefined ? [] : [{ path, oid, size: cache.stat(oid)?.size ?? 0 }];
}

function samePaths(found: readonly { path: string }[], wanted: readonly string[]): boolean {
  return JSON.stringify(found.map(({ path }) => path).sort()) === JSON.stringify([...wanted].sort());
}

/** What the cache lacks to restore a run, for a fetch; undefined where the run cannot be restored at all. */
export function lackingFor(repository: Repository, stored: StoredRun, request: RunRequest): FetchRoot[] | undefined {
  const found = restorable(repository, stored, request);
  if (!found) return undefined;
  const completeness = new Completeness(repository.cache, `${repository.cache.directory}/complete`);
  return found.outputs
    .filter(({ oid, files, size }) => completeness.missing(oid, files !== undefined, size).objects > 0)
    .map(({ path, oid, files, size }) => ({ oid, directory: files !== undefined, size, path, below: '' }));
}

/**
 * Puts back what an earlier run of the same made: pointers, outputs, files of metrics. Content of the outputs that is in
 * no object yet is stored first, and told of. Gives the files that a commit should hold. Errors: those of makeWritable and
 * checkout, `OBJECT_MISSING`, `UNSAVED_CHANGES`, `RUN_FAILED` where another process writes the same at this moment.
 */
export function restoreRun(
  repository: Repository,
  { stored, request }: { stored: StoredRun; request: RunRequest },
  tools: RestoreTools,
): Promise<RepositoryPath[]> {
  const found = restorable(repository, stored, request);
  if (!found) throw new RangeError('a run that cannot be restored was to be');
  return whileWriting(repository, writtenPaths(request), () => restore(repository, { stored, request, found }, tools));
}

async function restore(
  repository: Repository,
  { stored, request, found }: { stored: StoredRun; request: RunRequest; found: Restorable },
  tools: RestoreTools,
): Promise<RepositoryPath[]> {
  await makeWritable(repository, request);
  const pathsOf = (each: readonly { path: RepositoryPath }[]): RepositoryPath[] => each.map(({ path }) => path);
  await saveOutputs(repository, pathsOf(found.outputs), { ...tools, pointers: true });
  await saveFiles(repository, pathsOf(found.metrics), tools);
  const targets = found.outputs.map(({ path, oid, size, files, executable }) => {
    const pointer: Pointer = { path: nameOf(path), oid, size, run: stored.run };
    if (files !== undefined) pointer.files = files;
    if (executable) pointer.executable = true;
    return { path, pointer };
  });
  const paths = targets.map(({ path }) => path);
  const ignoring = ignoreInGit(repository, paths);
  await writePointers(repository.layout, targets);
  await bringBack(repository, paths, tools);
  for (const { path, oid } of found.metrics) writeTextFile(repository.layout, path, repository.cache.read(oid));
  rememberRun(repository, stored.run);
  const files = [...new Set([...ignoring, ...paths.map(pointerPathOf)])].sort();
  if (tools.stage ?? repository.settings.stage) await repository.git.stage(files);
  return files;
}

async function bringBack(
  repository: Repository,
  paths: readonly RepositoryPath[],
  { reporter, signal }: Pick<RunTools, 'reporter' | 'signal'>,
): Promise<void> {
  const { targets } = await loadTargets(repository);
  const report = await checkout(repository, selectTargets(targets, paths), {
    clean: true,
    reporter,
    ...(signal && { signal }),
  });
  const [failed] = report.failed;
  if (failed) throw failed.error;
  const [refused] = report.refused;
  if (!refused) return;
  throw new MlvError('UNSAVED_CHANGES', `'${refused.path}' was changed meanwhile, and was kept`, {
    hint: 'wait until the program that writes it is done, then run the same command again',
    data: { paths: report.refused.map(({ path }) => path) },
  });
}
