import { unsetValue } from '../../config/edit.js';
import type { FileLevel } from '../../config/levels.js';
import { readLevelSettings } from '../../config/load.js';
import { unknownRemote } from '../../config/remote-choice.js';
import { openConfig, type Surroundings } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv remote remove`: see its declaration. Errors: `REMOTE_NOT_CONFIGURED`, those of unsetValue. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const [name = ''] = input.args;
  const surroundings = await openConfig(session);
  const chosen = chosenLevel(input);
  const candidates: FileLevel[] = chosen ? [chosen] : surroundings.git ? ['local', 'project', 'user'] : ['user'];
  const levels: FileLevel[] = [];
  for (const level of candidates)
    if (await removeFrom(surroundings, level, { name, home: session.home })) levels.push(level);
  if (levels.length === 0) throw unknownRemote(name, surroundings.config);
  return {
    done: [`${name} was removed from the ${levels.join(' and ')} configuration; what it stores is still there`],
    json: { name, levels },
  };
}

/** Takes the remote, and the choice of it as the default, out of one level. */
async function removeFrom(
  { paths }: Surroundings,
  level: FileLevel,
  remote: { name: string; home: string },
): Promise<boolean> {
  const file = levelFile(paths, level);
  const removed = await unsetValue(file, `remote.${remote.name}`);
  const settings = await readLevelSettings(file, remote.home);
  if (settings.get('core.remote')?.value === remote.name) await unsetValue(file, 'core.remote');
  return removed;
}
