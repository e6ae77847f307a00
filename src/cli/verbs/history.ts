import { nearest } from '../../config/nearest.js';
import { MlvError } from '../../core/errors.js';
import { tellHistory } from '../../registry/history.js';
import { requireModel, resolveReference, viewsInTime } from '../../registry/reference-resolve.js';
import type { ModelState, Registry, RegistryView, VersionState } from '../../registry/registry.js';
import { openRegistryHere } from '../open-registry.js';
import { cutNotes } from '../registry-lists.js';
import { limitOption } from '../registry-options.js';
import { historyLines } from '../render/history.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv history`: see its declaration. Errors: `USAGE`, `STAGE_UNKNOWN`, those of resolveReference. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const [name = '', stage] = input.args;
  const { model: state, version } = await subjectOf(registry, view, name);
  if (stage !== undefined) await checkStage(view, state, stage);
  const told = tellHistory(await view.events(state.name), stage).filter(
    ({ event }) => version === undefined || event.version === version.version,
  );
  const ordered = input.options.reverse === true ? told : told.toReversed();
  const shown = ordered.slice(0, limitOption(input));
  return {
    text: historyLines(shown, session.style),
    json: {
      model: state.name,
      ...(stage !== undefined && { stage }),
      events: shown.map(({ seq, id, what, event }) => ({ seq, id, what, ...event })),
    },
    notes: [
      ...(told.length === 0 ? [`nothing happened${stage === undefined ? '' : ` on ${stage}`} yet`] : []),
      ...cutNotes(shown.length, told.length),
    ],
  };
}

/** A model, or one version of it where the word is more than a model's name. */
async function subjectOf(
  registry: Registry,
  view: RegistryView,
  name: string,
): Promise<{ model: ModelState; version?: VersionState }> {
  if (!name.includes('@')) return { model: await requireModel(view, name) };
  return resolveReference(view, name, { viewAtTime: viewsInTime(registry) });
}

async function checkStage(view: RegistryView, model: ModelState, stage: string): Promise<void> {
  if (model.held.has(stage) || model.stages.has(stage)) return;
  const known = [...new Set([...Object.keys((await view.policy()).stages), ...model.held.keys(), 'archived'])];
  if (known.includes(stage)) return;
  const near = nearest(stage, known);
  const guess = near === undefined ? '' : `did you mean ${known[near]}? `;
  throw new MlvError('STAGE_UNKNOWN', `there is no stage '${stage}'`, {
    hint: `${guess}the stages are: ${known.join(', ')}`,
    data: { model: model.name, stage },
  });
}
