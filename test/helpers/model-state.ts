import { createHash } from 'node:crypto';
import type { Assignment, ModelState, VersionState } from '../../src/registry/registry.js';

/** What a test says of one version; the rest is made up. */
export type VersionSketch = Partial<Omit<VersionState, 'summary'>> & {
  author?: string;
  metrics?: Record<string, number>;
};

/** `sha256:<hex>` for the manifest of a made-up version. */
export function digestOf(name: string): string {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/** A version of the model `fraud` as its events could have left it. */
export function versionState(version: string, sketch: VersionSketch = {}): VersionState {
  const { author = 'Ada <ada@example.com>', metrics = {}, ...rest } = sketch;
  const figures = Object.entries(metrics).map(([name, value]) => [name, { value }]);
  const summary = {
    commit: '0'.repeat(40),
    author,
    created: '2026-01-01T00:00:00Z',
    params: {},
    metrics: Object.fromEntries(figures) as Record<string, { value: number }>,
    artifacts: [],
    data: [],
  };
  const manifest = digestOf(version);
  return { model: 'fraud', version, manifest, seq: 1, summary, evaluations: {}, approvals: [], stages: [], ...rest };
}

/** The model `fraud` with versions; `held` names, for each stage, what stood there, oldest first, the last one now. */
export function modelState(
  versions: readonly VersionState[],
  held: Readonly<Record<string, readonly (readonly string[])[]>> = {},
): ModelState {
  const assigned = (names: readonly string[]): Assignment[] =>
    names.map((version) => ({
      version,
      traffic: 100 / names.length,
      since: '2026-01-01T00:00:00Z',
      by: 'Ada <ada@example.com>',
      seq: 1,
    }));
  const all = Object.entries(held).map(([stage, times]) => [stage, times.map(assigned)] as const);
  const now = all.flatMap(([stage, times]) =>
    times.at(-1)?.length ? [[stage, times.at(-1) as Assignment[]] as const] : [],
  );
  return {
    name: 'fraud',
    meta: { mlv: 1 },
    versions: new Map(versions.map((version) => [version.version, version])),
    stages: new Map(now),
    held: new Map(all),
  };
}
