import { nearest } from '../../config/nearest.js';
import { MlvError } from '../../core/errors.js';
import { tellHistory } from '../../registry/history.js';
import { requireModel } from '../../registry/reference-resolve.js';
import type { ModelState, RegistryView } from '../../registry/registry.js';
import { openRegistryHere } from '../open-registry.js';
import { cutNotes } from '../registry-lists.js';
import { limitOption } from '../registry-options.js';
import { historyLines } from '../render/history.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv history`: see its declaration. Errors: `USAGE`, `MODEL_UNKNOWN`, `STAGE_UNKNOWN`, `REGISTRY_INVALID`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const [name = '', stage] = input.args;
  const { model, version } = splitName(name);
  const state = await requireModel(view, model);
  if (version !== undefined && !state.versions.has(version)) {
    throw new MlvError('VERSION_UNKNOWN', `${model} has no version ${version}`, { hint: `mlv list ${model}` });
  }
  if (stage !== undefined) await checkStage(view, state, stage);
  const told = tellHistory(await view.events(model), stage).filter(
    ({ event }) => version === undefined || event.version === version,
  );
  const ordered = input.options.reverse === true ? told : told.toReversed();
  const shown = ordered.slice(0, limitOption(input));
  return {
    text: historyLines(shown, session.style),
    json: {
      model,
      ...(stage !== undefined && { stage }),
      events: shown.map(({ seq, id, what, event }) => ({ seq, id, what, ...event })),
    },
    notes: [
      ...(told.length === 0 ? [`nothing happened${stage === undefined ? '' : ` on ${stage}`} yet`] : []),
      ...cutNotes(shown.length, told.length),
    ],
  };
}

/** `fraud` or `fraud@1.4.0`. */
function splitName(name: string): { model: string; version?: string } {
  const [model = '', version] = name.split('@', 2);
  return version === undefined ? { model } : { model, version };
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
