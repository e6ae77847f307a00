import { MlvError } from '../core/errors.js';
import type { RegistryEvent } from './event.js';
import { assign, type Newcomer, unassign } from './fold-stages.js';
import type { Manifest } from './manifest.js';
import { mailOf } from './person.js';
import type { Assignment, ModelMeta, ModelState, PlacedEvent, VersionState } from './registry.js';

/** Where versions go that are done with: it holds any number, without shares. */
export const ARCHIVED = 'archived';

/** What the fold needs of a manifest. */
export interface VersionFacts {
  /** `sha256:<hex>` of the manifest's bytes. */
  digest: string;
  summary: VersionState['summary'];
}

/** What the fold needs of a manifest; `digest` (`sha256:<hex>`, of its file's bytes) is what events name it by. Pure. */
export function versionFacts(manifest: Manifest, digest: string): VersionFacts {
  const { commit, author, created, params, metrics, artifacts, data, retain_until, parent } = manifest;
  const oids = { artifacts: artifacts.map(({ oid }) => oid), data: data.map(({ oid }) => oid) };
  const directories = [...artifacts, ...data].filter(({ files }) => files !== undefined).map(({ oid }) => oid);
  const components = (manifest.components ?? []).map((component) => component.manifest);
  const optional = {
    ...(retain_until !== undefined && { retain_until }),
    ...(parent !== undefined && { parent }),
    ...(directories.length > 0 && { directories }),
    ...(components.length > 0 && { components }),
  };
  return { digest, summary: { commit, author, created, params, metrics, ...oids, ...optional } };
}

/** A model without any event. */
export function emptyModel(name: string, meta: ModelMeta = { mlv: 1 }): ModelState {
  return { name, meta, versions: new Map(), stages: new Map(), held: new Map() };
}

/**
 * A model's state after further events, in the order of their `seq`. Pure: the state given is left as it is, and folding
 * in pieces gives what folding at once gives. Error: `REGISTRY_INVALID` for an event of a version that was not registered
 * before it, or that holds another manifest's digest, or a `seq` that is not the next one.
 *
 * `nextSeq` is that of the first event.
 */
export function foldModel(
  before: ModelState,
  events: readonly PlacedEvent[],
  { manifests, nextSeq = 1 }: { manifests: ReadonlyMap<string, VersionFacts>; nextSeq?: number },
): ModelState {
  const fold = new Fold(before, manifests);
  let expected = nextSeq;
  for (const placed of events) {
    if (placed.seq !== expected) throw invalidEvent(before.name, placed, `event ${expected} is missing before it`);
    fold.take(placed);
    expected += 1;
  }
  return fold.state();
}

class Fold {
  private readonly versions: Map<string, VersionState>;
  private readonly stages: Map<string, readonly Assignment[]>;
  /** Copied when a stage changes for the first time, and grown in place from then on. */
  private readonly held = new Map<string, (readonly Assignment[])[]>();
  private readonly archived: Map<string, Assignment>;

  constructor(
    private readonly before: ModelState,
    private readonly manifests: ReadonlyMap<string, VersionFacts>,
  ) {
    this.versions = new Map(before.versions);
    this.stages = new Map(before.stages);
    this.archived = new Map(before.stages.get(ARCHIVED)?.map((each) => [each.version, each]));
    this.stages.delete(ARCHIVED);
  }

  state(): ModelState {
    const { name, meta } = this.before;
    const stages = new Map<string, readonly Assignment[]>(this.stages);
    if (this.archived.size > 0) stages.set(ARCHIVED, [...this.archived.values()]);
    return { name, meta, versions: this.versions, stages, held: new Map([...this.before.held, ...this.held]) };
  }

  take(placed: PlacedEvent): void {
    const { event } = placed;
    if (event.model !== this.before.name) throw this.invalid(placed, `it is about the model '${event.model}'`);
    if (event.type === 'registered') {
      this.register(placed);
      return;
    }
    const version = this.versions.get(event.version);
    if (!version) throw this.invalid(placed, `the version ${event.version} was not registered before it`);
    if (version.manifest !== event.manifest) {
      throw this.invalid(placed, `it holds another manifest than that of ${event.version}`);
    }
    this.apply(version, placed);
  }

  private register(placed: PlacedEvent): void {
    const { seq, event } = placed;
    const facts = this.manifests.get(event.version);
    if (!facts) throw this.invalid(placed, `the manifest of ${event.version} is missing`);
    if (this.versions.has(event.version)) throw this.invalid(placed, `${event.version} was registered before it`);
    if (facts.digest !== event.manifest) {
      throw this.invalid(placed, `the manifest of ${event.version} is not the one that was registered`);
    }
    this.versions.set(event.version, {
      model: event.model,
      version: event.version,
      manifest: event.manifest,
      seq,
      summary: facts.summary,
      evaluations: {},
      approvals: [],
      stages: [],
    });
  }

