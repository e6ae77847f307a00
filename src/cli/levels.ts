import type { LevelFile } from '../config/document.js';
import { type ConfigPaths, FILE_LEVELS, type FileLevel } from '../config/levels.js';
import { MlvError } from '../core/errors.js';
import type { VerbInput } from './verb.js';

/** The level that the user chose by an option, or undefined. Error: `USAGE` for more than one. */
export function chosenLevel({ options }: VerbInput): FileLevel | undefined {
  const chosen = FILE_LEVELS.filter((level) => options[level] === true);
  if (chosen.length <= 1) return chosen[0];
  throw new MlvError('USAGE', `--${chosen.join(' and --')} exclude each other`, { hint: 'give one of them' });
}

/** The file of a level. Error: `NOT_A_GIT_REPOSITORY` for a level of the repository outside of one. */
export function levelFile(paths: ConfigPaths, level: FileLevel): LevelFile {
  const path = paths[level];
  if (path !== undefined) return { level, path };
  throw new MlvError('NOT_A_GIT_REPOSITORY', `there is no ${level} configuration outside of a Git repository`, {
    hint: 'change to a directory of your repository, or choose --user or --system',
  });
}
