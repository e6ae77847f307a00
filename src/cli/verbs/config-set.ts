import { setValue } from '../../config/edit.js';
import { printable, settingFor } from '../../config/settings.js';
import { openConfig } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv config set`: see its declaration. Errors: those of setValue. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const [key = '', text = ''] = input.args;
  const known = settingFor(key);
  const { paths } = await openConfig(session);
  const file = levelFile(paths, chosenLevel(input) ?? 'local');
  await setValue(file, key, { text, home: session.home });
  const value = printable(known, text);
  return {
    done: [`${key}=${value}  (${file.level}: ${file.path})`],
    json: { key, value, level: file.level, file: file.path },
  };
}
