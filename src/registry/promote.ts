import { MlvError } from '../core/errors.js';
import { resolveReference, versionName } from './reference-resolve.js';
import { type Carried, carryOut, eventBase, knownStage, type Proposer } from './transition.js';

/** A promotion that somebody asks for. */
export interface PromotionRequest {
  reference: string;
  stage: string;
  /** Share of the callers in percent, above 0. */
  traffic: number;
  reason?: string | undefined;
  ticket?: string | undefined;
  /** Go on over failed gates, where the policy lets this person. */
  override: boolean;
}

/**
 * Puts a version on a stage where every gate of the policy in force lets it; see docs/registry.md. Errors:
 * `REGISTRY_REFUSED`, `STAGE_UNKNOWN`, `USAGE`, those of resolveReference and Registry.change.
 */
export async function promoteVersion(proposer: Proposer, request: PromotionRequest): Promise<Carried> {
  const { reference, traffic, override, reason } = request;
  if (override && !reason?.trim()) {
    throw new MlvError('USAGE', 'an override needs a reason, which stays in the history', {
      hint: 'give it: --reason …',
    });
  }
  return carryOut(proposer, async (view) => {
    const { model, version } = await resolveReference(view, reference);
    const stage = knownStage(await view.policy(), request.stage);
    const assigned = model.stages.get(stage) ?? [];
    const own = assigned.find((each) => each.version === version.version);
    const subject = `${versionName(version)}: promoted to ${stage}${traffic < 100 ? ` (${traffic} %)` : ''}`;
    const share = assigned.length === (own ? 1 : 0) ? 100 : traffic;
    if (own && (own.traffic === share || stage === 'archived')) return { event: undefined, version, subject };
    const replaces = traffic < 100 || stage === 'archived' ? [] : assigned.filter((each) => each !== own);
    const event = {
      ...eventBase(version, proposer, request),
      type: 'promoted' as const,
      stage,
      from: own ? stage : (version.stages.at(-1) ?? 'none'),
      traffic,
      ...(replaces.length > 0 && { replaces: replaces.map((each) => each.version) }),
      ...(override && { override: true as const }),
    };
    return { event, version, subject };
  });
}

/** Takes a version from a stage to another one, or to none. Errors as promoteVersion. */
export function demoteVersion(
  proposer: Proposer,
  request: { reference: string; stage?: string | undefined; to?: string | undefined; reason?: string | undefined },
): Promise<Carried> {
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, request.reference);
    const policy = await view.policy();
    const stage = request.stage === undefined ? onlyStage(version) : knownStage(policy, request.stage);
    const to = request.to === undefined || request.to === 'none' ? 'none' : knownStage(policy, request.to);
    const subject = `${versionName(version)}: demoted from ${stage}`;
    const isThere = version.stages.includes(stage);
    const event = { ...eventBase(version, proposer, request), type: 'demoted' as const, stage, to };
    return { event: isThere ? event : undefined, version, subject };
  });
}

/** Takes a version from every stage, for good. Errors as promoteVersion. */
export function archiveVersion(
  proposer: Proposer,
  request: { reference: string; reason?: string | undefined },
): Promise<Carried> {
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, request.reference);
    const subject = `${versionName(version)}: archived`;
    const event = { ...eventBase(version, proposer, request), type: 'archived' as const };
    return { event: version.stages.includes('archived') ? undefined : event, version, subject };
  });
}

function onlyStage(version: { model: string; version: string; stages: readonly string[] }): string {
  const [stage, ...others] = version.stages;
  if (stage !== undefined && others.length === 0) return stage;
  const name = `${version.model}@${version.version}`;
  const where = stage === undefined ? 'it stands on no stage' : `it stands on ${version.stages.join(', ')}`;
  throw new MlvError('USAGE', `from which stage ${name} should go is not clear: ${where}`, {
    hint: `say so: mlv demote ${name} --from <stage>`,
  });
}
