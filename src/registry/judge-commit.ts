import { MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import { sha256Of } from './digest.js';
import type { GateResult, RegistryEvent } from './event.js';
import { versionFacts } from './fold.js';
import { stageOf } from './gates.js';
import { CLOCK_TOLERANCE, judgeChange, type Refusal } from './judge.js';
import { beforeOf } from './judge-view.js';
import { encodeManifest } from './manifest-format.js';
import type { Policy } from './policy.js';
import type { Judge, RegistryChange, VersionState } from './registry.js';
import { signerStanding } from './signers.js';

/**
 * The judge of everything that this clone writes: it reads the commit that was made, its signature too, and refuses it
 * before any ref moves, by the same rules as `mlv audit`. Error: `REGISTRY_REFUSED`.
 */
export function commitJudge(git: Git, now: () => number): Judge {
  return async (change, { view, commit }) => {
    const signatures = await git.signatures();
    try {
      const { events, registers } = broughtBy(change);
      const before = await beforeOf(view, events, { git, signatures, now: now() });
      const object = (await signatures.read([commit])).get(commit);
      const { author, committer, proof = { kind: 'none' } } = object ?? {};
      const by = `${author?.name ?? ''} <${author?.mail ?? ''}>`;
      const time = committer?.time ?? 0;
      const rules = { signers: before.policy.signers, keyFacts: signatures.keyFacts, by, time: Math.max(time, now()) };
      const standing = signerStanding(proof, rules);
      const judged = { by, time, standing, events, registers, writesPolicy: change.policy !== undefined };
      const { refusals, gates } = judgeChange(judged, before);
      refusals.push(...before.policyProblems.map(policyForged));
      if (time > now() + CLOCK_TOLERANCE) {
        refusals.push({ code: 'future-dated', sentence: 'its date is yet to come: look at the clock of this machine' });
      }
      if (refusals.length > 0) throw refused(change.subject, refusals, [...gates.values()].flat());
    } finally {
      signatures.close();
    }
  };
}

/** A change of the policy that nobody was allowed to make, as a refusal of what builds on it. */
export function policyForged(problem: string): Refusal {
  return {
    code: 'policy-forged',
    sentence: `the policy in force came about against the policy before it (${problem})`,
  };
}

/** Everything that a change writes about versions, the registration itself included. Pure. */
export function broughtBy({ register, events = [] }: RegistryChange): {
  events: RegistryEvent[];
  registers: Map<string, VersionState>;
} {
  if (!register) return { events, registers: new Map() };
  const { manifest } = register;
  const { model, version, author, created } = manifest;
  const { digest, summary } = versionFacts(manifest, sha256Of(encodeManifest(manifest)));
  const state = { model, version, manifest: digest, seq: 0, summary, evaluations: {}, approvals: [], stages: [] };
  const registered = { mlv: 1, type: 'registered', model, version, manifest: digest, by: author, at: created } as const;
  return { events: [registered, ...events], registers: new Map([[`${model}@${version}`, state]]) };
}

/** Whether the policy in force asks for a signature under a change. Pure. */
export function needsSignature(policy: Policy, change: RegistryChange): boolean {
  if (change.policy !== undefined && policy.policy?.signed) return true;
  if (change.register !== undefined && policy.register?.signed) return true;
  return (change.events ?? []).some((event) => stagesOf(event).some((stage) => stageOf(policy, stage).signed));
}

/** The stages whose rules an event falls under. */
function stagesOf(event: RegistryEvent): string[] {
  const stages = 'stage' in event && event.stage !== undefined && event.type !== 'deployed' ? [event.stage] : [];
  return event.type === 'archived' ? ['archived'] : stages;
}

/** The `REGISTRY_REFUSED` error; `data` has every refusal and every gate. */
export function refused(subject: string, refusals: readonly Refusal[], gates: readonly GateResult[]): MlvError {
  const sentences = refusals.map(({ sentence }) => sentence).join('; ');
  return new MlvError('REGISTRY_REFUSED', `refused: ${subject}: ${sentences}`, {
    hint: 'nothing was written; the rules: mlv policy show',
    data: { refusals: refusals.map(({ code, sentence }) => ({ code, sentence })), gates },
  });
}
