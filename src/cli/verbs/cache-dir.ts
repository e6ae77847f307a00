import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setValue } from '../../config/edit.js';
import { MlvError } from '../../core/errors.js';
import { inShellQuotes } from '../../core/shell-quote.js';
import { cacheMoved, movedTo } from '../../workspace/cache-moved.js';
import { openConfig } from '../context.js';
import { chosenLevel, levelFile } from '../levels.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv cache dir`: see its declaration. Errors: `USAGE`, `PATH_NOT_FOUND`, `CACHE_MOVED`, those of setValue. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { config, paths } = await openConfig(session);
  const [wanted] = input.args;
  const level = chosenLevel(input);
  const before = config.cache.dir;
  if (wanted === undefined) {
    if (level !== undefined)
      throw new MlvError('USAGE', `--${level} needs a directory`, { hint: 'mlv cache dir <path>' });
    const origin = config.origin('cache.dir');
    return { text: [before], json: { directory: before, level: origin?.level ?? 'default' } };
  }
  const directory = resolve(session.cwd, wanted);
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory())
    throw new MlvError('PATH_NOT_FOUND', `'${directory}' is not a directory`, { data: { path: directory } });
  const moved = movedTo(directory);
  if (moved !== undefined) throw cacheMoved(directory, moved);
  const file = levelFile(paths, level ?? 'local');
  await setValue(file, 'cache.dir', { text: directory, home: session.home });
  const left = before !== directory && existsSync(`${before}/objects`);
  return {
    done: [`the cache is in ${directory}  (${file.level}: ${file.path})`],
    json: { directory, level: file.level },
    notes: left
      ? [
          `what is in ${before} stays there: to take it along, mlv cache dir ${inShellQuotes(before)} && mlv cache migrate ${inShellQuotes(directory)}`,
        ]
      : [],
  };
}
