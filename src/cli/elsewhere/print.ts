import { posix } from 'node:path';
import { MlvError } from '../../core/errors.js';
import { selectedEntry } from '../../workspace/list.js';
import { printObject } from '../print-object.js';
import type { Session } from '../session.js';
import type { ElsewhereContent } from './operand.js';
import { fetchElsewhere } from './stage.js';

/**
 * Prints the one file that was asked for. Errors: `USAGE` for a directory or several files, those of fetchElsewhere and
 * printObject.
 */
export async function printElsewhere(session: Session, content: ElsewhereContent): Promise<void> {
  const { repository, selections, gitFiles } = content;
  const [file] = gitFiles;
  if (file && gitFiles.length === 1 && selections.length === 0 && file.path === content.path) {
    await printGitFile(session, content);
    return;
  }
  const [selection] = selections;
  if (!selection || selections.length > 1 || gitFiles.length > 0) throw notOneFile(content);
  await fetchElsewhere(session, content);
  const entry = selectedEntry(repository, selection);
  if (entry.kind === 'tree') throw notOneFile(content);
  if (entry.kind === 'link') {
    const below = posix.join(posix.dirname(selection.below), entry.target);
    throw new MlvError('USAGE', `'${content.path}' is a link`, { hint: `print what it leads to: ${below}` });
  }
  await printObject(repository, repository.cache.oid(entry.digest), session.output);
}

async function printGitFile({ output }: Session, { repository, gitFiles }: ElsewhereContent): Promise<void> {
  const pieces: Buffer[] = [];
  // What Git has is small; what is not is held in memory once.
  await repository.elsewhere.readBlob(gitFiles[0]?.blob ?? '', (bytes) => pieces.push(bytes));
  for (const piece of pieces) await output.write(piece);
}

function notOneFile({ path, version }: ElsewhereContent): MlvError {
  const what = version ? `${version.name} has several files` : `'${path}' is a directory`;
  return new MlvError('USAGE', `${what}; one file can be printed`, {
    hint: 'name one file, or a directory for the whole: mlv get <url> <path> -o <directory>',
  });
}
