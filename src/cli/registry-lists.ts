import type { ModelState, RegistryView } from '../registry/registry.js';
import {
  type Candidate,
  type Selection,
  selectVersions,
  sortVersions,
  summarizeModel,
  summarizeVersion,
} from '../registry/version-list.js';
import {
  emptyNotes,
  limitOption,
  missingNotes,
  namesOption,
  terminalColumns,
  whereOption,
} from './registry-options.js';
import { modelTable, narrowNote, versionTable } from './render/version-list.js';
import type { Session } from './session.js';
import { type Result, textOption, type VerbInput } from './verb.js';

/** The models of a state of the registry. Errors: `USAGE`, `REGISTRY_INVALID`. */
export async function listModels(session: Session, input: VerbInput, view: RegistryView): Promise<Result> {
  const limit = limitOption(input);
  const all = await view.allModels();
  const models = all.slice(0, limit).map(summarizeModel);
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
  const notes = [...missingNotes(found), ...cutNotes(shown.length, found.versions.length)];
  if (versions.length === 0) return { json: { versions }, notes: ['no version fits', ...notes] };
  return { text: table.lines, json: { versions }, notes: [...narrowNote(table.left), ...notes] };
}

/** What `--where`, `--stage` and `--sort` choose. Errors: `EXPRESSION_INVALID`. */
export function chosenVersions(input: VerbInput, models: readonly ModelState[]): Selection {
  const stage = textOption(input.options.stage);
  const selection = selectVersions(models, whereOption(input));
  const onStage = ({ version: { stages } }: Candidate): boolean =>
    stage === undefined || (stage === 'none' ? stages.length === 0 : stages.includes(stage));
  const sorted = sortVersions(selection.versions.filter(onStage), textOption(input.options.sort) ?? 'version');
  return { ...selection, versions: input.options.reverse === true ? sorted.reverse() : sorted };
}

/** What to say where a limit left something out. */
export function cutNotes(shown: number, all: number): string[] {
  return shown < all ? [`${all - shown} more are not shown; --limit shows more`] : [];
}
