import type { RegistryView } from '../../registry/registry.js';
import { newestFirst } from '../../registry/version-order.js';
import { type RegistryWord, registryOperand } from '../completion/operand.js';
import { openRegistryHere } from '../open-registry.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** More versions than this are a list and no choice. */
const MOST = 100;
/** Shells expand what is offered to them. */
const HARMLESS = /^[A-Za-z0-9@._-]+$/;

/**
 * `mlv complete`: what the last word of a command line may be, for the completion scripts: models, versions and stages of
 * the registry as this clone has it. Whatever fails, nothing is offered, and nothing is said in the middle of a prompt.
 */
export async function run(session: Session, { args: [line = ''], program }: VerbInput): Promise<Result> {
  const operand = registryOperand(program(), line);
  if (!operand) return {};
  try {
    const { registry } = await openRegistryHere(session);
    const words = await wordsFor(await registry.view(), operand);
    return { text: words.filter((word) => word.startsWith(operand.typed) && HARMLESS.test(word)) };
  } catch {
    return {};
  }
}

async function wordsFor(
  view: RegistryView,
  { kind, typed }: { kind: RegistryWord; typed: string },
): Promise<readonly string[]> {
  if (kind === 'stage') return Object.keys((await view.policy()).stages);
  const at = typed.indexOf('@');
  if (kind === 'model') return view.models();
  if (at < 0) return (await view.models()).map((name) => `${name}@`);
  const model = await view.model(typed.slice(0, at));
  if (!model) return [];
  const versions = newestFirst(model.versions.values()).map(({ version }) => version);
  return ['latest', ...model.stages.keys(), ...versions.slice(0, MOST)].map((word) => `${model.name}@${word}`);
}
