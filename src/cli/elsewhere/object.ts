import { MlvError } from '../../core/errors.js';
import { add } from '../../workspace/add.js';
import { makeOwn } from '../../workspace/deliver.js';
import type { StoredContent } from '../../workspace/import-target.js';
import { selectedEntry } from '../../workspace/list.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import type { ElsewhereContent } from './operand.js';
import { fetchElsewhere, stage, stagedPath } from './stage.js';

/**
 * Brings what was asked for of a repository elsewhere into the cache of the repository here, as one object. What both name
 * by the same algorithm is fetched right there; anything else (files of Git, several targets, another algorithm) is put
 * together in a directory of the command's own and taken in from it. Errors: those of stage and add, `USAGE`.
 */
export async function elsewhereObject(
  session: Session,
  own: OpenRepository,
  content: ElsewhereContent,
): Promise<StoredContent> {
  const { repository, selections, gitFiles, path } = content;
  if (path === undefined || path === '') {
    throw new MlvError('USAGE', 'a whole repository cannot be imported', {
      hint: 'name a file or directory of it; for all of it: git clone, or git submodule add',
    });
  }
  const [selection] = selections;
  if (!selection || selections.length > 1 || gitFiles.length > 0 || repository.cache !== own.cache) {
    return gathered(session, own, content);
  }
  const whole = selection.below === '' && selection.target.path === path;
  if (!whole && selection.below === '') return gathered(session, own, content);
  await fetchElsewhere(session, content);
  const entry = selectedEntry(repository, selection);
  if (entry.kind === 'link') {
    throw new MlvError('USAGE', `'${path}' is a link`, { hint: `import what it leads to: ${entry.target}` });
  }
  const { size } = entry;
  const oid = own.cache.oid(entry.digest);
  if (entry.kind === 'tree') return { oid, size, files: entry.files };
  return { oid, size, ...(entry.kind === 'executable' && { executable: true }) };
}

async function gathered(session: Session, own: OpenRepository, content: ElsewhereContent): Promise<StoredContent> {
  const { repository, path = '' } = content;
  const { leftOut } = await stage(session, content);
  const links = makeOwn(stagedPath(repository, path)).leftOut;
  for (const each of [...leftOut, ...links]) {
    session.reporter.warn(`left out: '${each}' is a link that leads elsewhere, or a repository of its own`);
  }
  const { hash, cache } = own;
  // The pointers that this writes beside the staged files go with them.
  const scratch = {
    ...repository,
    hash,
    cache,
    settings: { linkModes: ['copy'] as const, verify: false, stage: false },
  };
  const { reporter, signal } = session;
  const { targets } = await add(scratch, [path], { reporter, signal, stage: false });
  const pointer = targets[0]?.pointer;
  if (!pointer) throw new MlvError('INTERNAL', `'${path}' was not taken in`);
  const { oid, size, files, executable } = pointer;
  return { oid, size, ...(files !== undefined && { files }), ...(executable && { executable }) };
}
