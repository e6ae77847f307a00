import { isMlvError, MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { parseMetricLog } from './metric-log.js';
import type { Metric } from './metrics.js';
import type { ParamValue } from './params.js';
import { parseMetrics } from './parse-metrics.js';
import { parseParams, selectParams } from './parse-params.js';
import { PIPELINE_FILE, parsePipeline } from './pipeline-format.js';
import { MAX_METRICS_BYTES, MAX_PARAMS_BYTES } from './read-files.js';
import type { RunRecord } from './run-record.js';

/** Parameters and metrics as a commit has them, by the file or run that says so, then by dotted name. */
export interface FiguresAt {
  params: Map<string, Record<string, ParamValue>>;
  metrics: Map<string, Record<string, Metric>>;
  /** Why something could not be read, in words. */
  problems: string[];
}

/**
 * What a commit says of parameters and metrics: the files that the stages of its `mlv.yaml` and the records of its runs name,
 * as Git has them; what Git has not (ignored files, directories of MLflow) as the records have it. Errors: `GIT_FAILED`,
 * `REVISION_UNKNOWN`.
 */
export async function figuresAt(git: Git, revision: string, runs: readonly RunRecord[]): Promise<FiguresAt> {
  const reader = new FigureReader(git, revision);
  await reader.open();
  const { choices, metrics } = await reader.declared();
  for (const { params, metrics_files: files } of runs) {
    const own = new Set(files.map(({ path }) => path));
    for (const { path, keys = [] } of params) if (!own.has(path)) choose(choices, path, keys);
    for (const path of own) metrics.add(path);
  }
  await reader.load([...choices.keys(), ...metrics]);
  for (const [path, keys] of choices) await reader.params(path, keys);
  for (const path of metrics) await reader.metrics(path);
  for (const run of runs) reader.record(run);
  return reader.found;
}

/** Names that are asked for, by file; no name means all of them. */
type Choices = Map<RepositoryPath, Set<string>>;

function choose(choices: Choices, path: RepositoryPath, keys: readonly string[]): void {
  const known = choices.get(path);
  if (!known) choices.set(path, new Set(keys));
  else if (known.size === 0 || keys.length === 0) choices.set(path, new Set());
  else for (const key of keys) known.add(key);
}

class FigureReader {
  readonly found: FiguresAt = { params: new Map(), metrics: new Map(), problems: [] };
  private readonly blobs = new Map<RepositoryPath, string>();
  private loaded: ReadonlyMap<string, Buffer> = new Map();

  constructor(
    private readonly git: Git,
    private readonly revision: string,
  ) {}

  /** Learns which files the commit has. */
  async open(): Promise<void> {
    const files = await this.git.listFiles({ kind: 'revision', revision: this.revision }, '');
    for (const { path, blob, mode } of files) if (mode.startsWith('100')) this.blobs.set(path, blob);
  }

  /** Reads files at once; where one of them is too large for that, each is read when its turn comes. */
  async load(paths: readonly RepositoryPath[]): Promise<void> {
    const blobs = paths.map((path) => this.blobs.get(path)).filter((blob) => blob !== undefined);
    try {
      this.loaded = await this.git.readBlobs([...new Set(blobs)]);
    } catch (error) {
      if (!isMlvError(error, 'GIT_FAILED')) throw error;
    }
  }

  /** What the stages of the commit name. */
  async declared(): Promise<{ choices: Choices; metrics: Set<RepositoryPath> }> {
    const choices: Choices = new Map();
    const metrics = new Set<RepositoryPath>();
    const text = await this.text(PIPELINE_FILE, MAX_PARAMS_BYTES);
    if (text !== undefined) {
      await this.attempt(() => {
        for (const stage of parsePipeline(text, PIPELINE_FILE)) {
          for (const { path, keys } of stage.params) choose(choices, path, keys);
          for (const path of stage.metrics) metrics.add(path);
        }
      });
    }
    return { choices, metrics };
  }

  async params(path: RepositoryPath, keys: ReadonlySet<string>): Promise<void> {
    const text = await this.text(path, MAX_PARAMS_BYTES);
    if (text === undefined) return;
    await this.attempt(async () => {
      const all = await parseParams(text, path);
      // A name that another commit had is no fault of this one.
      const known = [...keys].filter((key) =>
        Object.keys(all).some((name) => name === key || name.startsWith(`${key}.`)),
      );
      const chosen = keys.size > 0 && known.length === 0 ? {} : selectParams(all, { path, keys: known });
      this.found.params.set(path, chosen);
    });
  }

  async metrics(path: RepositoryPath): Promise<void> {
    const text = await this.text(path, MAX_METRICS_BYTES);
    if (text === undefined) return;
    await this.attempt(async () => {
      const isLog = path.toLowerCase().endsWith('.jsonl');
      this.found.metrics.set(path, isLog ? parseMetricLog(text, path).metrics : await parseMetrics(text, path));
    });
  }

  /** What the files of the commit do not say. */
  record({ params, metrics, metrics_files: files, name, outputs }: RunRecord): void {
    for (const { path, values } of params) if (!this.found.params.has(path)) this.found.params.set(path, values);
    if (Object.keys(metrics).length === 0) return;
    if (files.length > 0 && files.every(({ path }) => this.found.metrics.has(path))) return;
    const source = files.length === 1 ? files[0]?.path : undefined;
    const key = source ?? name ?? outputs[0]?.path ?? 'run';
    if (!this.found.metrics.has(key)) this.found.metrics.set(key, metrics);
  }

  private async text(path: RepositoryPath, limit: number): Promise<string | undefined> {
    const blob = this.blobs.get(path);
    if (blob === undefined) return undefined;
    let bytes = this.loaded.get(blob);
    if (!bytes) {
      await this.attempt(async () => {
        bytes = (await this.git.readBlobs([blob])).get(blob);
      });
    }
    if (bytes === undefined || bytes.length <= limit) return bytes?.toString('utf8');
    this.found.problems.push(`'${path}' is too large to be read`);
    return undefined;
  }

  private async attempt(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof MlvError) || error.code === 'INTERRUPTED') throw error;
      this.found.problems.push(error.message);
    }
  }
}
