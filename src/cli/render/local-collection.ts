import type { RetentionPlan } from '../../registry/retention.js';
import type { LocalReport, LocalVersion, ObjectCount } from '../../transfer/collect-local.js';
import { quotePath } from './quote.js';
import { formatBytes, formatCount } from './units.js';

/** Versions that are named one by one. */
const MOST = 20;

const REASONS: Record<LocalReport['kept'][number]['reason'], string> = {
  'working trees': 'for the working trees: their pointers, indexes, HEADs and what is under way',
  stash: 'for the stash',
  commits: 'for the commits that were asked for',
  history: 'for all that Git leads to',
  registry: 'for versions of models',
  links: 'because links of a workspace lead to them',
  'other repositories': 'for other repositories that share the cache',
  unproven: 'because no remote was proved to have them',
};

/** What a collection of the cache did, or would do, as lines. */
export function* localCollectionLines(
  report: LocalReport,
  { retention, unnamed }: { retention: RetentionPlan | undefined; unnamed: boolean },
): Generator<string> {
  const { directory, held, kept, removed, unproven, dryRun } = report;
  yield `${directory}: ${count(held)}`;
  for (const { reason, ...each } of kept) {
    yield `kept ${count(each)} ${REASONS[reason]}`;
    if (reason === 'unproven') yield* some(unproven.map(nameOf));
    if (reason === 'registry' && retention) yield* retentionLines(retention);
  }
  const did = dryRun ? 'would remove' : 'removed';
  if (removed.versions.length > 0) {
    yield `${did} what a remote was proved to have:`;
    yield* some(removed.versions.map(versionLine));
  }
  const { proven, lost } = removed.unnamed;
  if (proven.objects > 0) yield `${did} ${count(proven)} that nothing names, and that are on a remote`;
  if (lost.objects > 0) yield `${did} ${count(lost)} that nothing names, and that no remote has`;
  if (report.unnamed.objects > 0) yield unnamedLine(report.unnamed, unnamed);
  yield removed.objects > 0 ? `${did} ${count(removed)} in all` : `nothing ${dryRun ? 'would be' : 'was'} removed`;
}

/** Which versions of models are kept by which rule, and how many by none. */
export function* retentionLines({ kept, released }: RetentionPlan): Generator<string> {
  yield* some(kept.map(({ model, version, reasons }) => `${model}@${version}  ${reasons.join(', ')}`));
  if (released.length > 0) yield `    ${formatCount(released.length, 'version')} that no rule keeps`;
}

function unnamedLine(unnamed: ObjectCount, asked: boolean): string {
  const why = asked ? 'they are younger than the grace' : '--unnamed removes them, too';
  return `kept ${count(unnamed)} that nothing names and no remote has: ${why}`;
}

function versionLine(version: LocalVersion): string {
  return `${nameOf(version)}  ${count(version)}, on ${version.remote}`;
}

function nameOf({ path, commit }: { path: string; commit: string | null }): string {
  return commit === null ? quotePath(path) : `${quotePath(path)}@${commit.slice(0, 12)}`;
}

function count({ objects, bytes }: ObjectCount): string {
  return `${formatCount(objects, 'object')} (${formatBytes(bytes)})`;
}

function* some(lines: readonly string[]): Generator<string> {
  for (const line of lines.slice(0, MOST)) yield `    ${line}`;
  if (lines.length > MOST) yield `    and ${lines.length - MOST} more (--json lists all)`;
}
