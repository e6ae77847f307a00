import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import type { GitContext } from './context.js';
import type { HookPlace } from './git.js';
import { HOOK_NAMES, type HookName, hookScript, isOurHook, PREVIOUS_SUFFIX } from './hook-script.js';

/** One hook as it stands. */
export interface HookState {
  name: HookName;
  /** `current`: mlv's; `outdated`: an older mlv's; `absent`: none; `foreign`: someone else's, without mlv. */
  state: 'current' | 'outdated' | 'absent' | 'foreign';
  /** True where another hook runs first. */
  previous: boolean;
}

/** Where Git looks for this repository's hooks: one Git process. Errors: `GIT_FAILED`. */
export async function hookPlace({ layout, run }: GitContext): Promise<HookPlace> {
  const asked = await run(['rev-parse', '--git-path', 'hooks']);
  const directory = resolve(layout.worktree, asked.stdout.toString('utf8').replace(/\n$/, ''));
  const inside = relative(layout.worktree, directory);
  const shared = inside !== '' && !inside.startsWith('..') && !inside.startsWith('.git/');
  if (basename(directory) === '_' && basename(dirname(directory)) === '.husky') {
    return { directory: dirname(directory), kind: 'husky', shared: true };
  }
  const own = directory === join(layout.commonDir, 'hooks');
  return { directory, kind: own ? 'git' : 'hooks-path', shared: own ? false : shared };
}

/** How every hook stands. Errors: `FILE_SYSTEM`. */
export function hookStates({ directory }: HookPlace): HookState[] {
  return HOOK_NAMES.map((name) => {
    const text = readHook(join(directory, name));
    const previous = readHook(join(directory, `${name}${PREVIOUS_SUFFIX}`)) !== undefined;
    if (text === undefined) return { name, state: 'absent', previous };
    if (!isOurHook(text)) return { name, state: 'foreign', previous };
    return { name, state: text === hookScript(name) ? 'current' : 'outdated', previous };
  });
}

/**
 * Writes mlv's hooks; one that is there already is kept under another name and runs first. Gives what changed. Errors:
 * `TARGET_EXISTS` where both names are taken by hooks that are not mlv's, before anything is written; `FILE_SYSTEM`.
 */
export function installHooks(place: HookPlace): HookName[] {
  const states = hookStates(place).filter(({ state }) => state !== 'current');
  for (const { name, state, previous } of states) if (state === 'foreign' && previous) throw twoHooks(place, name);
  change('create', place.directory, () => mkdirSync(place.directory, { recursive: true }));
  for (const { name, state } of states) {
    const path = join(place.directory, name);
    if (state === 'foreign') change('rename', path, () => renameSync(path, `${path}${PREVIOUS_SUFFIX}`));
    writeHook(path, hookScript(name));
  }
  return states.map(({ name }) => name);
}

/** Takes mlv's hooks away, and puts back what was there before. Gives what changed. Errors: `FILE_SYSTEM`. */
export function uninstallHooks(place: HookPlace): HookName[] {
  const ours = hookStates(place).filter(({ state }) => state === 'current' || state === 'outdated');
  for (const { name, previous } of ours) {
    const path = join(place.directory, name);
    if (previous) change('rename', path, () => renameSync(`${path}${PREVIOUS_SUFFIX}`, path));
    else change('remove', path, () => rmSync(path, { force: true }));
  }
  return ours.map(({ name }) => name);
}

function twoHooks({ directory }: HookPlace, name: HookName): MlvError {
  const path = join(directory, name);
  return new MlvError('TARGET_EXISTS', `there are two hooks already: '${path}' and '${path}${PREVIOUS_SUFFIX}'`, {
    hint: 'join them into one by hand, then run again: mlv hooks install',
    data: { path },
  });
}

function writeHook(path: string, text: string): void {
  const temporary = `${path}.mlv-new`;
  change('write', path, () => {
    writeFileSync(temporary, text, { mode: 0o755 });
    chmodSync(temporary, 0o755);
    renameSync(temporary, path);
  });
}

/** The text of a hook; undefined where there is none. A broken link counts as a hook: it is not ours to replace. */
function readHook(path: string): string | undefined {
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw fileSystemError('read', path, error);
  }
}

function change(operation: string, path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw fileSystemError(operation, path, error);
  }
}
