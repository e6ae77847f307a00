import { MlvError } from '../../core/errors.js';
import type { HookPlace } from '../../git/git.js';
import { type HookState, hookStates, installHooks, uninstallHooks } from '../../git/hooks.js';
import { openGit } from '../../git/open.js';
import { ATTRIBUTES_FILE } from '../../workspace/git-attributes-file.js';
import { forDisplay } from '../../workspace/paths.js';
import { installMerging, mergingWords, removeMerging } from '../merge-installation.js';
import { quotePath } from '../render/quote.js';
import { alignColumns } from '../render/table.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv hooks install`: see its declaration. Errors: `TARGET_EXISTS`, `CHECK_FAILED`, `FILE_SYSTEM`, `GIT_FAILED`. */
export async function install(session: Session, { options }: VerbInput): Promise<Result> {
  const git = await openGit(session.cwd, { env: session.env });
  const place = await git.hookPlace();
  if (place.kind === 'hooks-path' && !place.shared && options.shared !== true) throw othersHooks(place);
  const changed = installHooks(place);
  const merging = await installMerging(git);
  const first = changed.length > 0 ? `installed ${changed.join(', ')}` : 'the hooks are installed already';
  const attributes = quotePath(forDisplay(git.layout, ATTRIBUTES_FILE));
  return {
    done: [
      `${first} in ${quotePath(place.directory)}`,
      ...(merging.driver || merging.attributes ? ['Git merges pointers with mlv, and shows what is in them'] : []),
    ],
    json: { ...placeDocument(place), changed, hooks: hookStates(place), merging: await git.mergeSetup() },
    notes: [
      ...(place.shared ? [`commit ${quotePath(place.directory)}, so that everyone has them`] : []),
      ...(merging.attributes ? [`commit ${attributes}, so that everyone merges this way`] : []),
    ],
  };
}

/** `mlv hooks uninstall`: see its declaration. Errors: `FILE_SYSTEM`, `GIT_FAILED`. */
export async function uninstall(session: Session): Promise<Result> {
  const git = await openGit(session.cwd, { env: session.env });
  const place = await git.hookPlace();
  const changed = uninstallHooks(place);
  const merging = await removeMerging(git);
  return {
    done: [
      changed.length > 0 ? `took away ${changed.join(', ')}` : 'there are no hooks of mlv here',
      ...(merging.driver ? ['Git merges pointers as text again'] : []),
    ],
    json: { ...placeDocument(place), changed, hooks: hookStates(place), merging: await git.mergeSetup() },
  };
}

/** `mlv hooks status`: see its declaration. */
export async function status(session: Session): Promise<Result> {
  const git = await openGit(session.cwd, { env: session.env });
  const place = await git.hookPlace();
  const merging = await git.mergeSetup();
  const hooks = hookStates(place);
  const words: Record<HookState['state'], string> = {
    current: 'installed',
    outdated: 'installed by another version of mlv',
    absent: 'not installed',
    foreign: "not installed, another program's hook is there",
  };
  const rows = hooks.map(({ name, state, previous }) => [
    name,
    `${words[state]}${previous && state !== 'foreign' ? ', after the one that was there before' : ''}`,
  ]);
  const missing = hooks.some(({ state }) => state !== 'current') || merging.driver !== 'current' || !merging.attributes;
  return {
    text: [
      `hooks in ${quotePath(place.directory)}`,
      ...alignColumns([...rows, ['merge driver', mergingWords(merging)]]),
    ],
    json: { ...placeDocument(place), hooks, merging },
    notes: missing ? ['install them: mlv hooks install'] : [],
  };
}

function placeDocument({ directory, kind, shared }: HookPlace): Record<string, unknown> {
  return { directory, kind, shared };
}

function othersHooks({ directory }: HookPlace): MlvError {
  return new MlvError('CHECK_FAILED', `core.hooksPath leads to '${directory}', which is not this repository's alone`, {
    hint: 'add them there for all that use it: mlv hooks install --shared   (or call mlv from your own hooks: docs/hooks.md)',
    data: { path: directory },
  });
}
