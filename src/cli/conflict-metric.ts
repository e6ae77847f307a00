import { MlvError } from '../core/errors.js';
import { type Better, betterOf, type Metric } from '../provenance/metrics.js';
import type { Metrics } from '../provenance/parse-metrics.js';
import { findRun } from '../provenance/run-store.js';
import type { FetchRoot } from '../transfer/roots.js';
import type { ConflictedPointer } from '../workspace/conflicts.js';
import type { PointerSide } from '../workspace/pointer-merge.js';
import type { OpenRepository } from './context.js';
import { transferContext } from './open-transfer.js';
import { quotePath } from './render/quote.js';
import type { Session } from './session.js';

/** The side of a conflict whose run has the better figure. */
export interface MetricDecision {
  winner: 'ours' | 'theirs';
  metric: string;
  better: Better;
  ours: number;
  theirs: number;
}

/**
 * Decides a conflict by a metric of the runs that made the two sides; which direction is better is as given, else as the
 * metric says itself, else as its name says. Errors: `METRICS_INVALID` where a side names no run, has no such figure, or
 * both are equal; `OBJECT_MISSING` where the record of a run is not to be had.
 */
export async function decideByMetric(
  session: Session,
  repository: OpenRepository,
  { conflict, metric, better }: { conflict: ConflictedPointer; metric: string; better: Better | undefined },
): Promise<MetricDecision> {
  const found: Record<'ours' | 'theirs', Metric | undefined> = { ours: undefined, theirs: undefined };
  for (const side of ['ours', 'theirs'] as const) {
    const metrics = await metricsOf(session, repository, { conflict, side });
    found[side] = figure(metrics, { metric, conflict, side });
  }
  const { ours, theirs } = found as Record<'ours' | 'theirs', Metric>;
  const said = better ?? betterOf(metric, { ...theirs, ...ours });
  if (ours.value === theirs.value) {
    throw undecided(conflict, `both sides have ${metric} ${ours.value}`);
  }
  const winner = ours.value > theirs.value === (said === 'higher') ? 'ours' : 'theirs';
  return { winner, metric, better: said, ours: ours.value, theirs: theirs.value };
}

type SideOf = { conflict: ConflictedPointer; side: 'ours' | 'theirs' };

async function metricsOf(session: Session, repository: OpenRepository, { conflict, side }: SideOf): Promise<Metrics> {
  const run = (conflict[side] as PointerSide | undefined)?.pointer.run;
  if (!run) throw undecided(conflict, `the pointer of ${wordOf(side)} side names no run that made it`);
  const stored = findRun(repository, run.oid) ?? (await fetchedRun(session, repository, { conflict, side }));
  if (stored) return stored.record.metrics;
  throw new MlvError(
    'OBJECT_MISSING',
    `the record of the run of ${wordOf(side)} side of ${quotePath(conflict.path)} is not to be had`,
    {
      hint: 'whoever has it must push it (mlv push); or choose a side yourself: --ours, --theirs',
      data: { path: conflict.path, oid: run.oid },
    },
  );
}

async function fetchedRun(
  session: Session,
  repository: OpenRepository,
  { conflict, side }: SideOf,
): Promise<ReturnType<typeof findRun>> {
  const { pointer } = conflict[side] as PointerSide;
  const { core, remotes } = repository.config;
  const remote = pointer.remote ?? core.remote ?? '';
  if (!pointer.run || !remotes.has(remote)) return undefined;
  const { fetchObjects } = await import('../transfer/fetch.js');
  const { openTransfer } = await import('../transfer/open-transfer.js');
  const { oid, size } = pointer.run;
  const root: FetchRoot = { oid, size, directory: true, path: conflict.path, below: '', isRecord: true };
  const open = await openTransfer(transferContext(session, repository), remote);
  try {
    await fetchObjects(open.transfer, [root]);
  } finally {
    await open.close();
  }
  return findRun(repository, oid);
}

function figure(metrics: Metrics, { metric, conflict, side }: SideOf & { metric: string }): Metric {
  const found = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  if (found) return found;
  const known = Object.keys(metrics).sort().join(', ') || 'none';
  throw undecided(conflict, `the run of ${wordOf(side)} side has no ${metric} (its metrics: ${known})`);
}

function wordOf(side: 'ours' | 'theirs'): string {
  return side === 'ours' ? 'our' : 'their';
}

function undecided({ path }: ConflictedPointer, reason: string): MlvError {
  return new MlvError('METRICS_INVALID', `${quotePath(path)} cannot be decided by a metric: ${reason}`, {
    hint: 'choose a side yourself: --ours, --theirs',
    data: { path },
  });
}
