import { nearest } from '../config/nearest.js';
import { MlvError } from '../core/errors.js';
import type { ModelState, RegistryView } from './registry.js';
import { newestFirst } from './version-order.js';

/** How many candidates a message names; `data` has all. */
const SHOWN = 8;

/** The error for a question to a registry in which there is nothing. */
export function emptyRegistry(): MlvError {
  return new MlvError('MODEL_UNKNOWN', 'nothing is registered yet', {
    hint: 'start with: mlv register <model> <artifact...>; what others registered comes with: mlv registry pull',
  });
}

/** The error for a model that there is not, with the nearest name. */
export function unknownModel(name: string, names: readonly string[], options: { orCommit?: boolean } = {}): MlvError {
  const near = nearest(name, names);
  const what = options.orCommit
    ? `there is no model '${name}', and no version of that commit`
    : `there is no model '${name}'`;
  const guess = near === undefined ? versionGuess(name, names) : `did you mean ${names[near]}? `;
  return new MlvError('MODEL_UNKNOWN', what, { hint: `${guess}mlv list shows all models`, data: { model: name } });
}

/** A version, where only a model makes sense. */
function versionGuess(name: string, names: readonly string[]): string {
  const [model = '', rest] = name.split('@', 2);
  return rest !== undefined && names.includes(model) ? `name the model alone: ${model}; ` : '';
}

/** The error for a version or range that a model has not. */
export function unknownVersion({ name, versions }: ModelState, wanted: string): MlvError {
  const known = newestFirst([...versions.values()]).map(({ version }) => version);
  const near = nearest(wanted, known);
  const nearestName = near === undefined ? undefined : `did you mean ${name}@${known[near]}? `;
  const newest = known.slice(0, SHOWN).join(', ');
  return new MlvError('VERSION_UNKNOWN', `${name} has no version ${wanted}`, {
    hint: known.length === 0 ? `nothing is registered of ${name}` : `${nearestName ?? ''}the newest are: ${newest}`,
    data: { model: name, version: wanted },
  });
}

/** The error for a stage on which nothing stands or stood, or that nobody knows. */
export async function unknownStage(
  view: RegistryView,
  model: ModelState,
  { stage, back, stood }: { stage: string; back: number; stood: readonly string[] },
): Promise<MlvError> {
  const { name } = model;
  const known = [...new Set([...Object.keys((await view.policy()).stages), ...model.stages.keys(), 'archived'])];
  if (!known.includes(stage)) {
    const near = nearest(stage, [...known, 'latest']);
    const guess = near === undefined ? '' : `did you mean ${name}@${[...known, 'latest'][near]}? `;
    return new MlvError('STAGE_UNKNOWN', `there is no stage '${stage}'`, {
      hint: `${guess}the stages are: ${known.join(', ')}`,
      data: { model: name, stage },
    });
  }
  if (back > 0) {
    return new MlvError(
      'VERSION_UNKNOWN',
      `nothing stood on ${stage} ${back} version(s) before what ${name} has there`,
      {
        hint:
          stood.length === 0
            ? `nothing of ${name} ever stood on ${stage}`
            : `there stood, oldest first: ${stood.join(', ')}`,
        data: { model: name, stage, back },
      },
    );
  }
  const hint =
    stood.length === 0 ? `put one there: mlv promote ${name}@latest ${stage}` : `before that, ${stood.at(-1)} did`;
  return new MlvError('VERSION_UNKNOWN', `nothing of ${name} stands on ${stage}`, {
    hint,
    data: { model: name, stage },
  });
}

/** The error for a reference that several versions answer to. */
export function ambiguous(reference: string, candidates: readonly string[]): MlvError {
  const shown = candidates.slice(0, SHOWN).join(', ');
  const more = candidates.length > SHOWN ? ` and ${candidates.length - SHOWN} more` : '';
  return new MlvError('VERSION_UNKNOWN', `${reference} may mean ${candidates.length} versions: ${shown}${more}`, {
    hint: `name one: ${candidates[0]}`,
    data: { reference, candidates },
  });
}
