import { recordCheck } from '../registry/approve.js';
import { stageOf } from '../registry/gates.js';
import { checksOf } from '../registry/judge-view.js';
import { resolveReference, versionName } from '../registry/reference-resolve.js';
import { keepText } from './attachments.js';
import type { OpenProposer } from './propose.js';
import { runInVersion } from './restored-version.js';
import type { Session } from './session.js';

/**
 * Runs the checks of a stage that a version has not passed yet, each in the restored version, and records how they ended.
 * The commands are those of the policy in force: the caller has allowed it. Errors: those of runInVersion and recordCheck.
 */
export async function runChecks(
  session: Session,
  { open, proposer }: OpenProposer,
  { reference, stage }: { reference: string; stage: string },
): Promise<void> {
  const view = await open.registry.viewOrFetch();
  const { version } = await resolveReference(view, reference);
  const { checks = [] } = stageOf(await view.policy(), stage);
  const known = checksOf(await view.events(version.model)).get(version.version) ?? [];
  for (const { name, command } of checks) {
    const last = known.findLast((each) => each.check === name && each.command === command);
    if (last?.exit === 0) continue;
    session.reporter.note(`check ${name} of ${versionName(version)}: ${command}`);
    const { exit, log } = await runInVersion(session, { open, view, version }, { command, stage });
    const attachments = [await keepText(session, `${name}.log`, log)];
    await recordCheck(proposer, { reference: versionName(version), check: name, command, exit, attachments });
  }
}
