import { isMlvError, MlvError } from '../core/errors.js';
import { retainedRoots } from '../registry/retained-roots.js';
import type { RetentionPlan } from '../registry/retention.js';
import { collectLocal, type LocalReport } from '../transfer/collect-local.js';
import type { LocalRetained, LocalScope } from '../transfer/local-roots.js';
import { type OpenRepository, openRepository } from './context.js';
import { parseDuration } from './duration.js';
import { errorDocument } from './errors.js';
import { transferContext } from './open-transfer.js';
import { neededByOthers } from './other-repositories.js';
import { localCollectionLines } from './render/local-collection.js';
import type { Session } from './session.js';
import { today } from './today.js';
import { type Result, textOption, type VerbInput } from './verb.js';

const MOST_COMMITS = 1_000_000;

/** Options of `mlv gc` that choose what the cache keeps, in camel case. */
export const LOCAL_OPTIONS = ['workspace', 'allBranches', 'allTags', 'last', 'since', 'unnamed'] as const;

/** `mlv gc` without `--remote`: see its declaration. Errors: `USAGE`, those of collectLocal and retainedRoots. */
export async function collectCache(
  session: Session,
  { options }: VerbInput,
  { graceMs }: { graceMs: number },
): Promise<Result> {
  const scope = readScope(options, Date.now());
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const ignoreUnreadable = options.ignoreUnreadable === true;
  const unnamed = options.unnamed === true;
  let retention: RetentionPlan | undefined;
  const report = await collectLocal(transferContext(session, repository), {
    scope,
    dryRun: options.yes !== true,
    ignoreUnreadable,
    complete: unnamed,
    unnamedAfterMs: unnamed ? graceMs : undefined,
    retained: async (limited) => {
      const found = await retained(repository, { limited, ignoreUnreadable });
      retention = found.retention;
      return found;
    },
    others: () => neededByOthers(session, repository),
    now: Date.now,
  });
  const lines = [...localCollectionLines(report, { retention, unnamed })];
  return {
    ...(report.dryRun ? { text: lines } : { done: lines }),
    json: document(report, { retention, scope }),
    notes: notesOn(report),
    errors: report.errors.filter((error) => !isMlvError(error, 'REMOTE_NOT_CONFIGURED')),
  };
}

function retained(
  { git, config }: OpenRepository,
  { limited, ignoreUnreadable }: { limited: boolean; ignoreUnreadable: boolean },
): Promise<LocalRetained & { retention: RetentionPlan | undefined }> {
  const { last } = config.retention;
  // Without a scope, only a rule lets a version go.
  const rules = limited || last !== undefined ? { last } : undefined;
  return retainedRoots(git, { remoteTips: [], ignoreUnreadable, rules, today: today() });
}

function readScope(options: VerbInput['options'], now: number): LocalScope {
  const last = textOption(options.last);
  const since = textOption(options.since);
  const [branches, tags] = [options.allBranches === true, options.allTags === true];
  const limited = options.workspace === true || branches || tags || last !== undefined || since !== undefined;
  if (!limited) return { commits: undefined };
  return {
    commits: {
      branches,
      tags,
      last: last === undefined ? 1 : readCount(last),
      since: since === undefined ? undefined : readSince(since, now),
    },
  };
}

function readCount(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_COMMITS) return count;
  throw new MlvError('USAGE', `'${text}' is not a number of commits for --last`, {
    hint: `give a whole number from 1 to ${MOST_COMMITS}`,
    data: { value: text },
  });
}

/** Seconds since 1970 of `2026-01-31`, of a time such as `2026-01-31T12:00:00Z`, or of so long ago (`30d`). */
function readSince(text: string, now: number): number {
  if (/^\d+[hdw]$/.test(text)) return (now - parseDuration(text, '--since')) / 1000;
  const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const time = isDate ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time / 1000;
  throw new MlvError('USAGE', `'${text}' is not a date for --since`, {
    hint: 'write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 30d',
    data: { value: text },
  });
}

function notesOn(report: LocalReport): string[] {
  const notes: string[] = [];
  if (report.unproven.length > 0) {
    const unset = report.errors.some((error) => isMlvError(error, 'REMOTE_NOT_CONFIGURED'));
    notes.push(
      unset
        ? 'there is no remote to prove anything: mlv remote add <name> <url>, then mlv push --all-commits'
        : `what no remote has was kept: mlv push ${commitsOf(report.unproven)} sends it`,
    );
  }
  if (report.dryRun && report.removed.objects > 0) notes.push('this was a dry run: mlv gc … --yes carries it out');
  return notes;
}

const MOST_COMMITS_NAMED = 3;

/** The options of a push that sends what versions need: their commits, or all of history. */
function commitsOf(versions: LocalReport['unproven']): string {
  const commits = new Set(versions.map(({ commit }) => commit));
  if (commits.has(null) || commits.size > MOST_COMMITS_NAMED) return '--all-commits';
  return [...commits].map((commit) => `--rev ${commit?.slice(0, 12)}`).join(' ');
}

function document(
  report: LocalReport,
  { retention, scope }: { retention: RetentionPlan | undefined; scope: LocalScope },
): Record<string, unknown> {
  const { commits } = scope;
  return {
    ...report,
    scope: commits ? { ...commits, since: commits.since === undefined ? null : isoOf(commits.since) } : null,
    retention: retention ?? null,
    errors: report.errors.map(errorDocument),
  };
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
