import { MlvError } from '../../core/errors.js';
import { readYamlMapping, YamlProblem } from '../../core/read-yaml.js';
import { encodeModelMeta, META_LIMIT } from '../../registry/model-meta-format.js';
import { checkModelName } from '../../registry/model-name.js';
import type { ModelMeta } from '../../registry/registry.js';
import { openRegistryHere } from '../open-registry.js';
import { readTextFile } from '../read-text-file.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv model edit`: see its declaration. Errors: `USAGE`, `REGISTRY_INVALID`, those of Registry.change. */
export async function run(session: Session, { args: [name = ''], options }: VerbInput): Promise<Result> {
  const model = checkModelName(name);
  const edit = await editOf(session, options);
  const { registry } = await openRegistryHere(session);
  const { commit, pushed } = await registry.change(
    async (view) => {
      const before: ModelMeta = (await view.model(model))?.meta ?? { mlv: 1 };
      const meta = edited(before, edit);
      if (encodeModelMeta(meta) === encodeModelMeta(before)) return undefined;
      return { subject: `${model}: described`, meta: { model, meta }, sign: options.sign === true };
    },
    { push: options.push !== false },
  );
  const done = commit === undefined ? `${model} says that already` : `${model}: changed (${commit.slice(0, 12)})`;
  return { done: [done], json: { model, commit: commit ?? null, pushed } };
}

interface Edit {
  description?: string | undefined;
  licence?: string | undefined;
  owners?: readonly string[] | undefined;
  card?: Record<string, unknown> | undefined;
}

async function editOf(session: Session, options: VerbInput['options']): Promise<Edit> {
  const { owner } = options;
  const [description, licence, file] = [options.description, options.licence, options.card].map(textOption);
  const owners = Array.isArray(owner) ? (owner as string[]).filter((each) => each !== '') : undefined;
  if ([description, licence, file, owners].every((each) => each === undefined)) {
    throw new MlvError('USAGE', 'mlv model edit needs something to change', {
      hint: 'give --description, --owner, --licence or --card',
    });
  }
  const card = file === undefined ? undefined : await readCard(session, file);
  return { description, licence, owners, card };
}

async function readCard(session: Session, file: string): Promise<Record<string, unknown>> {
  try {
    return readYamlMapping(await readTextFile(session, file), META_LIMIT);
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error;
    throw new MlvError('REGISTRY_INVALID', `'${file}' is not the front matter of a card: ${error.message}`, {
      cause: error,
      data: { path: file },
    });
  }
}

function edited(before: ModelMeta, { description, licence, owners, card }: Edit): ModelMeta {
  const meta: ModelMeta = { ...before };
  if (description !== undefined) meta.description = description;
  if (licence !== undefined) meta.licence = licence;
  if (owners !== undefined) meta.owners = [...owners];
  if (card !== undefined) meta.card = card;
  if (meta.description === '') delete meta.description;
  if (meta.licence === '') delete meta.licence;
  if (meta.owners?.length === 0) delete meta.owners;
  if (meta.card && Object.keys(meta.card).length === 0) delete meta.card;
  return meta;
}
