import { redactUrl } from '../../core/redact.js';
import type { MlflowFacts, MlflowRun, MlflowVersion } from './store.js';
import { instantOf, modelNameOf, paramValue } from './values.js';

/** Longest name of a parameter or metric, and longest text, that a manifest takes. */
const NAME_LIMIT = 256;
const TEXT_LIMIT = 100_000;
const HIDDEN = /[\u0000-\u001f\u007f]/;
/** Tags that MLflow writes for itself, which say where its files are and nothing else. */
const OWN_TAGS = /^mlflow\.(?:log-model\.history|loggedModel|modelVersions|user$|runName$)/;

/** What another tool said of a version; see docs/formats/manifest.md. */
export interface Origin {
  tool: 'mlflow';
  /** `models:/fraud/3` or `runs:/02c9…`. */
  id: string;
  source: string;
  created?: string;
  facts: Record<string, string>;
  tags: Record<string, string>;
}

/** Where artifacts are, and the directory that they get: empty for the top. */
export interface ArtifactPlace {
  from: string;
  below: string;
  /** Nothing need be there: a run that logged nothing has no directory. */
  optional?: boolean;
}

/** A version that is to be made. */
export interface PlannedVersion {
  model: string;
  version: string;
  /** Seconds since 1970; versions are made in this order. */
  time: number;
  params: Record<string, string | number | boolean>;
  metrics: Record<string, { value: number }>;
  description?: string;
  origin: Origin;
  artifacts: ArtifactPlace[];
  /** The run that measured its metrics. */
  run?: MlflowRun;
  /** MLflow's stage and aliases, in lower case. */
  stages: string[];
}

/** A version of mlv that was imported before. */
export interface KnownVersion {
  model: string;
  version: string;
  /** Absent for one that was not imported. */
  origin?: { id: string; facts: Record<string, string> };
}

/** What an import comes to. */
export interface MlflowPlan {
  /** In the order in which they are made. */
  versions: PlannedVersion[];
  /** Versions that are there already, by MLflow's id. */
  present: { model: string; version: string; id: string; stages: string[] }[];
  /** What is not imported, and why. */
  passedOver: { id: string; reason: string }[];
}

/**
 * Decides which versions come of a store, and under which numbers: version 3 of a registered model is `3.0.0`, and the
 * runs of an experiment are `0.1.0`, `0.2.0`, … of a model with the experiment's name, in the order in which they began. What
 * was imported before is known by MLflow's id and run. Pure.
 */
export function planImport(
  { runs, versions }: MlflowFacts,
  { known, source, models }: { known: readonly KnownVersion[]; source: string; models: readonly string[] },
): MlflowPlan {
  const planner = new Planner(known, source);
  const byId = new Map(runs.map((run) => [run.id, run]));
  for (const version of [...versions].sort(byVersion)) planner.version(version, byId.get(version.run ?? ''));
  // Who names models asks for these, and for no run beside them.
  if (models.length === 0) for (const run of [...runs].sort(byStart)) planner.run(run);
  planner.plan.versions.sort((left, right) => left.time - right.time);
  return planner.plan;
}

class Planner {
  readonly plan: MlflowPlan = { versions: [], present: [], passedOver: [] };
  private readonly names = new Map<string, string>();
  /** What each imported thing is called here, by MLflow's id and run. */
  private readonly byOrigin: Map<string, KnownVersion>;
  /** Every number that is taken, `model@version`. */
  private readonly taken: Set<string>;
  /** The highest `0.N.0` of each model. */
  private readonly lastRun = new Map<string, number>();

  constructor(
    known: readonly KnownVersion[],
    private readonly source: string,
  ) {
    this.byOrigin = new Map(known.flatMap((each) => (each.origin ? [[identity(each.origin), each] as const] : [])));
    this.taken = new Set(known.map((each) => `${each.model}@${each.version}`));
    for (const each of known) this.count(each);
  }

  version(version: MlflowVersion, run: MlflowRun | undefined): void {
    const id = `models:/${version.model}/${version.version}`;
    const reason = !/^[1-9]\d{0,8}$/.test(version.version)
      ? 'its version is no number'
      : version.status !== 'READY'
        ? `its status is ${version.status}`
        : undefined;
    const model = this.nameFor(version.model, 'model', id);
    if (model === undefined) return;
    if (reason !== undefined) {
      this.passOver(id, reason);
      return;
    }
    const facts = {
      ...(run ? factsOf(run) : {}),
      model: version.model,
      version: version.version,
      ...(version.run !== undefined && { run: version.run }),
      ...(version.stage !== undefined && { stage: version.stage }),
      ...(version.aliases.length > 0 && { aliases: version.aliases.join(', ') }),
      ...(version.user !== undefined && { user: version.user }),
    };
    const created = instantOf(version.created);
    const stages = [version.stage, ...version.aliases].flatMap((name) =>
      name === undefined ? [] : [name.toLowerCase()],
    );
    this.add({
      model,
      version: `${version.version}.0.0`,
      time: Math.floor((version.created ?? 0) / 1000),
      ...figuresOf(run),
      ...(version.description !== undefined && { description: version.description.slice(0, TEXT_LIMIT) }),
      origin: this.origin(id, { created, facts, tags: new Map([...(run?.tags ?? []), ...version.tags]), run }),
      ...(run && { run }),
      artifacts: version.artifacts === '' ? [] : [{ from: version.artifacts, below: '' }],
      stages: [...new Set(stages)],
    });
  }

