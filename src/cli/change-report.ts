import { isMlvError, MlvError } from '../core/errors.js';
import { type FigureChange, figureChanges, type MetricChange } from '../provenance/figure-changes.js';
import { type FiguresAt, figuresAt } from '../provenance/figures-at.js';
import type { ParamValue } from '../provenance/params.js';
import { formatOfName } from '../provenance/profile-file.js';
import { findRun } from '../provenance/run-store.js';
import { versionName } from '../registry/reference-resolve.js';
import type { ChangeTotals, PathChange } from '../workspace/change-report.js';
import { compareStates } from '../workspace/compare.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { isWithin } from '../workspace/paths.js';
import { loadTargetsAt, selectTargets, type Target } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { getListings } from './listings.js';
import { registryOf } from './open-registry.js';
import { bringObjects } from './restored-version.js';
import { type SchemaDifference, type SchemaQuestion, schemaDifference } from './schema-difference.js';
import type { Session } from './session.js';

/** More commits than this are no pull request; versions on older ones are left out. */
const MAX_COMMITS = 10_000;
const MAX_TABLES = 20;

/** A side of a report. */
export interface ReportSide {
  revision: string;
  commit: string;
}

/** How a tracked file or directory is other than it was. */
export interface TargetChange {
  path: RepositoryPath;
  change: 'added' | 'removed' | 'changed';
  bytes: { before: number; after: number };
  /** Of directories. */
  files?: { before: number; after: number };
  /** File by file; absent where a listing is not to be had. */
  changes?: PathChange[];
}

/** What a branch changes: what a reviewer of it needs to know beside the code. */
export interface ChangeReport {
  base: ReportSide;
  head: ReportSide;
  data: TargetChange[];
  totals?: ChangeTotals;
  params: FigureChange<ParamValue>[];
  metrics: MetricChange[];
  unchanged: { params: number; metrics: number };
  /** Of tables of rows, where asked. */
  schemas: SchemaDifference[];
  /** Versions that were registered on the commits. */
  versions: { name: string; commit: string; stages: string[]; deprecated: boolean }[];
  /** What could not be looked at. */
  notes: string[];
}

/** How tables are compared, where they are: see schemaDifference. */
export type TableQuestion = Pick<SchemaQuestion, 'options' | 'limits'> & { largest: number };

/**
 * Collects what is other at `head` than at `base`, from Git, the cache and, where that lacks something, the remote. What
 * is not to be had is a note. Errors: `REVISION_UNKNOWN`, `GIT_FAILED`, `REGISTRY_INVALID`.
 */
export async function changeReport(
  session: Session,
  repository: OpenRepository,
  { base, head, tables }: { base: ReportSide; head: ReportSide; tables?: TableQuestion },
): Promise<ChangeReport> {
  return new ReportBuilder(session, repository, { base, head }).build(tables);
}

