import { isMlvError, MlvError } from '../core/errors.js';
import type { GateResult } from '../registry/event.js';
import type { Refusal } from '../registry/judge.js';
import { refused } from '../registry/judge-commit.js';
import type { Carried, Proposer } from '../registry/transition.js';
import { type OpenRegistry, openRegistryHere } from './open-registry.js';
import { escapeControls } from './render/quote.js';
import { alignColumns } from './render/table.js';
import type { Session } from './session.js';
import type { Result, VerbInput } from './verb.js';

/** An open registry, and who asks for something of it. */
export interface OpenProposer {
  open: OpenRegistry;
  proposer: Proposer;
}

/** Opens the registry for a verb that writes to it, with the options that all of them take. Errors as openRegistryHere. */
export async function openProposer(session: Session, { options }: VerbInput): Promise<OpenProposer> {
  const open = await openRegistryHere(session);
  const proposer: Proposer = {
    git: open.git,
    registry: open.registry,
    by: await open.registry.author(),
    now: () => Math.floor(Date.now() / 1000),
    sign: options.sign === true,
    push: options.push !== false,
    dryRun: options.dryRun === true,
  };
  return { open, proposer };
}

/**
 * Runs a proposal and tells what came of it: every gate passed or failed, what was written, or why nothing was. A refusal
 * is a result, so that its gates are printed.
 */
export async function proposed(
  session: Session,
  { proposer }: OpenProposer,
  work: () => Promise<Carried>,
): Promise<Result & { carried?: Carried }> {
  try {
    const carried = await work();
    const name = `${carried.version.model}@${carried.version.version}`;
    const { event, gates, refusals, commit, pushed } = carried;
    const subject = `${name}: ${event?.type}${stageOf(event)}`;
    const failed = proposer.dryRun && refusals.length > 0 ? [shortened(refused(subject, refusals, gates), gates)] : [];
    const json = {
      dryRun: proposer.dryRun === true,
      name,
      event: event ?? null,
      gates,
      refusals,
      commit: commit ?? null,
      pushed,
    };
    const done = event === undefined ? [`${name}: nothing to do`] : doneLines(carried, proposer);
    return { text: gateLines(session, gates), done, json, errors: failed, carried };
  } catch (error) {
    if (!isMlvError(error, 'REGISTRY_REFUSED')) throw error;
    const gates = (error.data.gates ?? []) as GateResult[];
    const refusals = (error.data.refusals ?? []) as Refusal[];
    const json = {
      dryRun: proposer.dryRun === true,
      name: null,
      event: null,
      gates,
      refusals,
      commit: null,
      pushed: false,
    };
    return { text: gateLines(session, gates), json, errors: [shortened(error, gates)] };
  }
}

function doneLines({ event, version, pushed, commit, refusals }: Carried, { dryRun, push }: Proposer): string[] {
  const name = `${version.model}@${version.version}`;
  const stage = stageOf(event);
  if (dryRun) return refusals.length > 0 ? [] : [`${name} would be ${event?.type}${stage}; nothing was written`];
  const where = pushed
    ? ''
    : push
      ? ', in this clone only: there is no Git remote'
      : ', in this clone only: mlv registry push sends it';
  const override = event?.type === 'promoted' && event.override ? ', over failed gates' : '';
  const what = event?.type === 'rolled-back' ? `${event.stage} is back on ${name}` : `${name} ${event?.type}${stage}`;
  return [`${what}${override} (commit ${commit?.slice(0, 10)}${where})`];
}

function stageOf(event: Carried['event']): string {
  if (!event || !('stage' in event) || event.stage === undefined) return '';
  return ` ${WORDS[event.type] ?? 'for'} ${event.stage}`;
}

const WORDS: Record<string, string> = {
  promoted: 'to',
  demoted: 'from',
  'rolled-back': 'to on',
  deployed: 'on',
  guarded: 'on',
};

/** One line a gate: passed or failed, the rule, and the figure. */
export function gateLines({ style }: Pick<Session, 'style'>, gates: readonly GateResult[]): string[] {
  return alignColumns(
    gates.map(({ gate, rule, passed, found }) => [
      passed ? style.green('passed') : style.red('FAILED'),
      escapeControls(gate),
      escapeControls(`${rule}: ${found}`),
    ]),
  );
}

/** The refusal in few words where the gates above it say the rest. */
function shortened(error: MlvError, gates: readonly GateResult[]): MlvError {
  const refusals = (error.data.refusals ?? []) as Refusal[];
  const failed = gates.filter(({ passed }) => !passed);
  if (failed.length === 0 || !refusals.every(({ code }) => code.startsWith('gate-'))) return error;
  const subject = error.message.split(': ').slice(1, 3).join(': ');
  const message = `refused: ${subject}: ${failed.length} of ${gates.length} gates failed: ${failed.map(({ gate }) => gate).join(', ')}`;
  return new MlvError('REGISTRY_REFUSED', message, {
    data: error.data,
    ...(error.hint !== undefined && { hint: error.hint }),
  });
}
