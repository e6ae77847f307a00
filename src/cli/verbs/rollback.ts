import { MlvError } from '../../core/errors.js';
import type { RegistryView, VersionState } from '../../registry/registry.js';
import { rollBack } from '../../registry/rollback.js';
import { type OpenProposer, openProposer, proposed } from '../propose.js';
import { runInVersion } from '../restored-version.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';
import { versionReady } from '../version-ready.js';

/** `mlv rollback`: see its declaration. Errors: `RUN_FAILED`, those of rollBack and versionReady. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const [model = '', stage = ''] = args;
  const opened = await openProposer(session, input);
  const request = { model, stage, to: textOption(options.to), reason: textOption(options.reason) };
  const ready = versionReady(session, smokeTest(session, opened, { command: textOption(options.smoke), stage }));
  return proposed(session, opened, () => rollBack(opened.proposer, { ...request, ready }));
}

/** Runs the caller's own command in the restored version before anything is written. Error: `RUN_FAILED`. */
function smokeTest(
  session: Session,
  { open, proposer }: OpenProposer,
  { command, stage }: { command: string | undefined; stage: string },
): ((view: RegistryView, version: VersionState) => Promise<void>) | undefined {
  if (command === undefined || proposer.dryRun) return undefined;
  return async (view, version) => {
    const { exit } = await runInVersion(session, { open, view, version }, { command, stage });
    if (exit === 0) return;
    const name = `${version.model}@${version.version}`;
    throw new MlvError('RUN_FAILED', `the smoke test of ${name} ended with ${exit}: ${command}`, {
      hint: `nothing was written; go back further: mlv rollback ${version.model} ${stage} --to <version>`,
      data: { version: name, command, exit },
    });
  };
}
