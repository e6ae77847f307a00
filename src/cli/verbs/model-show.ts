import { MlvError } from '../../core/errors.js';
import { checkModelName } from '../../registry/model-name.js';
import type { ModelMeta, ModelState, RegistryView } from '../../registry/registry.js';
import { openRegistryHere } from '../open-registry.js';
import { escapeControls } from '../render/quote.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv model show`: see its declaration. Errors: `MODEL_UNKNOWN`, those of Registry.viewOrFetch. */
export async function run(session: Session, { args: [name = ''] }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const { meta, versions } = await knownModel(await registry.viewOrFetch(), checkModelName(name));
  const lines = linesOf(meta);
  return {
    text: lines.map((line) => escapeControls(line)),
    notes:
      lines.length > 0
        ? []
        : [`nothing is said of ${name} as a whole; to say it: mlv model edit ${name} --description …`],
    json: { model: name, versions: versions.size, ...documentOf(meta) },
  };
}

/** A model that is registered or described. Error: `MODEL_UNKNOWN`. */
async function knownModel(view: RegistryView, name: string): Promise<ModelState> {
  const model = await view.model(name);
  if (model) return model;
  throw new MlvError('MODEL_UNKNOWN', `the registry has no model '${name}'`, {
    hint: 'what there is: mlv list',
    data: { model: name },
  });
}

function linesOf({ description, owners = [], licence, card, other }: ModelMeta): string[] {
  return [
    ...(description === undefined ? [] : [description, '']),
    ...(owners.length > 0 ? [`owners   ${owners.join(', ')}`] : []),
    ...(licence === undefined ? [] : [`licence  ${licence}`]),
    ...(card === undefined ? [] : [`card     ${Object.keys(card).join(', ')}`]),
    ...(other === undefined ? [] : [`other    ${Object.keys(other).join(', ')}`]),
  ];
}

function documentOf({ description, owners = [], licence, card, other }: ModelMeta): Record<string, unknown> {
  return {
    description: description ?? null,
    owners,
    licence: licence ?? null,
    card: card ?? null,
    other: other ?? null,
  };
}
