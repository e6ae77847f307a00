import type { Metrics } from '../provenance/parse-metrics.js';
import type { RepeatedRun } from '../provenance/repeat-run.js';
import { type ComparedMetric, type ComparedOutput, compareMetrics } from '../provenance/reproduction.js';
import type { RunRecord } from '../provenance/run-record.js';
import type { Tolerances } from '../provenance/tolerance.js';
import type { Manifest } from '../registry/manifest.js';
import type { RepositoryPath } from '../workspace/paths.js';

/** What runs wrote when they were run again, beside what they had written. */
export class Remade {
  readonly outputs: ComparedOutput[] = [];
  /** Everything that was written again. */
  readonly paths: RepositoryPath[] = [];
  private readonly before: Metrics = {};
  private readonly after: Metrics = {};

  constructor(private readonly request: { manifest: Manifest; tolerances: Tolerances }) {}

  /** What became of each figure that a run has, by its tolerance. */
  get metrics(): ComparedMetric[] {
    return compareMetrics(this.before, this.after, this.request.tolerances);
  }

  /** Notes a run and what came of it this time. */
  add(record: RunRecord, repeated: RepeatedRun): void {
    const { artifacts } = this.request.manifest;
    const isArtifact = (path: RepositoryPath): boolean => artifacts.some((each) => each.path === path);
    this.outputs.push(...repeated.outputs.map((output) => ({ ...output, artifact: isArtifact(output.path) })));
    Object.assign(this.before, record.metrics);
    Object.assign(this.after, repeated.metrics);
    this.paths.push(...record.outputs.map(({ path }) => path), ...record.metrics_files.map(({ path }) => path));
  }
}
