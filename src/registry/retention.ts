import { ARCHIVED } from './fold.js';
import type { ModelState, VersionState } from './registry.js';
import { newestFirst } from './version-order.js';

/** What the section `retention` of the configuration asks for. */
export interface RetentionRules {
  /** The newest versions of each model that are kept; undefined where no rule thins them out. */
  last: number | undefined;
}

/** A version whose objects no collection may take, and why. */
export interface RetainedVersion {
  model: string;
  version: string;
  /** For people: `on production`, `until 2028-12-31`, `one of the last 10`, `part of bundle@2.0.0`. */
  reasons: string[];
}

/** The versions of a registry, told apart. */
export interface RetentionPlan {
  kept: RetainedVersion[];
  /** What no rule keeps, as `model@version`. */
  released: string[];
}

/**
 * Which versions are kept: what stands on a stage (`archived` is none), what stood there right before, so that a rollback
 * finds it, what is to be retained until a day that is not over, the newest `last` of each model, and what kept versions
 * are composed of. The same for a collection of this machine and of a remote. Pure; `today` is `2026-01-31`, in UTC.
 */
export function planRetention(models: readonly ModelState[], { last }: RetentionRules, today: string): RetentionPlan {
  const reasons = new Map<VersionState, string[]>();
  const all = models.flatMap((model) => newestFirst(model.versions.values()));
  for (const model of models) {
    for (const [at, version] of newestFirst(model.versions.values()).entries())
      reasons.set(version, ownReasons(model, version, { isLast: at < (last ?? 0), last, today }));
  }
  addComponents(all, reasons);
  const isKept = (version: VersionState): boolean => (reasons.get(version) ?? []).length > 0;
  const kept = all.filter(isKept);
  const released = all.filter((version) => !isKept(version)).map(nameOf);
  return {
    kept: kept.map((each) => ({ model: each.model, version: each.version, reasons: reasons.get(each) ?? [] })),
    released,
  };
}

function ownReasons(
  model: ModelState,
  { version, stages, summary }: VersionState,
  { isLast, last, today }: { isLast: boolean; last: number | undefined; today: string },
): string[] {
  const reasons = stages.filter((stage) => stage !== ARCHIVED).map((stage) => `on ${stage}`);
  for (const [stage, history] of model.held) {
    const before = stage === ARCHIVED ? undefined : history.at(-2);
    if (!stages.includes(stage) && before?.some((each) => each.version === version)) reasons.push(`on ${stage} before`);
  }
  const until = summary.retain_until;
  if (until !== undefined && until >= today) reasons.push(`until ${until}`);
  if (isLast) reasons.push(last === 1 ? 'the newest' : `one of the last ${last}`);
  return reasons;
}

/** What a kept version consists of is kept, and so on. */
function addComponents(all: readonly VersionState[], reasons: Map<VersionState, string[]>): void {
  const byManifest = new Map(all.map((version) => [version.manifest, version]));
  const open = all.filter((version) => (reasons.get(version) ?? []).length > 0);
  for (let whole = open.pop(); whole; whole = open.pop()) {
    for (const manifest of whole.summary.components ?? []) {
      const part = byManifest.get(manifest);
      const known = part && reasons.get(part);
      if (!part || !known) continue;
      if (known.length === 0) open.push(part);
      if (!known.includes(`part of ${nameOf(whole)}`)) known.push(`part of ${nameOf(whole)}`);
    }
  }
}

function nameOf({ model, version }: VersionState): string {
  return `${model}@${version}`;
}
