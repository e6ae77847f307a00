import { MlvError } from '../../core/errors.js';
import type { Git } from '../../git/git.js';
import { evaluateVersion } from '../../registry/approve.js';
import { parsePointer } from '../../workspace/pointer-format.js';
import { givenMetrics } from '../given-metrics.js';
import { openProposer, proposed } from '../propose.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv evaluate`: see its declaration. Errors: `USAGE`, those of givenMetrics and evaluateVersion. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const metrics = await givenMetrics(session, { assignments: options.metric, files: options.metrics });
  if (Object.keys(metrics).length === 0) {
    throw new MlvError('USAGE', 'no metric was given', { hint: 'such as: -m auc=0.93, or --metrics results.json' });
  }
  const opened = await openProposer(session, input);
  const on = textOption(options.on);
  const onOid = on === undefined ? undefined : await trackedOid(opened.open.git, on);
  const request = { reference: args[0] ?? '', metrics, on, onOid, reason: textOption(options.reason) };
  return proposed(session, opened, () => evaluateVersion(opened.proposer, request));
}

/** The oid of a tracked file or directory at HEAD; undefined where the name is only a name. */
async function trackedOid(git: Git, name: string): Promise<string | undefined> {
  const path = [...(git.layout.prefix === '' ? [] : [git.layout.prefix]), name.replace(/\/+$/, '')].join('/');
  if ((await git.head()) === undefined) return undefined;
  const file = (await git.listFiles({ kind: 'revision', revision: 'HEAD' }, '.mlv')).find(
    (each) => each.path === `${path}.mlv`,
  );
  const bytes = file && (await git.readBlobs([file.blob])).get(file.blob);
  return bytes && parsePointer(bytes.toString('utf8'), file.path).oid;
}
