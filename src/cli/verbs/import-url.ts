import { MlvError } from '../../core/errors.js';
import { checkImportPlace, importTarget } from '../../workspace/import-target.js';
import { openRepository } from '../context.js';
import { importResult } from '../elsewhere/import-result.js';
import { importPlace } from '../elsewhere/place.js';
import { storedPath } from '../elsewhere/source-url.js';
import { openUrl, urlObject, urlSource } from '../elsewhere/url.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv import-url`: see its declaration. Errors: those of openSource, download, checkImportPlace and importTarget. */
export async function run(session: Session, { args: [url = ''], options }: VerbInput): Promise<Result> {
  const own = await openRepository(session);
  const force = options.force === true;
  const remote = textOption(options.remote);
  const output = textOption(options.output);
  const from = await openUrl(session, own, { url, remote, baseDirectory: session.cwd });
  try {
    if (from.name === '' && (output === undefined || output.endsWith('/'))) throw nameless(from.url);
    const path = importPlace(own, { output, cwd: session.cwd })(from.name);
    await checkImportPlace(own, { path, directory: false }, force);
    const { content, state } = await urlObject(session, own, from);
    const isPath = from.url.startsWith('/');
    const stored = isPath ? storedPath(own.layout.worktree, url, from.url) : from.url;
    const source = urlSource(stored, { content, state, remote });
    const { reporter, signal } = session;
    const stage = typeof options.stage === 'boolean' ? options.stage : undefined;
    const imported = await importTarget(own, { path, content, source }, { force, stage, reporter, signal });
    const result = await importResult(own, { path, source, imported });
    if (!from.secret) return result;
    const note = 'the address held credentials, which are not kept: mlv update cannot ask it again';
    return { ...result, notes: [note, ...(result.notes ?? [])] };
  } finally {
    from.close();
  }
}

function nameless(url: string): MlvError {
  return new MlvError('USAGE', `${url} does not say what the file is called`, { hint: 'give it a name: -o <path>' });
}
