import { isMlvError } from '../core/errors.js';
import type { GitContext } from './context.js';
import { NO_HOOKS } from './no-hooks.js';
import type { RawRef, RefUpdate } from './plumbing.js';

/** Refs by pattern, symbolic ones left out. Error: `GIT_FAILED`. */
export async function currentRefs(context: GitContext, patterns: readonly string[]): Promise<RawRef[]> {
  const { stdout } = await context.run(['for-each-ref', '--format=%(objectname) %(symref) %(refname)', ...patterns]);
  const refs: RawRef[] = [];
  for (const line of stdout.toString('utf8').split('\n')) {
    const [object, symref, name] = line.split(' ');
    if (object && symref === '' && name) refs.push({ name, object });
  }
  return refs;
}

/**
 * Moves refs in one transaction. False where one did not have the value expected, or another process held it: which of
 * the two, the caller finds out by looking. Error: `GIT_FAILED` for anything but a refusal of the transaction.
 */
export async function updateRefs(context: GitContext, updates: readonly RefUpdate[]): Promise<boolean> {
  const zero = '0'.repeat(updates.flatMap(({ to, from }) => to ?? from ?? [])[0]?.length ?? 40);
  const commands = updates.map(({ name, to, from }) => `update ${name}\0${to ?? zero}\0${from ?? zero}\0`);
  const input = ['start\0', ...commands, 'prepare\0', 'commit\0'].join('');
  try {
    await context.run([...NO_HOOKS, 'update-ref', '-z', '--create-reflog', '--stdin'], { input });
    return true;
  } catch (error) {
    if (isMlvError(error, 'GIT_FAILED') && error.data.exitCode === 128) return false;
    throw error;
  }
}
