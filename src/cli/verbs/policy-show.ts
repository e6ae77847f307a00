import { describePolicy } from '../../registry/policy-check.js';
import { openRegistryHere } from '../open-registry.js';
import { escapeControls } from '../render/quote.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv policy show`: see its declaration. Errors: those of Registry.viewOrFetch and RegistryView.policy. */
export async function run(session: Session, { options }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const text = await view.policyText();
  if (options.raw === true && text !== undefined) {
    return { text: [text.replace(/\n$/, '')], json: { commit: view.tip ?? null, text } };
  }
  const policy = await view.policy();
  const lines = describePolicy(policy).map((line) => escapeControls(line));
  const notes = text === undefined ? ['there is no policy.yaml: this is what holds without one'] : [];
  return { text: lines, json: { commit: view.tip ?? null, default: text === undefined, policy }, notes };
}