class ReportBuilder {
  private readonly notes = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository,
    private readonly sides: { base: ReportSide; head: ReportSide },
  ) {}

  async build(tables: TableQuestion | undefined): Promise<ChangeReport> {
    const { base, head } = this.sides;
    const [before, after] = [await this.targets(base), await this.targets(head)];
    const changed = changedTargets(before, after);
    const files = await this.files(changed);
    const data = changed.map((each) => targetChange(each, files?.changes));
    const [was, is] = [await this.figures(base, before), await this.figures(head, after)];
    return {
      base,
      head,
      data,
      ...(files && { totals: files.totals }),
      ...figureChanges(was, is),
      schemas: tables && files ? await this.schemas(files.changes, tables) : [],
      versions: await this.versions(),
      notes: [...this.notes],
    };
  }

  private async targets({ commit }: ReportSide): Promise<Target[]> {
    const { targets, problems } = await loadTargetsAt(this.repository, { kind: 'revision', revision: commit });
    for (const { message } of problems) this.notes.add(message);
    return targets;
  }

  /** What changed, file by file; undefined where that cannot be known. */
  private async files(
    changed: readonly ChangedTarget[],
  ): Promise<{ changes: PathChange[]; totals: ChangeTotals } | undefined> {
    const { base, head } = this.sides;
    const compare = (): ReturnType<typeof compareStates> =>
      compareStates(
        this.repository,
        { kind: 'revision', revision: base.commit },
        { kind: 'revision', revision: head.commit },
      );
    try {
      return await compare();
    } catch (error) {
      if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
    }
    for (const side of ['before', 'after'] as const) {
      const targets = changed.map((each) => each[side]).filter((target) => target !== undefined);
      const selections = selectTargets(targets, []);
      await getListings(this.session, this.repository, { selections, recursive: true });
    }
    try {
      return await compare();
    } catch (error) {
      if (!isMlvError(error, 'OBJECT_MISSING')) throw error;
      this.notes.add('the listings of directories are not to be had, so that changed files cannot be named');
      return undefined;
    }
  }

  private async figures({ commit }: ReportSide, targets: readonly Target[]): Promise<FiguresAt> {
    const runs = new Map(
      targets.flatMap(({ path, pointer: { run } }) =>
        run ? [[run.oid, { ...run, path: `the run of ${path}` }] as const] : [],
      ),
    );
    const lacking = [...runs.values()].filter(({ oid }) => !findRun(this.repository, oid));
    await this.attempt(() => bringObjects(this.session, this.repository, lacking));
    const records = [...runs.keys()].map((oid) => findRun(this.repository, oid)?.record);
    if (records.includes(undefined))
      this.notes.add('records of runs are not to be had: their parameters and metrics are left out');
    const found = await figuresAt(
      this.repository.git,
      commit,
      records.filter((record) => record !== undefined),
    );
    for (const problem of found.problems) this.notes.add(problem);
    return found;
  }

  private async schemas(
    changes: readonly PathChange[],
    { largest, ...how }: TableQuestion,
  ): Promise<SchemaDifference[]> {
    const { base, head } = this.sides;
    const tables = changes.filter(({ kind, path }) => kind === 'modified' && formatOfName(path).format !== undefined);
    const small = tables.filter(({ bytesBefore, bytesAfter }) => Math.max(bytesBefore, bytesAfter) <= largest);
    const left = tables.length - Math.min(small.length, MAX_TABLES);
    if (left > 0) this.notes.add(`${left} of the changed tables are too large, or too many, to be compared`);
    const found: SchemaDifference[] = [];
    for (const { path } of small.slice(0, MAX_TABLES)) {
      await this.attempt(async () => {
        const states = {
          before: { kind: 'revision', revision: base.commit } as const,
          after: { kind: 'revision', revision: head.commit } as const,
        };
        found.push(await schemaDifference(this.session, this.repository, { path, ...states, ...how }));
      });
    }
    return found.filter(({ findings }) => findings.length > 0);
  }

  private async versions(): Promise<ChangeReport['versions']> {
    const { base, head } = this.sides;
    const { git, config } = this.repository;
    const commits = new Set(await git.commitsSince({ from: base.commit, to: head.commit, limit: MAX_COMMITS }));
    const view = await registryOf(this.session, config.registry.remote, git).viewOrFetch();
    const models = await view.allModels();
    return models.flatMap(({ versions }) =>
      [...versions.values()]
        .filter(({ summary }) => commits.has(summary.commit))
        .map((version) => ({
          name: versionName(version),
          commit: version.summary.commit,
          stages: version.stages,
          deprecated: version.deprecated !== undefined,
        })),
    );
  }

  /** What fails is a note: a report that lacks something is better than none. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof MlvError) || error.code === 'INTERRUPTED') throw error;
      this.notes.add(error.message);
    }
  }
}

interface ChangedTarget {
  path: RepositoryPath;
  before?: Target;
  after?: Target;
}

function changedTargets(before: readonly Target[], after: readonly Target[]): ChangedTarget[] {
  const was = new Map(before.map((target) => [target.path, target]));
  const is = new Map(after.map((target) => [target.path, target]));
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, now] = [was.get(path), is.get(path)];
    const isSame = old?.pointer.oid === now?.pointer.oid && old?.pointer.executable === now?.pointer.executable;
    return isSame ? [] : [{ path, ...(old && { before: old }), ...(now && { after: now }) }];
  });
}

function targetChange(
  { path, before, after }: ChangedTarget,
  changes: readonly PathChange[] | undefined,
): TargetChange {
  const [was, is] = [before?.pointer, after?.pointer];
  const isDirectory = was?.files !== undefined || is?.files !== undefined;
  return {
    path,
    change: !was ? 'added' : is ? 'changed' : 'removed',
    bytes: { before: was?.size ?? 0, after: is?.size ?? 0 },
    ...(isDirectory && { files: { before: was?.files ?? 0, after: is?.files ?? 0 } }),
    ...(changes && { changes: changes.filter((each) => isWithin(each.path, path)) }),
  };
}
