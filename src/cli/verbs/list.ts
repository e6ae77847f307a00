import { MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import { shellQuote } from '../../core/shell-quote.js';
import { requireModel } from '../../registry/reference-resolve.js';
import type { RegistryView } from '../../registry/registry.js';
import { isElsewhere } from '../elsewhere/is-elsewhere.js';
import { openRegistryHere } from '../open-registry.js';
import { listModels, listVersions } from '../registry-lists.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** Options that only make sense for the versions of one model. */
const OF_VERSIONS = ['stage', 'where', 'sort', 'metric', 'param'] as const;

/** `mlv list`: see its declaration. Errors: `USAGE`, `MODEL_UNKNOWN`, `EXPRESSION_INVALID`, `REGISTRY_INVALID`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const [name] = input.args;
  if (isElsewhere(name, session.cwd)) throw notHere(name);
  const { registry } = await openRegistryHere(session);
  return list(session, input, await registry.viewOrFetch());
}

/** Lists the models of a state of the registry, or the versions of one. Errors as `run`. */
export async function list(session: Session, input: VerbInput, view: RegistryView): Promise<Result> {
  const [name] = input.args;
  if (name !== undefined) return listVersions(session, input, [await requireModel(view, name)]);
  for (const option of OF_VERSIONS) if (input.options[option] !== undefined) throw needsModel(option);
  return listModels(session, input, view);
}

function notHere(url: string): MlvError {
  const shown = redactUrl(url);
  return new MlvError('USAGE', `${shown} is a repository, and no model of this one`, {
    hint: `what it tracks is listed by: mlv ls ${shellQuote(shown)}`,
  });
}

function needsModel(option: string): MlvError {
  return new MlvError('USAGE', `--${option} is about the versions of one model: name it`, {
    hint: `mlv list <model> --${option} …; across all models: mlv select --where '…'`,
  });
}
