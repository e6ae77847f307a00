/** What is read of a run, whatever kind of store has it. */
export interface MlflowRun {
  id: string;
  /** Name of its experiment. */
  experiment: string;
  name?: string;
  /** `FINISHED`, `FAILED`, `RUNNING`, … */
  status: string;
  user?: string;
  /** Milliseconds since 1970. */
  started?: number;
  ended?: number;
  /** As MLflow has them: texts by name. */
  params: ReadonlyMap<string, string>;
  /** The last value of each; not a number where MLflow has none. */
  metrics: ReadonlyMap<string, number>;
  tags: ReadonlyMap<string, string>;
  /** Where its artifacts are. */
  artifacts: string;
  /** Models that it logged outside its artifacts, as MLflow 3 does. */
  models: readonly { name: string; artifacts: string }[];
}

/** One version of a registered model. */
export interface MlflowVersion {
  model: string;
  /** `1`, `2`, … */
  version: string;
  /** Milliseconds since 1970. */
  created?: number;
  description?: string;
  /** `Staging`, `Production`, `Archived`; absent for `None`. */
  stage?: string;
  aliases: readonly string[];
  tags: ReadonlyMap<string, string>;
  /** `READY`, `PENDING_REGISTRATION`, … */
  status: string;
  user?: string;
  /** The run that it came of. */
  run?: string;
  /** Where its artifacts are. */
  artifacts: string;
}

/** What is asked for; everything where nothing is named. */
export interface MlflowWish {
  /** Names of experiments. */
  experiments: readonly string[];
  /** Names of registered models. */
  models: readonly string[];
}

/** Everything that a store has of what was asked for. */
export interface MlflowFacts {
  runs: MlflowRun[];
  versions: MlflowVersion[];
}

/** A file of an artifact: where it can be read. */
export type ArtifactFile =
  /** Absolute path; its size is asked when it is read. */
  | { path: string }
  /** The bytes as they come, and how many the server said. */
  | { body: AsyncIterable<Uint8Array>; size: number | undefined };

/** One entry of a directory of artifacts. */
export interface ArtifactEntry {
  /** One name, as the store gives it: who uses it checks it first. */
  name: string;
  directory: boolean;
  /** Bytes, where the store knows. */
  size?: number;
}

/** One measured point of a metric. */
export interface Point {
  value: number;
  step: number;
  /** Milliseconds since 1970. */
  time: number;
}

/** Where experiments, runs and registered models come from. Nothing in it is ever changed. */
export interface MlflowStore {
  /** What to call it in manifests: a URL without credentials, or the name of a directory. */
  readonly source: string;
  /** Everything that was asked for. Errors: `FOREIGN_INVALID`, `REMOTE_*`, `FILE_SYSTEM`. */
  read(wish: MlflowWish): Promise<MlflowFacts>;
  /** Every point of every metric of a run, in no particular order. Errors as `read`. */
  history(run: MlflowRun): Promise<ReadonlyMap<string, readonly Point[]>>;
  /** What is in a directory of artifacts; undefined for a single file. Error: `OBJECT_MISSING` where it cannot be reached. */
  list(artifacts: string, below: string): Promise<ArtifactEntry[] | undefined>;
  /** Opens a file of artifacts; `below` is empty where `artifacts` is the file itself. Errors as `list`. */
  open(artifacts: string, below: string): Promise<ArtifactFile>;
  /** Gives back what it holds. */
  close(): void;
}
