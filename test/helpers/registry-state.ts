import { createHash } from 'node:crypto';
import { MlvError } from '../../src/core/errors.js';
import type { Manifest } from '../../src/registry/manifest.js';
import { summarizeModel } from '../../src/registry/model-summary.js';
import { DEFAULT_POLICY, type Policy } from '../../src/registry/policy.js';
import type { Assignment, ModelState, PlacedEvent, RegistryView, VersionState } from '../../src/registry/registry.js';

/** A digest that differs for each text: `blake3:<hex>`, `sha256:<hex>`. */
export function madeDigest(text: string, algorithm: 'blake3' | 'sha256' = 'blake3'): string {
  return `${algorithm}:${createHash('sha256').update(text).digest('hex')}`;
}

/** A version's state with what a test says of it, everything else made up from its name. */
export function versionState(
  name: string,
  options: Partial<Omit<VersionState, 'summary'>> & { summary?: Partial<VersionState['summary']> } = {},
): VersionState {
  const [model = '', version = ''] = name.split('@');
  const { summary, ...rest } = options;
  return {
    model,
    version,
    manifest: madeDigest(`manifest ${name}`, 'sha256'),
    seq: 1,
    summary: {
      commit: createHash('sha1').update(name).digest('hex'),
      author: 'Ada <ada@example.com>',
      created: '2026-03-01T10:00:00Z',
      params: {},
      metrics: {},
      artifacts: [madeDigest(`artifact ${name}`)],
      data: [madeDigest('data')],
      ...summary,
    },
    evaluations: {},
    approvals: [],
    stages: [],
    ...rest,
  };
}

/** Who stands on a stage: versions with their traffic, in the order in which they came. */
export function assignments(...traffic: readonly (readonly [version: string, percent: number])[]): Assignment[] {
  return traffic.map(([version, percent], index) => ({
    version,
    traffic: percent,
    since: '2026-03-01T10:00:00Z',
    by: 'Ada <ada@example.com>',
    seq: index + 1,
  }));
}

/** A model's state from its versions and what each stage held, oldest first. */
export function modelState(
  name: string,
  versions: readonly VersionState[],
  held: Readonly<Record<string, readonly Assignment[][]>> = {},
): ModelState {
  const history = new Map(Object.entries(held));
  return {
    name,
    meta: { mlv: 1 },
    versions: new Map(versions.map((version) => [version.version, version])),
    stages: new Map([...history].map(([stage, sets]) => [stage, sets.at(-1) ?? []])),
    held: history,
  };
}

/** A registry that is only in memory. */
export function memoryView(
  models: readonly ModelState[],
  more: { manifests?: readonly Manifest[]; events?: Record<string, PlacedEvent[]>; policy?: Policy } = {},
): RegistryView {
  return {
    tip: 'f'.repeat(40),
    models: async () => models.map(({ name }) => name).sort(),
    model: async (name) => models.find((each) => each.name === name),
    allModels: async () => [...models].sort((left, right) => (left.name < right.name ? -1 : 1)),
    summaries: async () => models.map(summarizeModel),
    policyText: async () => undefined,
    manifest: async (model, version) => {
      const found = more.manifests?.find((each) => each.model === model && each.version === version);
      if (found) return found;
      throw new MlvError('VERSION_UNKNOWN', `${model} has no version ${version}`);
    },
    events: async (name) => more.events?.[name] ?? [],
    policy: async () => more.policy ?? DEFAULT_POLICY,
  };
}
