import { type ListedSetting, listSettings } from '../../config/config.js';
import { readLevelSettings } from '../../config/load.js';
import { printable } from '../../config/settings.js';
import { openConfig } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import { originText, settingDocument } from '../render/settings.js';
import { alignColumns } from '../render/table.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv config list`: see its declaration. Errors: those of loadConfig. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const level = chosenLevel(input);
  const { config, paths } = await openConfig(session);
  let settings: ListedSetting[] = listSettings(config);
  if (level !== undefined) {
    const entries = await readLevelSettings(levelFile(paths, level), session.home);
    settings = [...entries].map(([key, { known, value, place }]) => ({
      key,
      value: printable(known, value),
      origin: { level, ...place },
    }));
  }
  const plain = settings.map(({ key, value }) => `${key}=${value}`);
  const rows = settings.map(({ origin }, at) => [plain[at] as string, originText(origin)]);
  return {
    text: input.options.showOrigin === true ? alignColumns(rows) : plain,
    json: { settings: settings.map(settingDocument) },
  };
}
