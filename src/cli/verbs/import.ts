import { mkdirSync } from 'node:fs';
import { posix } from 'node:path';
import { checkImportPlace, importTarget } from '../../workspace/import-target.js';
import type { PointerSource } from '../../workspace/pointer-source.js';
import { openRepository } from '../context.js';
import { importResult } from '../elsewhere/import-result.js';
import { importable } from '../elsewhere/importable.js';
import { elsewhereObject } from '../elsewhere/object.js';
import { withScratch } from '../elsewhere/open.js';
import { elsewhereContent } from '../elsewhere/operand.js';
import { importPlace } from '../elsewhere/place.js';
import { storedUrl } from '../elsewhere/source-url.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv import`: see its declaration. Errors: those of elsewhereContent, importable, elsewhereObject, checkImportPlace, importTarget. */
export async function run(session: Session, { args: [url = '', operand = ''], options }: VerbInput): Promise<Result> {
  const own = await openRepository(session);
  const force = options.force === true;
  const revision = textOption(options.rev);
  const placeOf = importPlace(own, { output: textOption(options.output), cwd: session.cwd });
  const directory = own.cache.temporary.next();
  mkdirSync(directory);
  return withScratch(directory, async () => {
    const asked = { url, operand, revision, directory, contents: true, versions: true, artifactsOnly: true, own };
    const { content, rev, commit } = importable(await elsewhereContent(session, asked), { operand, revision });
    const [problem] = content.problems;
    if (problem) throw problem;
    const path = placeOf(posix.basename(content.path ?? ''));
    await checkImportPlace(own, { path, directory: true }, force);
    const stored = await elsewhereObject(session, own, content);
    const source: PointerSource = {
      url: storedUrl(own, url, content.repository.address),
      path: content.path ?? '',
      ...(rev !== undefined && { rev }),
      commit,
      oid: stored.oid,
    };
    const { reporter, signal } = session;
    const stage = typeof options.stage === 'boolean' ? options.stage : undefined;
    const imported = await importTarget(own, { path, content: stored, source }, { force, stage, reporter, signal });
    return importResult(own, { path, source, imported });
  });
}
