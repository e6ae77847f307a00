import type { RegistryEvent } from './event.js';
import type { Manifest } from './manifest.js';
import type { Policy } from './policy.js';

/** An event with its place in the model's life. */
export interface PlacedEvent {
  /** Counts from 1 within the model. */
  seq: number;
  /** The first 12 hex digits of the SHA-256 of the file's bytes; part of its name. */
  id: string;
  event: RegistryEvent;
}

/** One version as its events leave it. */
export interface VersionState {
  model: string;
  version: string;
  /** `sha256:<hex>` of the manifest's bytes. */
  manifest: string;
  /** Seq of its `registered` event: later is newer. */
  seq: number;
  /** What queries need of the manifest, so that they read no file. */
  summary: Pick<Manifest, 'commit' | 'author' | 'created' | 'params' | 'metrics'> & {
    /** Oids of artifacts and data, and the digest by which a component is held. */
    artifacts: string[];
    data: string[];
    retain_until?: string;
    parent?: string;
  };
  /** Results measured later, by data set (`''` where none was named); the newest of each name. */
  evaluations: Record<string, Record<string, { value: number; better?: 'higher' | 'lower' }>>;
  /** Who approved or rejected it, by stage; the last word of each person counts. */
  approvals: { stage: string; by: string; approved: boolean; seq: number; reason?: string; ticket?: string }[];
  deprecated?: { by: string; at: string; reason?: string; successor?: string };
  /** The stages it stands on now; `archived` among them. */
  stages: string[];
}

/** Who stands on a stage, since when, and by whom. */
export interface Assignment {
  version: string;
  /** Percent. */
  traffic: number;
  since: string;
  by: string;
  seq: number;
}

export interface ModelState {
  name: string;
  meta: ModelMeta;
  versions: ReadonlyMap<string, VersionState>;
  /** Now. */
  stages: ReadonlyMap<string, readonly Assignment[]>;
  /** For each stage, what stood there, oldest first; the last one is now. For `~1` and rollback. */
  held: ReadonlyMap<string, readonly (readonly Assignment[])[]>;
}

/** `model.yaml`: what people say of a model as a whole. */
export interface ModelMeta {
  mlv: 1;
  description?: string;
  owners?: string[];
  licence?: string;
  /** Front matter of its card, as the Hub understands it. */
  card?: Record<string, unknown>;
}

/** The registry as one commit of its branch has it. Reading never touches the network. */
export interface RegistryView {
  /** Commit of the branch, hex; undefined where there is no registry yet. */
  readonly tip: string | undefined;
  /** Names of all models, sorted. */
  models(): Promise<string[]>;
  /** One model folded from its events; undefined where there is none. `REGISTRY_INVALID` names a broken file. */
  model(name: string): Promise<ModelState | undefined>;
  /** The manifest of a version, checked against its digest. `REGISTRY_INVALID`, `VERSION_UNKNOWN`. */
  manifest(model: string, version: string): Promise<Manifest>;
  /** All events of a model in their order. */
  events(model: string): Promise<PlacedEvent[]>;
  policy(): Promise<Policy>;
}

/** What a decision asks for, all of it or nothing. */
export interface RegistryChange {
  /** Subject of the commit: `fraud@1.4.0: promoted to production`. */
  subject: string;
  /** A new version: its manifest's bytes go into the tree, a tag onto `commit`. */
  register?: { manifest: Manifest };
  events?: RegistryEvent[];
  meta?: { model: string; meta: ModelMeta };
  policy?: { text: string };
  /** True where the policy wants the commit signed: it fails where no key is configured. */
  sign?: boolean;
  /** Called with the commit made (and signed), before anything is sent and before any ref moves: it may throw to refuse. */
  accept?: (commit: string) => Promise<void>;
}

/** The registry of a repository. */
export interface Registry {
  /** `Name <mail>` of the author whom Git will name on what this clone writes. Error: `GIT_FAILED` where none is configured. */
  author(): Promise<string>;
  /** The registry as this clone knows it now. */
  view(): Promise<RegistryView>;
  /** As it was at a commit of the branch. */
  viewAt(commit: string): Promise<RegistryView>;
  /** Commit of the branch that was its tip at a time (chain time: the latest commit date so far); undefined before all. */
  tipAt(time: Date): Promise<string | undefined>;
  /**
   * Decides on the newest view and writes what `decide` wants as one commit, sent to the Git remote at once unless
   * `push` is false. A lost race is fetched and decided again. `decide` may throw to refuse; undefined means that
   * there is nothing to do. Gives the commit and the view that it led to.
   */
  change(
    decide: (view: RegistryView) => Promise<RegistryChange | undefined> | RegistryChange | undefined,
    options?: { push?: boolean },
  ): Promise<{ commit: string | undefined; view: RegistryView; pushed: boolean }>;
}