  private apply(version: VersionState, { seq, event }: PlacedEvent): void {
    const newcomer: Newcomer = { version: event.version, since: event.at, by: event.by, seq };
    if (event.type === 'promoted' && event.stage !== ARCHIVED) {
      this.leave(ARCHIVED, event.version);
      if (event.from !== event.stage) this.leave(event.from, event.version);
      this.enter(event.stage, newcomer, event.traffic);
    } else if (event.type === 'archived' || event.type === 'promoted') {
      this.archive(newcomer);
    } else if (event.type === 'demoted') {
      this.leave(event.stage, event.version);
      if (event.to === ARCHIVED) this.archive(newcomer);
      else if (event.to !== 'none') {
        this.leave(ARCHIVED, event.version);
        this.enter(event.to, newcomer, this.equalShare(event.to, event.version));
      }
    } else if (event.type === 'rolled-back') {
      for (const stage of version.stages) if (stage !== event.stage) this.leave(stage, event.version);
      this.enter(event.stage, newcomer, 100);
    } else this.note(version, seq, event);
  }

  /** What is said of a version without moving it. */
  private note(version: VersionState, seq: number, event: RegistryEvent): void {
    const { by, at, reason, ticket } = event;
    const said = { ...(reason !== undefined && { reason }), ...(ticket !== undefined && { ticket }) };
    if (event.type === 'approved' || event.type === 'rejected') {
      const others = version.approvals.filter((each) => each.stage !== event.stage || mailOf(each.by) !== mailOf(by));
      const word = { stage: event.stage, by, approved: event.type === 'approved', seq, ...said };
      this.change(version.version, { approvals: [...others, word] });
    } else if (event.type === 'evaluated') {
      const on = event.on ?? '';
      const evaluations = new Map(Object.entries(version.evaluations));
      evaluations.set(on, { ...evaluations.get(on), ...event.metrics });
      this.change(version.version, { evaluations: Object.fromEntries(evaluations) });
    } else if (event.type === 'reproduced') {
      const { verdict, found } = event;
      this.change(version.version, { reproduced: { verdict, by, at, ...(found && { found }) } });
    } else if (event.type === 'deprecated') {
      const successor = event.successor === undefined ? {} : { successor: event.successor };
      this.change(version.version, {
        deprecated: { by, at, ...(reason !== undefined && { reason }), ...successor },
      });
    }
  }

  private archive(newcomer: Newcomer): void {
    for (const stage of this.versions.get(newcomer.version)?.stages ?? []) this.leave(stage, newcomer.version);
    this.archived.set(newcomer.version, { ...newcomer, traffic: 0 });
    this.standOn(newcomer.version, (stages) => [...stages, ARCHIVED]);
  }

  private enter(stage: string, newcomer: Newcomer, traffic: number): void {
    this.setStage(stage, assign(this.stages.get(stage) ?? [], newcomer, traffic));
  }

  private leave(stage: string, version: string): void {
    if (stage === ARCHIVED) {
      if (this.archived.delete(version)) {
        this.standOn(version, (stages) => stages.filter((each) => each !== ARCHIVED));
      }
      return;
    }
    const assignments = this.stages.get(stage);
    if (assignments?.some((each) => each.version === version)) this.setStage(stage, unassign(assignments, version));
  }

  private equalShare(stage: string, version: string): number {
    const others = (this.stages.get(stage) ?? []).filter((each) => each.version !== version).length;
    return Math.round(1e6 * (100 / (others + 1))) / 1e6;
  }

  private setStage(stage: string, assignments: readonly Assignment[]): void {
    const before = this.stages.get(stage) ?? [];
    if (assignments.length > 0) this.stages.set(stage, assignments);
    else this.stages.delete(stage);
    const held = this.held.get(stage) ?? [...(this.before.held.get(stage) ?? [])];
    held.push(assignments);
    this.held.set(stage, held);
    const now = new Set(assignments.map(({ version }) => version));
    for (const { version } of before) {
      if (!now.has(version)) this.standOn(version, (stages) => stages.filter((each) => each !== stage));
    }
    for (const version of now) {
      this.standOn(version, (stages) => (stages.includes(stage) ? stages : [...stages, stage]));
    }
  }

  private standOn(version: string, stagesOf: (stages: string[]) => string[]): void {
    const before = this.versions.get(version)?.stages ?? [];
    const stages = stagesOf(before);
    if (stages !== before) this.change(version, { stages });
  }

  private change(version: string, changes: Partial<VersionState>): void {
    const before = this.versions.get(version);
    if (before) this.versions.set(version, { ...before, ...changes });
  }

  private invalid(placed: PlacedEvent, reason: string): MlvError {
    return invalidEvent(this.before.name, placed, reason);
  }
}

function invalidEvent(model: string, { seq, id, event }: PlacedEvent, reason: string): MlvError {
  return new MlvError('REGISTRY_INVALID', `event ${seq} of '${model}' (${event.type}) cannot be: ${reason}`, {
    hint: 'the registry was changed without mlv, or is damaged: mlv audit tells where',
    data: { model, seq, id, type: event.type, version: event.version },
  });
}
