import { MlvError } from '../core/errors.js';
import type { ModelState, RegistryView } from '../registry/registry.js';
import {
  type Candidate,
  type Selection,
  selectVersions,
  sortVersions,
  summarizeVersion,
} from '../registry/version-list.js';
import {
  conditionNotes,
  emptyNotes,
  limitOption,
  namesOption,
  terminalColumns,
  whereOption,
} from './registry-options.js';
import { modelTable, narrowNote, versionTable } from './render/version-list.js';
import type { Session } from './session.js';
import { type Result, textOption, type VerbInput } from './verb.js';

/** What to say where nothing was chosen. */
export const NO_VERSION_NOTE = 'no version fits';

/** The models of a state of the registry. Errors: `USAGE`, `REGISTRY_INVALID`. */
export async function listModels(session: Session, input: VerbInput, view: RegistryView): Promise<Result> {
  const limit = limitOption(input);
  const all = await view.summaries();
  const models = all.slice(0, limit);
  if (models.length === 0) return { json: { models }, notes: emptyNotes(view, models) };
  const { lines, left } = modelTable(models, { style: session.style, columns: terminalColumns() });
  return { text: lines, json: { models }, notes: [...narrowNote(left), ...cutNotes(models.length, all.length)] };
}

/** The versions of models that the options of a verb choose. Errors: `USAGE`, `EXPRESSION_INVALID`. */
export function listVersions(session: Session, input: VerbInput, models: readonly ModelState[]): Result {
  const found = chosenVersions(input, models);
  const shown = found.versions.slice(0, limitOption(input));
  const versions = shown.map(({ model, version }) => summarizeVersion(model, version));
  const metrics = namesOption(input.options.metric);
  const params = namesOption(input.options.param);
  const table = versionTable(versions, {
    style: session.style,
    columns: terminalColumns(),
    models: models.length > 1,
    ...(metrics && { metrics }),
    ...(params && { params }),
  });
  const notes = [...conditionNotes(found), ...cutNotes(shown.length, found.versions.length)];
  if (versions.length === 0) return { json: { versions }, notes: [NO_VERSION_NOTE, ...notes] };
  return { text: table.lines, json: { versions }, notes: [...narrowNote(table.left), ...notes] };
}

/** What `--where`, `--stage` and `--sort` choose. Errors: `EXPRESSION_INVALID`, `USAGE`. */
export function chosenVersions(input: VerbInput, models: readonly ModelState[]): Selection {
  const stage = textOption(input.options.stage);
  const selection = selectVersions(models, whereOption(input));
  const onStage = ({ version: { stages } }: Candidate): boolean =>
    stage === undefined || (stage === 'none' ? stages.length === 0 : stages.includes(stage));
  const sorted = sortedBy(input, selection.versions.filter(onStage));
  return { ...selection, versions: input.options.reverse === true ? sorted.reverse() : sorted };
}

function sortedBy({ options }: VerbInput, versions: readonly Candidate[]): Candidate[] {
  const by = textOption(options.sort) ?? 'version';
  const sorted = sortVersions(versions, by);
  if (sorted || versions.length === 0) return sorted ?? [];
  throw new MlvError('USAGE', `no version has a figure '${by}' to sort by`, {
    hint: 'sort by version, created, or a metric or parameter that is a number',
  });
}

/** What to say where a limit left something out. */
export function cutNotes(shown: number, all: number): string[] {
  return shown < all ? [`${all - shown} more are not shown; --limit shows more`] : [];
}
