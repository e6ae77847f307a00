import type { Verdict } from '../provenance/reproduction.js';
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
    /** Oids of artifacts and data. */
    artifacts: string[];
    data: string[];
    /** Those of them that are directories. */
    directories?: string[];
    /** Digests of the manifests of its components. */
    components?: string[];
    retain_until?: string;
    parent?: string;
  };
  /** Results measured later, by data set (`''` where none was named); the newest of each name. */
  evaluations: Record<string, Record<string, { value: number; better?: 'higher' | 'lower' }>>;
  /** Who approved or rejected it, by stage; the last word of each person counts. */
  approvals: { stage: string; by: string; approved: boolean; seq: number; reason?: string; ticket?: string }[];
  deprecated?: { by: string; at: string; reason?: string; successor?: string };
  /** What came of the last time that its runs were run again. */
  reproduced?: { verdict: Verdict; by: string; at: string; found?: string[] };
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
  /** What the file says beyond that, kept when it is rewritten. */
  other?: Record<string, unknown>;
}

/** One line of a list of models. */
export interface ModelSummary {
  model: string;
  versions: number;
  /** The version that `latest` means. */
  latest?: string;
  /** What stands where now, in no particular order of stages. */
  stages: { stage: string; versions: { version: string; traffic: number; since: string }[] }[];
  description?: string;
  owners?: string[];
}

/** The registry as one commit of its branch has it. Reading never touches the network. */
export interface RegistryView {
  /** Commit of the branch, hex; undefined where there is no registry yet. */
  readonly tip: string | undefined;
  /** Names of all models, sorted. */
  models(): Promise<string[]>;
  /** One model folded from its events; undefined where there is none. `REGISTRY_INVALID` names a broken file. */
  model(name: string): Promise<ModelState | undefined>;
  /** All models, by name: far fewer Git processes than asking for one after the other. */
  allModels(): Promise<ModelState[]>;
  /** What a list of models says of each, by name: no model is read where this was asked before. */
  summaries(): Promise<ModelSummary[]>;
  /** The manifest of a version, checked against its digest. `REGISTRY_INVALID`, `VERSION_UNKNOWN`. */
  manifest(model: string, version: string): Promise<Manifest>;
  /** All events of a model in their order. */
  events(model: string): Promise<PlacedEvent[]>;
  /** The policy in force; the default one where there is no `policy.yaml`. Errors: `REGISTRY_INVALID`, `FORMAT_TOO_NEW`. */
  policy(): Promise<Policy>;
  /** The text of `policy.yaml`; undefined where there is none. */
  policyText(): Promise<string | undefined>;
}

/** What a decision asks for, all of it or nothing. */
export interface RegistryChange {
  /** Subject of the commit: `fraud@1.4.0: promoted to production`. */
  subject: string;
  /** A new version: its manifest goes into the tree, its `registered` event is written, and its tag stands on `commit`. */
  register?: { manifest: Manifest };
  events?: RegistryEvent[];
  meta?: { model: string; meta: ModelMeta };
  policy?: { text: string };
  /** True where the policy wants the commit signed: it fails where no key is configured. */
  sign?: boolean;
  /** Called with the commit made (and signed), before anything is sent and before any ref moves: it may throw to refuse. */
  accept?: (commit: string) => Promise<void>;
}

/** Decides what to write, from the newest state. It may throw to refuse; undefined: there is nothing to do. */
export type Decide = (view: RegistryView) => Promise<RegistryChange | undefined> | RegistryChange | undefined;

/** What came of a change. */
export interface ChangeResult {
  /** The commit that was written; undefined where there was nothing to do. */
  commit: string | undefined;
  /** The registry with it. */
  view: RegistryView;
  /** Whether the Git remote has it. */
  pushed: boolean;
}

/**
 * Judges a change by its commit, which is made on top of `view` and which no ref leads to yet; what was written offline is
 * judged again when it is sent. A refusal is an error.
 */
export type Judge = (change: RegistryChange, context: { view: RegistryView; commit: string }) => Promise<void> | void;

/** The registry of a repository. */
export interface Registry {
  /** `Name <mail>` of the author whom Git will name on what this clone writes. Error: `GIT_FAILED` where none is configured. */
  author(): Promise<string>;
  /**
   * The registry as this clone knows it now; no network. Errors: `REGISTRY_DIVERGED` where both this clone and the Git
   * remote have what the other lacks, `REGISTRY_REWRITTEN` where the Git remote lost what it had.
   */
  view(): Promise<RegistryView>;
  /** As `view`; where this clone has no registry but a Git remote (a fresh or shallow clone), that is asked first. */
  viewOrFetch(): Promise<RegistryView>;
  /** As it was at a commit of the branch. */
  viewAt(commit: string): Promise<RegistryView>;
  /** Commit of the branch that was its tip at a time (chain time: the latest commit date so far); undefined before all. */
  tipAt(time: Date): Promise<string | undefined>;
  /**
   * Decides on the newest view and writes what `decide` wants as one commit, sent to the Git remote at once unless
   * `push` is false. A lost race is fetched and decided again, so `decide` may be called several times; it is never given
   * anything from the cache. Errors: what `decide` throws, `VERSION_EXISTS`, `REGISTRY_RACE`, `SIGNING_FAILED`,
   * `GIT_FAILED` where the remote cannot be reached or refuses.
   */
  change(decide: Decide, options?: { push?: boolean }): Promise<ChangeResult>;
  /** Sends what is only in this clone, judged again on the remote's newest state. */
  push(): Promise<ShareReport>;
  /**
   * Takes over what the Git remote has, and puts what is only in this clone behind it. `dropLocal` gives that up instead;
   * `acceptRewritten` takes the remote's history as it is, also where it lost what it had, and gives up what it lacks.
   */
  pull(options?: PullOptions): Promise<ShareReport>;
  /** How this clone stands to the Git remote; asks it only with `fetch`. */
  status(options?: { fetch?: boolean }): Promise<RegistryStatus>;
}

/** How a pull treats what the Git remote does not have; see Registry.pull. */
export interface PullOptions {
  dropLocal?: boolean;
  acceptRewritten?: boolean;
}

/** What an exchange with the Git remote did. */
export interface ShareReport {
  remote: string;
  /** Commits of others that came. */
  received: number;
  /** Own commits that were sent. */
  sent: number;
  /** Own commits that were given up. */
  dropped: number;
  /** What Git said of tags of versions that this clone has otherwise than the remote, or could not take over. */
  tagsKept?: string;
  tip: string | undefined;
}

/** How a clone stands to its Git remote. */
export interface RegistryStatus {
  /** Undefined where there is no Git remote. */
  remote: string | undefined;
  /** Tip of this clone's branch, and of the remote's as known here. */
  local: string | undefined;
  remoteTip: string | undefined;
  /** Commits that only this clone has, and only the remote. */
  ahead: number;
  behind: number;
}
