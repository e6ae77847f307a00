import { MlvError } from '../../core/errors.js';
import { retainedRoots } from '../../registry/retained-roots.js';
import type { RetentionPlan } from '../../registry/retention.js';
import { type CollectionReport, collectRemote } from '../../transfer/collect-remote.js';
import type { DeadObject } from '../../transfer/collection-dead.js';
import { collectGitRoots, type GitRoots } from '../../transfer/collection-roots.js';
import { type OpenRepository, openRepository } from '../context.js';
import { parseDuration } from '../duration.js';
import { collectCache, LOCAL_OPTIONS } from '../gc-local.js';
import { defaultRemote, type OpenTransfer, openTransfer } from '../open-transfer.js';
import { collectionLines } from '../render/collection.js';
import { retentionLines } from '../render/local-collection.js';
import { escapeControls } from '../render/quote.js';
import type { Session } from '../session.js';
import { today } from '../today.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

const DEFAULT_GRACE = '14d';
const LEAST_GRACE = '1h';
const OFFLINE = 'a collection of the cache asks no Git remote';

/** `mlv gc`: see its declaration. Errors: `USAGE`, those of collectGitRoots, retainedRoots, collectRemote and collectCache. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  if (options.dryRun === true && options.yes === true) throw contradiction();
  const grace = textOption(options.grace) ?? DEFAULT_GRACE;
  if (options.remote === undefined) {
    if (options.offline === true) throw new MlvError('USAGE', '--offline belongs to --remote', { hint: OFFLINE });
    return collectCache(session, input, { graceMs: parseDuration(grace, '--grace') });
  }
  const other = LOCAL_OPTIONS.find((name) => options[name] !== undefined && options[name] !== false);
  if (other !== undefined) throw onlyLocal(other);
  return collectFromRemote(session, input, readGrace(grace));
}

async function collectFromRemote(session: Session, { options }: VerbInput, graceMs: number): Promise<Result> {
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const name = textOption(options.remote) ?? defaultRemote(repository);
  const choice = { offline: options.offline === true, ignoreUnreadable: options.ignoreUnreadable === true };
  const { git, retention } = await keptRoots(repository, choice);
  const open = await openTransfer(session, repository, name);
  try {
    const started = performance.now();
    const dryRun = options.yes !== true;
    const { ignoreUnreadable } = choice;
    const report = await collectRemote(open.transfer, { roots: git.roots, graceMs, dryRun, ignoreUnreadable });
    const seconds = Math.round(performance.now() - started) / 1000;
    const rulesSay = retention ? ['versions of models that the rules keep:', ...retentionLines(retention)] : [];
    const lines = [...collectionLines(report, `${name} (${open.transfer.remote.url})`), ...rulesSay];
    return {
      ...(dryRun ? { text: lines } : { done: lines }),
      json: { ...document(report, { open, git }), retention: retention ?? null, grace: graceMs / 1000, seconds },
      notes: notesOn(report, { git, offline: choice.offline }),
    };
  } finally {
    await open.close();
  }
}

/** What Git and the registry lead to, and what the rules on versions have to do with it. */
async function keptRoots(
  repository: OpenRepository,
  choice: { offline: boolean; ignoreUnreadable: boolean },
): Promise<{ git: GitRoots; retention: RetentionPlan | undefined }> {
  const { last } = repository.config.retention;
  const rules = last === undefined ? undefined : { last };
  const { ignoreUnreadable } = choice;
  let retention: RetentionPlan | undefined;
  const git = await collectGitRoots(repository, {
    ...choice,
    retained: async (remoteTips) => {
      const found = await retainedRoots(repository.git, { remoteTips, ignoreUnreadable, rules, today: today() });
      retention = found.retention;
      return found;
    },
  });
  return { git, retention };
}

function contradiction(): MlvError {
  return new MlvError('USAGE', '--dry-run and --yes contradict each other', {
    hint: 'without --yes it only says what would be done',
  });
}

function onlyLocal(option: string): MlvError {
  const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new MlvError('USAGE', `--${flag} is about the cache: a remote keeps all that Git and the registry lead to`, {
    hint: 'leave it out, or collect the cache: mlv gc without --remote',
  });
}

function readGrace(text: string): number {
  const graceMs = parseDuration(text, '--grace');
  if (graceMs >= parseDuration(LEAST_GRACE, '--grace')) return graceMs;
  throw new MlvError(
    'USAGE',
    `a grace of ${text} is too short: pushes that are under way would lose what they rely on`,
    {
      hint: `give at least ${LEAST_GRACE}, and more than the longest push takes`,
    },
  );
}

function notesOn(report: CollectionReport, { git, offline }: { git: GitRoots; offline: boolean }): string[] {
  const notes: string[] = [];
  if (offline) notes.push('the Git remotes were not asked: what branches need that this clone lacks was not kept');
  for (const { message } of [...git.unreadable, ...report.unreadable])
    notes.push(`passed over: ${escapeControls(message)}`);
  if (report.dryRun) notes.push('this was a dry run: mlv gc --remote --yes carries it out');
  return notes;
}

function document(
  report: CollectionReport,
  { open, git }: { open: OpenTransfer; git: GitRoots },
): Record<string, unknown> {
  const { setAside, swept, waiting, unreadable, ...rest } = report;
  return {
    remote: open.name,
    url: open.transfer.remote.url,
    ...rest,
    setAside: { ...setAside, objects: setAside.objects.map(object) },
    swept: { ...swept, objects: swept.objects.map(object) },
    waiting: { ...waiting, until: waiting.until === undefined ? null : new Date(waiting.until).toISOString() },
    unreadable: { pointers: git.unreadable, records: unreadable },
    ...open.traffic(),
  };
}

function object({ oid, kind, size, files, names }: DeadObject): Record<string, unknown> {
  return { oid, kind, size, files, names };
}
