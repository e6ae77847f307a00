import { openOrBegin } from '../context.js';
import { LfsMigration } from '../migrate/lfs.js';
import { migrate } from '../migrate/migrate.js';
import { migrationOptions, migrationResult } from '../migrate/report.js';
import { toPaths } from '../operands.js';
import type { Session } from '../session.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** Settings under which Git takes no filter of Git LFS for anything: its program may not be there. */
const NO_FILTER: Readonly<Record<string, string>> = {
  'filter.lfs.process': '',
  'filter.lfs.clean': '',
  'filter.lfs.smudge': '',
  'filter.lfs.required': 'false',
};

/** `mlv migrate lfs`: see its declaration. Errors: those of migrate, `REMOTE_NOT_CONFIGURED`, `TRACKED_BY_GIT`. */
export async function run(given: Session, input: VerbInput): Promise<Result> {
  const session: Session = { ...given, env: withSettings(given.env, NO_FILTER) };
  const repository = await openOrBegin(session);
  const options = migrationOptions(input, { name: 'lfs', title: 'Git LFS' });
  const groups = toPaths(repository, textsOption(input.options.group));
  const migration = new LfsMigration(session, repository, { groups, remote: textOption(input.options.remote) });
  const outcome = await migrate(session, repository, { migration, options }).finally(() => migration.end());
  return migrationResult(outcome, options, {
    title: 'Git LFS',
    taken: migration.taken,
    remote: migration.remoteName,
    left: migration.left,
    leftovers: '.git/lfs is as it was; when you are content: git lfs uninstall --local && rm -r .git/lfs',
  });
}

/** Settings of Git in the environment, after those that are there: see git-config(1). */
function withSettings(env: NodeJS.ProcessEnv, settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const result = { ...env };
  let count = Number(env.GIT_CONFIG_COUNT ?? 0) || 0;
  for (const [key, value] of Object.entries(settings)) {
    result[`GIT_CONFIG_KEY_${count}`] = key;
    result[`GIT_CONFIG_VALUE_${count}`] = value;
    count += 1;
  }
  return { ...result, GIT_CONFIG_COUNT: String(count) };
}
