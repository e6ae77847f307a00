import { readFileSync } from 'node:fs';
import { MlvError } from '../../core/errors.js';
import { type HookFact, hookFacts } from '../../git/hook-gate.js';
import { HOOK_NAMES, type HookName } from '../../git/hook-script.js';
import { type OpenRepository, openRepository } from '../context.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

const SKIP = 'MLV_HOOKS=0 before the command skips the hooks of mlv once';

/**
 * `mlv hook <name> [argument…]`: what a hook does, for what Git gave it; with `--facts` for what hook-entry.ts found.
 * Error: `USAGE`, those of the work.
 */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const [name = '', ...operands] = args;
  if (!isHookName(name)) {
    throw new MlvError('USAGE', `'${name}' is no hook that mlv has something to do in`, {
      hint: 'Git calls this; to set it up: mlv hooks install',
    });
  }
  if (session.env.MLV_HOOKS === '0') return {};
  const facts = options.facts ? operands.map(toFact) : findFacts(session, name, operands);
  if (facts.length === 0) return {};
  const repository = await initialised(session);
  if (!repository) return {};
  const result = await act(session, repository, { name, facts });
  return { ...result, notes: [...(result.notes ?? []), ...((result.errors ?? []).length > 0 ? [SKIP] : [])] };
}

async function act(
  session: Session,
  repository: OpenRepository,
  { name, facts }: { name: HookName; facts: HookFact[] },
): Promise<Result> {
  if (name === 'pre-commit') return (await import('../hook-pre-commit.js')).checkStaged(repository, facts);
  if (name === 'pre-push') return (await import('../hook-pre-push.js')).pushFacts(session, repository, facts);
  return (await import('../hook-checkout.js')).followGit(session, repository, facts);
}

/** For a call with options, which hook-entry.ts leaves to the program. */
function findFacts({ cwd, env }: Session, name: HookName, args: readonly string[]): HookFact[] {
  try {
    return hookFacts({ name, args, cwd, env, input: () => readFileSync(0, 'utf8') });
  } catch (cause) {
    throw new MlvError('GIT_FAILED', `the ${name} hook failed: ${(cause as Error).message}`, { hint: SKIP, cause });
  }
}

function isHookName(name: string): name is HookName {
  return (HOOK_NAMES as readonly string[]).includes(name);
}

/** Undefined in a repository, or on a branch, where mlv is not in use: hooks must not stand in the way there. */
async function initialised(session: Session): Promise<OpenRepository | undefined> {
  try {
    return await openRepository(session);
  } catch (error) {
    if (error instanceof MlvError && error.code === 'NOT_INITIALISED') return undefined;
    throw error;
  }
}

function toFact(operand: string): HookFact {
  try {
    const { kind, path, blob, size } = JSON.parse(operand) as Partial<HookFact>;
    const known = kind === 'pointer' || kind === 'gone' || kind === 'large';
    if (known && typeof path === 'string' && /^[0-9a-f]{40,64}$/.test(blob ?? '') && typeof size === 'number') {
      return { kind, path, blob: blob as string, size };
    }
  } catch {
    // Said below.
  }
  throw new MlvError('USAGE', `'${operand}' is not what a hook was to do`, {
    hint: 'Git calls this; to set it up: mlv hooks install',
  });
}
