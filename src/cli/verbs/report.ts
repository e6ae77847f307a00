import { resolve } from 'node:path';
import { writeWholeFile } from '../../workspace/write-whole-file.js';
import { changeReport } from '../change-report.js';
import { openRepository } from '../context.js';
import { driftLimits, profileOptions } from '../profile-options.js';
import { reportMarkdown } from '../render/change-report.js';
import { quotePath } from '../render/quote.js';
import { reportRevisions } from '../report-revisions.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** Tables above this are not profiled for a comment. */
const LARGEST_TABLE = 64 * 1024 * 1024;

/** `mlv report`: see its declaration. Errors: those of reportRevisions and changeReport, `FILE_SYSTEM`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const [base, head, output] = [input.options.base, input.options.head, input.options.output].map(textOption);
  const sides = await reportRevisions(repository.git, { base, head });
  const tables = { options: profileOptions(session, input), limits: driftLimits(input), largest: LARGEST_TABLE };
  const report = await changeReport(session, repository, {
    ...sides,
    ...(input.options.schema === true && { tables }),
  });
  const text = reportMarkdown(report);
  if (output !== undefined) writeWholeFile(resolve(session.cwd, output), text);
  return {
    ...(output === undefined ? { text: [text], terminator: '' } : { done: [`written to ${quotePath(output)}`] }),
    json: { ...report, markdown: text },
  };
}
