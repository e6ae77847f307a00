import { resolve } from 'node:path';
import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { readBase, readSide, targetName } from '../../workspace/conflicts.js';
import { isPointerPath } from '../../workspace/pointers.js';
import { readTextFile } from '../../workspace/text-file.js';
import { writeWholeFile } from '../../workspace/write-whole-file.js';
import { openRepository } from '../context.js';
import { conflictLines, mergeHere } from '../pointer-merging.js';
import { quotePath } from '../render/quote.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** Enough to see that something is too long for a pointer. */
const READ_LIMIT = 1024 * 1024;

/**
 * `mlv merge-driver <base> <ours> <theirs> <path>`, as gitattributes(5) has merge drivers called: the result takes the place
 * of the file `ours`; any other exit code than 0 is a conflict. What it cannot merge at all is left as it is on our side.
 */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const [base = '', ours = '', theirs = '', file = ''] = args;
  const path = file.slice(0, -'.mlv'.length);
  try {
    if (!isPointerPath(file)) {
      throw new MlvError('USAGE', `'${file}' is no pointer`, { hint: 'Git calls this; see docs/merging.md' });
    }
    const repository = await openRepository(session);
    const sides = {
      base: readBase(readSmall(session, base), file),
      ours: readSide(readSmall(session, ours), file),
      theirs: readSide(readSmall(session, theirs), file),
    };
    // Between common ancestors no side may win: what both changed is then as neither has it, and is a conflict again.
    const choose = (): 'base' | 'left' => (options.ancestor === true ? 'base' : 'left');
    const merged = await mergeHere(session, repository, { path, name: targetName(file), sides, choose });
    writeWholeFile(resolve(session.cwd, ours), merged.text);
    const notes = merged.runDropped ? [`${quotePath(path)} is merged content, which no run made`] : [];
    if (merged.conflicts.length === 0) return { notes };
    return {
      notes: [
        ...notes,
        `${formatCount(merged.conflicts.length, 'conflict')} in ${quotePath(path)}:`,
        ...conflictLines(path, merged.conflicts, { show: quotePath }),
        `settle it: mlv resolve-conflict --ours ${shellQuote(path)}   (or --theirs, or --by-metric <name>)`,
      ],
      exitCode: 1,
    };
  } catch (error) {
    if (!(error instanceof MlvError)) throw error;
    const left = `${quotePath(file)} is left as it is on our side; later: mlv resolve-conflict ${shellQuote(path)}`;
    return { errors: [error], notes: [left] };
  }
}

function readSmall(session: Session, name: string): string {
  const path = resolve(session.cwd, name);
  const found = readTextFile(path, READ_LIMIT);
  if (found && 'text' in found) return found.text;
  throw new MlvError('PATH_NOT_FOUND', `there is no file '${name}'`, { hint: 'Git calls this; see docs/merging.md' });
}
