import { MlvError } from '../core/errors.js';
import type { Attachment } from './event.js';
import { resolveReference, versionName } from './reference-resolve.js';
import { type Carried, carryOut, eventBase, knownStage, type Proposer } from './transition.js';

/** A word for or against a version on a stage. */
export interface WordRequest {
  reference: string;
  stage: string;
  approved: boolean;
  reason: string;
  ticket?: string | undefined;
  /** Kept as objects already. */
  attachments: readonly Attachment[];
}

/** Approves or rejects a version for a stage. Errors: `REGISTRY_REFUSED`, `STAGE_UNKNOWN`, those of Registry.change. */
export function giveWord(proposer: Proposer, request: WordRequest): Promise<Carried> {
  const { reference, approved, attachments } = request;
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, reference);
    const stage = knownStage(await view.policy(), request.stage);
    const type = approved ? ('approved' as const) : ('rejected' as const);
    const kept = attachments.length > 0 ? { attachments: [...attachments] } : {};
    const event = { ...eventBase(version, proposer, request), type, stage, ...kept };
    return { event, version, subject: `${versionName(version)}: ${type} for ${stage}` };
  });
}

/** Figures that were measured later. */
export interface EvaluationRequest {
  reference: string;
  metrics: Record<string, { value: number; better?: 'higher' | 'lower' }>;
  on?: string | undefined;
  onOid?: string | undefined;
  reason?: string | undefined;
}

/** Records what was measured of a version after it was registered. Errors as giveWord. */
export function evaluateVersion(proposer: Proposer, request: EvaluationRequest): Promise<Carried> {
  const { reference, metrics, on, onOid } = request;
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, reference);
    const where = { ...(on !== undefined && { on }), ...(onOid !== undefined && { on_oid: onOid }) };
    const figures = Object.fromEntries(
      Object.entries(metrics).map(([name, { value, better }]) => [name, { value, ...(better && { better }) }]),
    );
    const event = { ...eventBase(version, proposer, request), type: 'evaluated' as const, metrics: figures, ...where };
    const subject = `${versionName(version)}: evaluated${on === undefined ? '' : ` on ${on}`}`;
    return { event, version, subject };
  });
}

/** Says that a version should not be used any more. Errors as giveWord, `USAGE` where it would be its own successor. */
export function deprecateVersion(
  proposer: Proposer,
  request: { reference: string; successor?: string | undefined; reason?: string | undefined },
): Promise<Carried> {
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, request.reference);
    const next = request.successor === undefined ? undefined : await resolveReference(view, request.successor);
    const successor = next && versionName(next.version);
    if (successor === versionName(version)) throw new MlvError('USAGE', `${successor} cannot follow itself`);
    const event = {
      ...eventBase(version, proposer, request),
      type: 'deprecated' as const,
      ...(successor !== undefined && { successor }),
    };
    const isSo = version.deprecated !== undefined && version.deprecated.successor === successor;
    return { event: isSo ? undefined : event, version, subject: `${versionName(version)}: deprecated` };
  });
}

/** Records how a check of the policy ended. Errors as giveWord. */
export function recordCheck(
  proposer: Proposer,
  request: { reference: string; check: string; command: string; exit: number; attachments: readonly Attachment[] },
): Promise<Carried> {
  const { reference, check, command, exit, attachments } = request;
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, reference);
    const kept = attachments.length > 0 ? { attachments: [...attachments] } : {};
    const event = { ...eventBase(version, proposer), type: 'checked' as const, check, command, exit, ...kept };
    return { event, version, subject: `${versionName(version)}: check ${check} ended with ${exit}` };
  });
}

/** Notes where a version was rolled out to. Errors as giveWord. */
export function noteDeployment(
  proposer: Proposer,
  request: { reference: string; stage?: string | undefined; target?: string | undefined; note?: string | undefined },
): Promise<Carried> {
  return carryOut(proposer, async (view) => {
    const { version } = await resolveReference(view, request.reference);
    const { target, note } = request;
    const stage = request.stage === undefined ? undefined : knownStage(await view.policy(), request.stage);
    const event = {
      ...eventBase(version, proposer),
      type: 'deployed' as const,
      ...(stage !== undefined && { stage }),
      ...(target !== undefined && { target }),
      ...(note !== undefined && { note }),
    };
    return {
      event,
      version,
      subject: `${versionName(version)}: deployed${target === undefined ? '' : ` to ${target}`}`,
    };
  });
}
