import { unsetValue } from '../../config/edit.js';
import { MlvError } from '../../core/errors.js';
import { openConfig } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv config unset`: see its declaration. Errors: `CONFIG_NOT_SET`, those of unsetValue. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const key = input.args[0] ?? '';
  const { paths } = await openConfig(session);
  const { level, path } = levelFile(paths, chosenLevel(input) ?? 'local');
  if (await unsetValue({ level, path }, key)) {
    return { done: [`${key} was removed from the ${level} configuration`], json: { key, level, file: path } };
  }
  throw new MlvError('CONFIG_NOT_SET', `'${key}' is not set in the ${level} configuration ('${path}')`, {
    hint: 'mlv config list --show-origin shows where it is set',
    data: { key, level, file: path },
  });
}
