import type { Environment } from '../provenance/environment.js';
import { type Better, betterOf, type Metric } from '../provenance/metrics.js';
import type { ParamValue } from '../provenance/params.js';
import { comparedItems, type ItemRow, type ListingDiff } from './compare-items.js';
import type { Manifest } from './manifest.js';
import type { VersionState } from './registry.js';
import { type ComponentDetail, flatComponents } from './version-detail.js';

/** A version with everything that is compared. */
export interface ComparedVersion {
  manifest: Manifest;
  evaluations: VersionState['evaluations'];
  /** As componentDetails gives them. */
  components: readonly ComponentDetail[];
}

/** One name with its value in each version, in their order; undefined where a version has none. */
export interface Row<T> {
  name: string;
  values: (T | undefined)[];
  /** True where all versions say the same. */
  same: boolean;
}

/** How a figure stands to that of the first version. */
export type Mark = 'better' | 'worse' | 'same';

export interface MetricRow extends Row<number> {
  /** The data set on which it was evaluated later; absent for a metric of the manifest. */
  on?: string;
  better: Better;
  /** For each version; undefined for the first, and where there is nothing to compare. */
  marks: (Mark | undefined)[];
}

/** Two and more versions beside one another; the first is what the others are compared with. */
export interface Comparison {
  /** `fraud@1.4.0`. */
  versions: string[];
  params: Row<ParamValue>[];
  metrics: MetricRow[];
  artifacts: ItemRow[];
  data: ItemRow[];
  /** What is known of the machines and their software, package by package. */
  environment: Row<string>[];
  /** Components, and theirs: `ranker > encoder`. */
  components: Row<string>[];
  /** The commit of each version; `range` is what `git log` and `git diff` take from the first, where they differ. */
  code: { commit: string; branch?: string; range?: string; unsaved: boolean }[];
}

/** Compares versions with the first of them. Pure; `listing` opens directory listings. */
export function compareVersionsOf(versions: readonly ComparedVersion[], listing: ListingDiff): Comparison {
  const manifests = versions.map(({ manifest }) => manifest);
  return {
    versions: manifests.map(({ model, version }) => `${model}@${version}`),
    params: rows(manifests.map(({ params }) => params)),
    metrics: [...metricRows(manifests.map(({ metrics }) => metrics)), ...evaluationRows(versions)],
    artifacts: comparedItems(
      manifests.map(({ artifacts }) => artifacts),
      listing,
    ),
    data: comparedItems(
      manifests.map(({ data }) => data),
      listing,
    ),
    environment: rows(manifests.map(({ environment }) => flatEnvironment(environment))),
    components: rows(versions.map(({ components }) => flatComponents(components))),
    code: manifests.map((manifest) => codeOf(manifest, manifests[0] as Manifest)),
  };
}

function rows<T>(records: readonly Readonly<Record<string, T>>[]): Row<T>[] {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
  return names.map((name) => {
    const values = records.map((record) => (Object.hasOwn(record, name) ? record[name] : undefined));
    const [first, ...others] = values.map((value) => JSON.stringify(value));
    return { name, values, same: others.every((other) => other === first) };
  });
}

function metricRows(records: readonly Readonly<Record<string, Metric>>[], on?: string): MetricRow[] {
  return rows(records).map(({ name, values: metrics, same: _, ...row }) => {
    const values = metrics.map((metric) => metric?.value);
    const better = betterOf(name, metrics.find((metric) => metric?.better !== undefined) ?? {});
    const [first] = values;
    const marks = values.map((value, index) => (index === 0 ? undefined : mark(value, first, better)));
    const same = values.every((value) => value === first);
    return { ...row, name, values, same, ...(on !== undefined && { on }), better, marks };
  });
}

function mark(value: number | undefined, first: number | undefined, better: Better): Mark | undefined {
  if (value === undefined || first === undefined) return undefined;
  if (value === first) return 'same';
  return value > first === (better === 'higher') ? 'better' : 'worse';
}

function evaluationRows(versions: readonly ComparedVersion[]): MetricRow[] {
  const sets = [...new Set(versions.flatMap(({ evaluations }) => Object.keys(evaluations)))].sort();
  return sets.flatMap((on) =>
    metricRows(
      versions.map(({ evaluations }) =>
        Object.hasOwn(evaluations, on) ? (evaluations[on] as Record<string, Metric>) : {},
      ),
      on,
    ),
  );
}

/** An environment as single facts by name: `package numpy`, `lock poetry.lock`, `variable OMP_NUM_THREADS`. */
export function flatEnvironment(environment: Environment | undefined): Record<string, string> {
  if (!environment) return {};
  const { packages = [], locks = {}, variables = {}, gpus, absent: _, ...single } = environment;
  const facts = Object.entries(single).map(([name, value]) => [name, String(value)]);
  if (gpus) facts.push(['gpus', gpus.join(', ')]);
  for (const each of packages) {
    const [name = each, version = ''] = each.split('==');
    facts.push([`package ${name}`, version]);
  }
  for (const [path, digest] of Object.entries(locks)) facts.push([`lock ${path}`, digest]);
  for (const [name, value] of Object.entries(variables)) facts.push([`variable ${name}`, value]);
  return Object.fromEntries(facts);
}

function codeOf({ commit, branch, difference }: Manifest, first: Manifest): Comparison['code'][number] {
  return {
    commit,
    ...(branch !== undefined && { branch }),
    ...(commit !== first.commit && { range: `${first.commit}..${commit}` }),
    unsaved: difference !== undefined,
  };
}
