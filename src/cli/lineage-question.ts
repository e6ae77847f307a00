import { lstatSync } from 'node:fs';
import { isMlvError, MlvError } from '../core/errors.js';
import { isOid } from '../objects/oid.js';
import { type CollectedLineage, collectLineage } from '../provenance/collect-lineage.js';
import { LineageGraph } from '../provenance/lineage.js';
import { lineageVersions } from '../registry/lineage-versions.js';
import { isExplicitReference } from '../registry/reference.js';
import { resolveReference, versionName, viewsInTime } from '../registry/reference-resolve.js';
import { selectedEntry } from '../workspace/list.js';
import { absolutePath, toRepositoryPath } from '../workspace/paths.js';
import { loadTargets, loadTargetsAt, notTracked, selectTargets } from '../workspace/pointers.js';
import { type OpenRepository, openRepository } from './context.js';
import { registryOf } from './open-registry.js';
import { pathAtRevision } from './operands.js';
import { formatCount } from './render/units.js';
import type { Session } from './session.js';

/** A question about lineage, ready to be answered. */
export interface LineageQuestion {
  repository: OpenRepository;
  graph: LineageGraph;
  /** Ids of what was asked about. */
  starts: string[];
  /** What could not be looked at: the answer may lack something. */
  gaps: string[];
}

/**
 * Opens the graph for what the user named: a tracked file or directory, or one inside (`data/a.csv`, `data/a.csv@v1`),
 * an oid, or a version (`fraud@production`). Errors: `PATH_NOT_TRACKED`, `VERSION_UNKNOWN`, `REVISION_UNKNOWN`.
 */
export async function askLineage(session: Session, operand: string): Promise<LineageQuestion> {
  const repository = await openRepository(session);
  const registry = registryOf(session, repository.config.registry.remote, repository.git);
  const view = await registry.viewOrFetch();
  const versions = await lineageVersions(view);
  const isVersion = isExplicitReference(operand) && !isFile(repository, operand);
  if (isVersion) {
    const found = await resolveReference(view, operand, { viewAtTime: viewsInTime(registry) });
    const { artifacts, data } = await found.view.manifest(found.version.model, found.version.version);
    const named = [...artifacts, ...data].map(({ oid, path }) => ({ id: oid, path }));
    const collected = await collectLineage(repository, { versions, asked: named });
    const starts = [versionName(found.version)];
    return { repository, graph: new LineageGraph(collected.facts), starts, gaps: gapsOf(collected) };
  }
  const asked = await contentOf(session, repository, operand).catch(async (error: unknown) => {
    const isModel = isMlvError(error, 'PATH_NOT_TRACKED') && (await view.model(operand)) !== undefined;
    throw isModel ? modelAlone(error, operand) : error;
  });
  const collected = await collectLineage(repository, { versions, asked: [asked] });
  return { repository, graph: new LineageGraph(collected.facts), starts: [asked.id], gaps: gapsOf(collected) };
}

/** A model has many versions, and each came of something else. */
function modelAlone(error: MlvError, model: string): MlvError {
  const hint = `for the newest version of the model: ${model}@latest`;
  return new MlvError('PATH_NOT_TRACKED', error.message, { hint, data: error.data, cause: error });
}

function isFile({ layout }: OpenRepository, operand: string): boolean {
  const path = absolutePath(layout, toRepositoryPath(layout, operand));
  return [path, `${path}.mlv`].some((each) => lstatSync(each, { throwIfNoEntry: false }) !== undefined);
}

async function contentOf(
  session: Session,
  repository: OpenRepository,
  operand: string,
): Promise<{ id: string; path: string; directory?: boolean }> {
  if (isOid(operand) || /^git:[0-9a-f]{40,64}$/.test(operand)) return { id: operand, path: '' };
  const here = await trackedContent(repository, operand);
  if (here) return here;
  const parts = await pathAtRevision(session, repository, operand);
  const there = parts && (await trackedContent(repository, parts.path, parts.revision));
  if (there) return there;
  const blob = await gitContent(repository, operand);
  if (blob) return blob;
  throw notTracked(toRepositoryPath(repository.layout, parts?.path ?? operand));
}

async function trackedContent(
  repository: OpenRepository,
  operand: string,
  revision?: string,
): Promise<{ id: string; path: string; directory?: boolean } | undefined> {
  const { layout, cache } = repository;
  const loaded =
    revision === undefined ? loadTargets(repository) : loadTargetsAt(repository, { kind: 'revision', revision });
  const { targets } = await loaded;
  const path = toRepositoryPath(layout, operand);
  try {
    const selections = selectTargets(targets, [path]);
    const [selection] = selections;
    if (!selection || selections.length > 1) return undefined;
    const entry = selectedEntry(repository, selection);
    if (entry.kind === 'link') return undefined;
    return { id: cache.oid(entry.digest), path, ...(entry.kind === 'tree' && { directory: true }) };
  } catch (error) {
    if (error instanceof MlvError && (error.code === 'PATH_NOT_TRACKED' || error.code === 'PATH_NOT_FOUND'))
      return undefined;
    throw error;
  }
}

/** A file that Git has, such as a script: runs name it by its blob. */
async function gitContent(
  { git, layout }: OpenRepository,
  operand: string,
): Promise<{ id: string; path: string } | undefined> {
  const path = toRepositoryPath(layout, operand);
  const files = await git.listFiles({ kind: 'index' }, path);
  const file = files.find((each) => each.path === path);
  return file && { id: `git:${file.blob}`, path };
}

function gapsOf({ missingRecords, missingTrees }: CollectedLineage): string[] {
  const hint = 'so that the answer may lack something: mlv fetch --all-commits';
  return [
    ...(missingRecords.length > 0
      ? [`${formatCount(missingRecords.length, 'record of a run is', 'records of runs are')} not in the cache, ${hint}`]
      : []),
    ...(missingTrees.length > 0
      ? [
          `${formatCount(missingTrees.length, 'listing of a directory is', 'listings of directories are')} not in the cache, ${hint}`,
        ]
      : []),
  ];
}
