import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Config } from '../../config/config.js';
import { setValue } from '../../config/edit.js';
import { unknownRemote } from '../../config/remote-choice.js';
import { OF_REMOTE, printable, settingFor, textOf } from '../../config/settings.js';
import { MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import { parseLocation } from '../../remotes/location.js';
import { openRepository } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import type { Session } from '../session.js';
import { type OptionValue, type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv remote add`: see its declaration. Errors: `USAGE`, `REMOTE_EXISTS`, `REMOTE_URL_INVALID`, those of setValue. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { layout, config, paths } = await openRepository(session);
  const [name = '', given = ''] = input.args;
  if (/[/:\\]/.test(name)) throw addressFirst(name, given);
  const url = storedUrl(given, { cwd: session.cwd, worktree: layout.worktree });
  parseLocation(url, { baseDirectory: layout.worktree, homeDirectory: session.home });
  checkMirrored(config, name, textOption(input.options.mirrorOf));
  const values = new Map([[`remote.${name}.url`, url], ...optionValues(name, input.options)]);
  for (const key of values.keys()) settingFor(key);
  const file = levelFile(paths, chosenLevel(input) ?? 'project');
  const exists = config.remotes.has(name);
  if (exists) refuseOther(config, name, values);
  else for (const [key, text] of values) await setValue(file, key, { text, home: session.home });
  const first =
    config.core.remote === undefined &&
    input.options.mirrorOf === undefined &&
    [...config.remotes.keys()].every((each) => each === name);
  const isDefault = input.options.default === true || first;
  if (isDefault && config.core.remote !== name) await setValue(file, 'core.remote', { text: name, home: session.home });
  const shown = printable(settingFor(`remote.${name}.url`), url);
  const what = exists ? 'is there already' : `was added to ${file.path}`;
  return {
    done: [`${name} (${shown}) ${what}${isDefault ? ', and is the default remote' : ''}`],
    notes: !exists && file.level === 'project' ? ['mlv.yaml changed: commit it, and clones know the remote, too'] : [],
    json: {
      name,
      url: shown,
      added: !exists,
      default: isDefault || config.core.remote === name,
      level: file.level,
      file: file.path,
    },
  };
}

function addressFirst(address: string, name: string): MlvError {
  const shown = redactUrl(address);
  return new MlvError('USAGE', `'${shown}' cannot be the name of a remote`, {
    hint: `the name comes first: mlv remote add ${/[/:\\]/.test(name) ? 'origin' : name} ${shown}`,
  });
}

function checkMirrored(config: Config, name: string, mirrored: string | undefined): void {
  if (mirrored === undefined) return;
  if (mirrored !== name && config.remotes.has(mirrored)) return;
  if (mirrored !== name) throw unknownRemote(mirrored, config);
  throw new MlvError('USAGE', `'${name}' cannot be a mirror of itself`, { hint: 'name the remote that it mirrors' });
}

/** A directory relative to the current one is written relative to the top, where it is read from. */
function storedUrl(given: string, { cwd, worktree }: { cwd: string; worktree: string }): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(given) || isAbsolute(given) || given === '' || given.startsWith('~/')) return given;
  const path = relative(worktree, resolve(cwd, given)).split(sep).join('/');
  return path.startsWith('../') || path === '..' ? path : `./${path}`;
}

function optionValues(name: string, options: Readonly<Record<string, OptionValue>>): [string, string][] {
  return Object.keys(OF_REMOTE).flatMap((key): [string, string][] => {
    const value = options[key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    return value === undefined ? [] : [[`remote.${name}.${key}`, String(value)]];
  });
}

/** Adding the same remote again is harmless; anything else would silently replace it. */
function refuseOther(config: Config, name: string, values: ReadonlyMap<string, string>): void {
  const same = [...values].every(([key, text]) => {
    const now = config.values.get(key);
    return now !== undefined && textOf(now.value) === text;
  });
  if (same) return;
  throw new MlvError('REMOTE_EXISTS', `the remote '${name}' is there already, with other settings`, {
    hint: `change it with mlv config set --project remote.${name}.url <url>, or forget it with mlv remote remove ${name}`,
    data: { name },
  });
}
