import { nearest } from '../config/nearest.js';
import { MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import type { EventBase, GateResult, RegistryEvent } from './event.js';
import { type Judgement, judgeChange, type Refusal } from './judge.js';
import { broughtBy, needsSignature, policyForged, refused } from './judge-commit.js';
import { beforeOf, type ViewBefore } from './judge-view.js';
import type { Policy } from './policy.js';
import type { Registry, RegistryChange, RegistryView, VersionState } from './registry.js';

/** Who asks for something of the registry, and with what. */
export interface Proposer {
  git: Git;
  registry: Registry;
  /** `Name <mail>`. */
  by: string;
  /** Seconds since 1970. */
  now: () => number;
  /** Ask for a signature where the policy does not. */
  sign?: boolean;
  /** False: keep the change in this clone. */
  push?: boolean;
  /** Only say what would be done. */
  dryRun?: boolean;
}

/** What a proposal came to. */
export interface Decided {
  /** Undefined where there was nothing to do. */
  event: RegistryEvent | undefined;
  version: VersionState;
  /** Every gate, passed ones included. */
  gates: GateResult[];
  refusals: Refusal[];
}

/** What came of a proposal. */
export interface Carried extends Decided {
  commit: string | undefined;
  pushed: boolean;
}

/** An event that is proposed on a view; its gates are filled in when they are judged. */
export interface Proposal {
  /** Undefined where there is nothing to do. */
  event: RegistryEvent | undefined;
  version: VersionState;
  subject: string;
}

/** What all events say, of one version by one person. */
export function eventBase(
  { model, version, manifest }: Pick<VersionState, 'model' | 'version' | 'manifest'>,
  { by, now }: Pick<Proposer, 'by' | 'now'>,
  said: { reason?: string | undefined; ticket?: string | undefined } = {},
): EventBase {
  const { reason, ticket } = said;
  const at = new Date(now() * 1000).toISOString().replace('.000Z', 'Z');
  const words = { ...(reason !== undefined && { reason }), ...(ticket !== undefined && { ticket }) };
  return { mlv: 1, model, version, manifest, by, at, ...words };
}

/**
 * Proposes one event on the newest state, judges it by the policy in force there, and writes it; a lost race is decided
 * again. With `dryRun` the same is judged, and nothing written. Errors: `REGISTRY_REFUSED` (its `data` has the gates),
 * what `propose` throws, those of Registry.change.
 */
export async function carryOut(
  proposer: Proposer,
  propose: (view: RegistryView) => Promise<Proposal>,
): Promise<Carried> {
  const { registry, dryRun = false, push = true } = proposer;
  let decided: Decided | undefined;
  const decide = async (view: RegistryView): Promise<RegistryChange | undefined> => {
    const { event, version, subject } = await propose(view);
    if (event === undefined) {
      decided = { event, version, gates: [], refusals: [] };
      return undefined;
    }
    const change: RegistryChange = { subject, events: [event], ...(proposer.sign && { sign: true }) };
    const judged = await judgeProposal(view, change, proposer);
    const gates = judged.gates.get(0) ?? [];
    const complete = withGates(event, gates);
    decided = { event: complete, version, gates, refusals: judged.refusals };
    if (judged.refusals.length > 0 && !dryRun) throw refused(subject, judged.refusals, gates);
    return { ...change, events: [complete], sign: judged.sign };
  };
  if (dryRun) {
    await decide(await registry.viewOrFetch());
    return { ...(decided as unknown as Decided), commit: undefined, pushed: false };
  }
  const { commit, pushed } = await registry.change(decide, { push });
  return { ...(decided as unknown as Decided), commit, pushed };
}

/** Judges a change before it is made; a signature that the policy asks for is taken as promised, and checked when made. Errors: those of Git. */
export async function judgeProposal(
  view: RegistryView,
  change: RegistryChange,
  { git, by, now }: Pick<Proposer, 'git' | 'by' | 'now'>,
): Promise<Judgement & { sign: boolean; before: ViewBefore }> {
  const { events, registers } = broughtBy(change);
  const signatures = await git.signatures();
  try {
    const before = await beforeOf(view, events, { git, signatures, now: now() });
    const sign = (change.sign ?? false) || needsSignature(before.policy, change) || leavesSigned(events, before);
    const standing = sign ? ({ kind: 'promised' } as const) : ({ kind: 'none' } as const);
    const judged = { by, time: now(), standing, events, registers, writesPolicy: false };
    const judgement = judgeChange(judged, before);
    judgement.refusals.push(...before.policyProblems.map(policyForged));
    return { ...judgement, sign, before };
  } finally {
    signatures.close();
  }
}

/** Whether an archived version leaves a stage whose moves are signed. */
function leavesSigned(events: readonly RegistryEvent[], { policy, model }: ViewBefore): boolean {
  return events.some((event) => {
    if (event.type !== 'archived') return false;
    const stages = model(event.model)?.versions.get(event.version)?.stages ?? [];
    return stages.some((stage) => policy.stages[stage]?.signed);
  });
}

/** An event with the gates that it passed, and without an override that nothing asked for. */
function withGates(event: RegistryEvent, gates: readonly GateResult[]): RegistryEvent {
  if (event.type !== 'promoted') return event;
  const { override, ...rest } = event;
  const needed = override && gates.some(({ passed }) => !passed);
  return { ...rest, ...(gates.length > 0 && { gates: [...gates] }), ...(needed && { override }) };
}

/** A stage by its name. Error: `STAGE_UNKNOWN` with the nearest. */
export function knownStage(policy: Policy, stage: string): string {
  const stages = Object.keys(policy.stages);
  if (stages.includes(stage)) return stage;
  const near = nearest(stage, stages);
  const guess = near === undefined ? '' : `did you mean ${stages[near]}? `;
  throw new MlvError('STAGE_UNKNOWN', `there is no stage '${stage}'`, {
    hint: `${guess}the stages are: ${stages.join(', ')}`,
    data: { stage, stages },
  });
}
