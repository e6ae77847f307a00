import { type ListedSetting, listSettings } from '../../config/config.js';
import { readLevelSettings } from '../../config/load.js';
import { printable, settingFor } from '../../config/settings.js';
import { MlvError } from '../../core/errors.js';
import { openConfig } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import { originText, settingDocument } from '../render/settings.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv config get`: see its declaration. Errors: `CONFIG_KEY_UNKNOWN`, `CONFIG_NOT_SET`, those of loadConfig. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const key = settingFor(input.args[0] ?? '').key;
  const level = chosenLevel(input);
  const { config, paths } = await openConfig(session);
  let found: ListedSetting | undefined;
  if (level === undefined) found = listSettings(config).find((each) => each.key === key);
  else {
    const entry = (await readLevelSettings(levelFile(paths, level), session.home)).get(key);
    if (entry) found = { key, value: printable(entry.known, entry.value), origin: { level, ...entry.place } };
  }
  if (!found) {
    throw new MlvError(
      'CONFIG_NOT_SET',
      `'${key}' is not set${level === undefined ? '' : ` in the ${level} configuration`}`,
      {
        hint: `set it: mlv config set ${key} <value>`,
        data: { key },
      },
    );
  }
  const origin = input.options.showOrigin === true ? `\t${originText(found.origin)}` : '';
  return { text: [found.value + origin], json: settingDocument(found) };
}
