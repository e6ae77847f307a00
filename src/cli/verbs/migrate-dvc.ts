import { openOrBegin } from '../context.js';
import { DvcMigration } from '../migrate/dvc.js';
import { migrate } from '../migrate/migrate.js';
import { migrationOptions, migrationResult } from '../migrate/report.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv migrate dvc`: see its declaration. Errors: those of migrate, `REMOTE_NOT_CONFIGURED`, `FOREIGN_INVALID`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openOrBegin(session);
  const options = migrationOptions(input, { name: 'dvc', title: 'DVC' });
  const migration = new DvcMigration(session, repository, { remote: textOption(input.options.remote) });
  const outcome = await migrate(session, repository, { migration, options });
  return migrationResult(outcome, options, {
    title: 'DVC',
    taken: migration.taken,
    remote: migration.remoteName,
    left: migration.left,
    leftovers: '.dvc/ stays in your working tree, where Git ignores it; remove it when you are content',
  });
}
