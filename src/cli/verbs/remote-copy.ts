import { MlvError } from '../../core/errors.js';
import { type CopyReport, copyRemote } from '../../transfer/copy-remote.js';
import { openRepository } from '../context.js';
import { openTransfer } from '../open-transfer.js';
import { formatBytes, formatCount, formatSeconds } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv remote copy`: see its declaration. Errors: `USAGE`, `REMOTE_NOT_CONFIGURED`, those of copyRemote. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const [first = '', second = ''] = args;
  if (first === second) throw new MlvError('USAGE', `'${first}' cannot be copied to itself`);
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const dryRun = options.dryRun === true;
  const from = await openTransfer(session, repository, first);
  try {
    const to = await openTransfer(session, repository, second);
    try {
      const started = performance.now();
      const report = await copyRemote(from.transfer, to.transfer, { dryRun });
      const seconds = Math.round(performance.now() - started) / 1000;
      const [down, up] = [from.traffic(), to.traffic()];
      const traffic = {
        requests: down.requests + up.requests,
        bytesUp: down.bytesUp + up.bytesUp,
        bytesDown: down.bytesDown + up.bytesDown,
      };
      const places = {
        from: { remote: first, url: from.transfer.remote.url },
        to: { remote: second, url: to.transfer.remote.url },
      };
      const cost = `(${formatCount(traffic.requests, 'request')}, ${formatSeconds(seconds)})`;
      const line = `${copiedLine(report, dryRun)} from ${first} (${places.from.url}) to ${second} (${places.to.url}) ${cost}`;
      return {
        ...(dryRun ? { text: [line] } : { done: [line] }),
        json: { dryRun, ...places, ...report, ...traffic, seconds },
        errors: report.failed.length > 0 ? [failedError(report, first)] : [],
      };
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

function copiedLine({ packs, records, bytes, present }: CopyReport, dryRun: boolean): string {
  const there = present > 0 ? `, ${present} were there already,` : '';
  const what = `${formatCount(packs, 'pack')} and ${formatCount(records, 'record')}, ${formatBytes(bytes)}`;
  return `${dryRun ? 'would copy' : 'copied'} ${what}${there}`;
}

function failedError({ failed }: CopyReport, from: string): MlvError {
  const [first] = failed;
  const more = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
  return new MlvError('OBJECT_CORRUPT', `${first?.key}${more} could not be copied: ${first?.message}`, {
    hint: `everything else was copied; mend the source and copy again: mlv fsck --remote=${from} --repair`,
    data: { failed: failed.slice(0, 1000) },
  });
}
