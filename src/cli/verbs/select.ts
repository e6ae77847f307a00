import { MlvError } from '../../core/errors.js';
import { requireModel, versionName } from '../../registry/reference-resolve.js';
import { type Selection, summarizeVersion } from '../../registry/version-list.js';
import { openRegistryHere } from '../open-registry.js';
import { chosenVersions, cutNotes, NO_VERSION_NOTE } from '../registry-lists.js';
import { conditionNotes, emptyNotes, limitOption } from '../registry-options.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv select`: see its declaration. Errors: `USAGE`, `MODEL_UNKNOWN`, `EXPRESSION_INVALID`, `REGISTRY_INVALID`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const where = textOption(input.options.where);
  if (where === undefined) {
    throw new MlvError('USAGE', 'mlv select needs a condition', {
      hint: "such as: mlv select --where 'metrics.auc > 0.9'; all versions: mlv list <model>",
    });
  }
  const { registry } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const [name] = input.args;
  const models = name === undefined ? await view.allModels() : [await requireModel(view, name)];
  const found = chosenVersions(input, models);
  const shown = found.versions.slice(0, limitOption(input));
  const empty = emptyNotes(view, models);
  return {
    text: shown.map(({ version }) => versionName(version)),
    json: {
      condition: where,
      asked: found.asked,
      missing: Object.fromEntries(found.missing),
      versions: shown.map(({ model, version }) => summarizeVersion(model, version)),
    },
    notes: empty.length > 0 ? empty : notesOn(found, shown.length),
  };
}

function notesOn(found: Selection, shown: number): string[] {
  const none = found.versions.length === 0 ? [NO_VERSION_NOTE] : [];
  return [...none, ...conditionNotes(found), ...cutNotes(shown, found.versions.length)];
}
