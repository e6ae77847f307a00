import { setValue } from '../../config/edit.js';
import { unknownRemote } from '../../config/remote-choice.js';
import { MlvError } from '../../core/errors.js';
import { openConfig } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv remote default`: see its declaration. Error: `REMOTE_NOT_CONFIGURED`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const [name] = input.args;
  const { config, paths } = await openConfig(session);
  if (name === undefined) {
    const { remote } = config.core;
    if (remote !== undefined) return { text: [remote], json: { default: remote } };
    throw new MlvError('REMOTE_NOT_CONFIGURED', 'there is no default remote', {
      hint: 'choose one: mlv remote default <name>',
    });
  }
  if (!config.remotes.has(name)) throw unknownRemote(name, config);
  const file = levelFile(paths, chosenLevel(input) ?? 'project');
  await setValue(file, 'core.remote', { text: name, home: session.home });
  return {
    done: [`${name} is the default remote (${file.level}: ${file.path})`],
    json: { default: name, level: file.level, file: file.path },
  };
}
