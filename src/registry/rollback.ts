import { MlvError } from '../core/errors.js';
import { rollbackProblem } from './judge.js';
import { requireModel, resolveReference, versionName } from './reference-resolve.js';
import type { ModelState, PlacedEvent, RegistryView, VersionState } from './registry.js';
import { type Carried, carryOut, eventBase, knownStage, type Proposer } from './transition.js';

export interface RollbackRequest {
  model: string;
  stage: string;
  /** The version to go back to; the last good one where absent. */
  to?: string | undefined;
  reason?: string | undefined;
  /** Makes sure that the version can be used: its objects are there, a smoke command holds. May throw to refuse. */
  ready: (view: RegistryView, version: VersionState) => Promise<void>;
}

/**
 * Gives a stage back to the last good version that stood there, or to one that is named. Asks for role and signature of
 * the stage, and for nothing that the version passed when it was promoted. Errors: `REGISTRY_REFUSED`,
 * `VERSION_UNKNOWN` where there is nothing to go back to, what `ready` throws, those of Registry.change.
 */
export function rollBack(proposer: Proposer, request: RollbackRequest): Promise<Carried> {
  const { reason, to, ready } = request;
  return carryOut(proposer, async (view) => {
    const stage = knownStage(await view.policy(), request.stage);
    const model = await requireModel(view, request.model);
    const version =
      to === undefined ? lastGood(model, stage, await view.events(model.name)) : await named(view, to, model);
    const others = (model.stages.get(stage) ?? []).filter((each) => each.version !== version.version);
    const subject = `${versionName(version)}: rolled back to on ${stage}`;
    const isAlone = others.length === 0 && version.stages.includes(stage);
    if (isAlone) return { event: undefined, version, subject };
    await ready(view, version);
    const event = {
      ...eventBase(version, proposer, { reason }),
      type: 'rolled-back' as const,
      stage,
      replaces: others.map((each) => each.version),
    };
    return { event, version, subject };
  });
}

async function named(view: RegistryView, to: string, model: ModelState): Promise<VersionState> {
  const { version } = await resolveReference(view, to.includes('@') ? to : `${model.name}@${to}`);
  if (version.model === model.name) return version;
  throw new MlvError('USAGE', `${versionName(version)} is no version of ${model.name}`);
}

/**
 * The version that a stage goes back to: of all that ever stood there, the one that came last, leaving out what came there
 * last of all, what is deprecated, archived or rejected for the stage, and what was rolled back and not promoted again since. Pure.
 * Error: `VERSION_UNKNOWN`.
 */
export function lastGood(model: ModelState, stage: string, events: readonly PlacedEvent[]): VersionState {
  const now = [...(model.stages.get(stage) ?? [])].sort((left, right) => right.seq - left.seq);
  const bad = rolledBack(events, stage);
  const passedOver: string[] = [];
  for (const assigned of [...(model.held.get(stage) ?? [])].reverse()) {
    for (const { version: name } of [...assigned].sort((left, right) => right.traffic - left.traffic)) {
      const version = model.versions.get(name);
      if (version === undefined || name === now[0]?.version) continue;
      const problem = bad.has(name) ? 'was rolled back itself' : goodnessProblem(version, stage);
      if (problem === undefined) return version;
      const why = `${name} ${problem}`;
      if (!passedOver.includes(why)) passedOver.push(why);
    }
  }
  const reasons = passedOver.length > 0 ? `: ${passedOver.join('; ')}` : '';
  throw new MlvError(
    'VERSION_UNKNOWN',
    `there is no good version of ${model.name} to go back to on ${stage}${reasons}`,
    {
      hint: `choose one: mlv rollback ${model.name} ${stage} --to <version>; what stood there: mlv history ${model.name}`,
      data: { model: model.name, stage, passedOver },
    },
  );
}

function goodnessProblem(version: VersionState, stage: string): string | undefined {
  const words = version.approvals.map(({ stage: on, by, approved, seq }) => ({ stage: on, by, approved, seq }));
  return rollbackProblem(version, words, stage);
}

/** Versions that a rollback took from the stage, and that nobody put there again. */
function rolledBack(events: readonly PlacedEvent[], stage: string): Set<string> {
  const bad = new Set<string>();
  for (const { event } of events) {
    if (event.type === 'rolled-back' && event.stage === stage) {
      for (const version of event.replaces) bad.add(version);
      bad.delete(event.version);
    } else if (event.type === 'promoted' && event.stage === stage) bad.delete(event.version);
  }
  return bad;
}