  run(run: MlflowRun): void {
    const id = `runs:/${run.id}`;
    const model = this.nameFor(run.experiment, 'experiment', id);
    if (model === undefined) return;
    if (run.status !== 'FINISHED') {
      this.passOver(id, `its status is ${run.status}`);
      return;
    }
    const note = run.tags.get('mlflow.note.content');
    this.add({
      model,
      version: this.nextRunNumber(model),
      time: Math.floor((run.ended ?? run.started ?? 0) / 1000),
      ...figuresOf(run),
      ...(note !== undefined && { description: note.slice(0, TEXT_LIMIT) }),
      origin: this.origin(id, { created: instantOf(run.started), facts: factsOf(run), tags: run.tags, run }),
      run,
      artifacts: [{ from: run.artifacts, below: '', optional: true }, ...loggedModels(run)],
      stages: [],
    });
  }

  private add(planned: PlannedVersion): void {
    const { model, version, origin, stages } = planned;
    const there = this.byOrigin.get(identity(origin));
    if (there) {
      this.plan.present.push({ model: there.model, version: there.version, id: origin.id, stages });
      return;
    }
    const name = `${model}@${version}`;
    if (this.taken.has(name)) {
      this.passOver(origin.id, `${name} is registered already, and is something else`);
      return;
    }
    this.taken.add(name);
    this.count(planned);
    this.plan.versions.push(planned);
  }

  private passOver(id: string, reason: string): void {
    this.plan.passedOver.push({ id, reason });
  }

  /** Two names of MLflow that come to one of mlv are not mixed. */
  private nameFor(name: string, kind: 'model' | 'experiment', id: string): string | undefined {
    const model = modelNameOf(name);
    const before = model === undefined ? undefined : this.names.get(`${kind} ${model}`);
    if (model === undefined) this.passOver(id, `no name of a model can be made of '${name.slice(0, 100)}'`);
    else if (before !== undefined && before !== name) {
      this.passOver(id, `'${name.slice(0, 100)}' and '${before.slice(0, 100)}' would both be called ${model}`);
      return undefined;
    } else this.names.set(`${kind} ${model}`, name);
    return model;
  }

  private nextRunNumber(model: string): string {
    return `0.${(this.lastRun.get(model) ?? 0) + 1}.0`;
  }

  private count({ model, version }: Pick<KnownVersion, 'model' | 'version'>): void {
    const number = Number(/^0\.(\d+)\.0$/.exec(version)?.[1] ?? 0);
    this.lastRun.set(model, Math.max(this.lastRun.get(model) ?? 0, number));
  }

  private origin(
    id: string,
    said: {
      created: string | undefined;
      facts: Record<string, string>;
      tags: ReadonlyMap<string, string>;
      run: MlflowRun | undefined;
    },
  ): Origin {
    const tags = [...said.tags].filter(([name]) => isName(name) && !OWN_TAGS.test(name));
    const lost = [...(said.run?.metrics ?? [])].filter(([, value]) => !Number.isFinite(value)).map(([name]) => name);
    return {
      tool: 'mlflow',
      id,
      source: this.source,
      ...(said.created !== undefined && { created: said.created }),
      facts: { ...said.facts, ...(lost.length > 0 && { metrics_without_number: lost.join(', ') }) },
      tags: Object.fromEntries(tags.map(([name, value]) => [name, redactUrl(value.slice(0, TEXT_LIMIT))])),
    };
  }
}

function identity({ id, facts }: { id: string; facts: Record<string, string> }): string {
  return `${id} ${facts.run ?? ''}`;
}

function factsOf(run: MlflowRun): Record<string, string> {
  const { id, experiment, name, user, started, ended, status } = run;
  const facts = {
    experiment,
    run: id,
    run_name: name,
    user,
    status,
    started: instantOf(started),
    ended: instantOf(ended),
  };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function figuresOf(run: MlflowRun | undefined): Pick<PlannedVersion, 'params' | 'metrics'> {
  const params = [...(run?.params ?? [])].filter(([name]) => isName(name));
  const metrics = [...(run?.metrics ?? [])].filter(([name, value]) => isName(name) && Number.isFinite(value));
  return {
    params: Object.fromEntries(params.map(([name, text]) => [name, paramValue(text)])),
    metrics: Object.fromEntries(metrics.map(([name, value]) => [name, { value }])),
  };
}

/** Models that MLflow 3 logs beside the artifacts of a run stand among them under their names, as MLflow 2 had them. */
function loggedModels(run: MlflowRun): ArtifactPlace[] {
  const used = new Map<string, number>();
  return run.models.map(({ name, artifacts }) => {
    const plain = modelNameOf(name) ?? 'model';
    const count = (used.get(plain) ?? 0) + 1;
    used.set(plain, count);
    return { from: artifacts, below: count === 1 ? plain : `${plain}-${count}` };
  });
}

function isName(name: string): boolean {
  return name !== '' && name.length <= NAME_LIMIT && !HIDDEN.test(name);
}

function byVersion(left: MlflowVersion, right: MlflowVersion): number {
  return left.model < right.model ? -1 : left.model > right.model ? 1 : Number(left.version) - Number(right.version);
}

function byStart(left: MlflowRun, right: MlflowRun): number {
  return (left.started ?? 0) - (right.started ?? 0) || (left.id < right.id ? -1 : 1);
}
