import { MlvError } from '../../core/errors.js';
import { promoteVersion } from '../../registry/promote.js';
import { openProposer, proposed } from '../propose.js';
import { runChecks } from '../run-checks.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv promote`: see its declaration. Errors: `USAGE`, those of promoteVersion. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const [reference = '', stage = ''] = args;
  if (stage.includes('@') && !reference.includes('@')) throw stageFirst(reference, stage);
  const traffic = readTraffic(textOption(options.traffic));
  const opened = await openProposer(session, input);
  const mayRun = options.runChecks === true || opened.open.config.registry.runChecks;
  if (mayRun && !opened.proposer.dryRun) await runChecks(session, opened, { reference, stage });
  const request = {
    reference,
    stage,
    traffic,
    reason: textOption(options.reason),
    ticket: textOption(options.ticket),
    override: options.override === true,
  };
  return proposed(session, opened, () => promoteVersion(opened.proposer, request));
}

function stageFirst(stage: string, reference: string): MlvError {
  return new MlvError('USAGE', `'${reference}' cannot be the name of a stage`, {
    hint: `the version comes first: mlv promote ${reference} ${stage}`,
  });
}

function readTraffic(text = '100'): number {
  const share = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (share > 0 && share <= 100) return share;
  throw new MlvError('USAGE', `'${text}' is no share of the callers`, { hint: 'in percent, above 0: --traffic 10' });
}
