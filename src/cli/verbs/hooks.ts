import { MlvError } from '../../core/errors.js';
import type { HookPlace } from '../../git/git.js';
import { type HookState, hookStates, installHooks, uninstallHooks } from '../../git/hooks.js';
import { openGit } from '../../git/open.js';
import { quotePath } from '../render/quote.js';
import { alignColumns } from '../render/table.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv hooks install`: see its declaration. Errors: `TARGET_EXISTS`, `CHECK_FAILED`, `FILE_SYSTEM`. */
export async function install(session: Session, { options }: VerbInput): Promise<Result> {
  const place = await placeOf(session);
  if (place.kind === 'hooks-path' && !place.shared && options.shared !== true) throw othersHooks(place);
  const changed = installHooks(place);
  const first = changed.length > 0 ? `installed ${changed.join(', ')}` : 'the hooks are installed already';
  return {
    done: [`${first} in ${quotePath(place.directory)}`],
    json: { ...placeDocument(place), changed, hooks: hookStates(place) },
    notes: place.shared ? [`commit ${quotePath(place.directory)}, so that everyone has them`] : [],
  };
}

/** `mlv hooks uninstall`: see its declaration. Error: `FILE_SYSTEM`. */
export async function uninstall(session: Session): Promise<Result> {
  const place = await placeOf(session);
  const changed = uninstallHooks(place);
  return {
    done: [changed.length > 0 ? `took away ${changed.join(', ')}` : 'there are no hooks of mlv here'],
    json: { ...placeDocument(place), changed, hooks: hookStates(place) },
  };
}

/** `mlv hooks status`: see its declaration. */
export async function status(session: Session): Promise<Result> {
  const place = await placeOf(session);
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
  const missing = hooks.some(({ state }) => state !== 'current');
  return {
    text: [`hooks in ${quotePath(place.directory)}`, ...alignColumns(rows)],
    json: { ...placeDocument(place), hooks },
    notes: missing ? ['install them: mlv hooks install'] : [],
  };
}

async function placeOf(session: Session): Promise<HookPlace> {
  const git = await openGit(session.cwd, { env: session.env });
  return git.hookPlace();
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
