import { checkPolicy } from '../../registry/policy-check.js';
import { openRegistryHere } from '../open-registry.js';
import { readTextFile } from '../read-text-file.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv policy set`: see its declaration. Errors: those of checkPolicy and Registry.change. */
export async function run(session: Session, { args: [file = ''], options }: VerbInput): Promise<Result> {
  const text = await readTextFile(session, file);
  checkPolicy(text, file);
  const { registry } = await openRegistryHere(session);
  const { commit, pushed } = await registry.change(
    async (view) => {
      if ((await view.policyText()) === text) return undefined;
      // Whether the policy in force lets the user change it, is judged with the commit.
      return { subject: 'policy: changed', policy: { text }, sign: options.sign === true };
    },
    { push: options.push !== false },
  );
  const done =
    commit === undefined ? 'this policy is in force already' : `this policy is in force now (${commit.slice(0, 12)})`;
  return { done: [done], json: { commit: commit ?? null, pushed } };
}
