import { join, posix } from 'node:path';
import { checkImportPlace, type Imported, importTarget } from '../../workspace/import-target.js';
import type { PointerSource } from '../../workspace/pointer-source.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { checkoutErrors } from '../checkout-errors.js';
import { type OpenRepository, openRepository } from '../context.js';
import { foreignObject } from '../elsewhere/object.js';
import { withScratch } from '../elsewhere/open.js';
import { foreignContent } from '../elsewhere/operand.js';
import { importPlace } from '../elsewhere/place.js';
import { scratchDirectory } from '../elsewhere/scratch.js';
import { storedUrl } from '../elsewhere/source-url.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer } from '../operands.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv import`: see its declaration. Errors: those of foreignContent, foreignObject, checkImportPlace, importTarget. */
export async function run(session: Session, { args: [url = '', operand = ''], options }: VerbInput): Promise<Result> {
  const own = await openRepository(session);
  const force = options.force === true;
  const revision = textOption(options.rev);
  const directory = scratchDirectory(join(own.layout.commonDir, 'mlv'), 'import-');
  return withScratch(directory, async () => {
    const asked = { url, operand, revision, directory, contents: true, versions: false, own };
    const content = await foreignContent(session, asked);
    const [problem] = content.problems;
    if (problem) throw problem;
    const name = posix.basename(content.path ?? '');
    const path = importPlace(own, { name, output: textOption(options.output), cwd: session.cwd });
    await checkImportPlace(own, { path, directory: true }, force);
    const stored = await foreignObject(session, own, content);
    const { address, commit } = content.repository;
    const source: PointerSource = {
      url: storedUrl(own, url, address),
      path: content.path ?? '',
      ...(revision !== undefined && { rev: revision }),
      commit,
      oid: stored.oid,
    };
    const { reporter, signal } = session;
    const stage = typeof options.stage === 'boolean' ? options.stage : undefined;
    const imported = await importTarget(own, { path, content: stored, source }, { force, stage, reporter, signal });
    return importResult(own, { path, source, imported });
  });
}

/** What an import did. */
export async function importResult(
  own: OpenRepository,
  { path, source, imported }: { path: string; source: PointerSource; imported: Imported },
): Promise<Result> {
  const { pointer, checkout, files, staged } = imported;
  const errors = checkoutErrors(checkout);
  const what = `${formatCount(pointer.files ?? 1, 'file')}, ${formatBytes(pointer.size)}`;
  const at = source.commit === undefined ? '' : ` at ${source.commit.slice(0, 10)}`;
  const show = displayer(own);
  const command = staged || files.length === 0 ? undefined : await gitAddCommand(own, files);
  return {
    done:
      files.length === 0
        ? []
        : [`imported ${show(path, pointer.files !== undefined)} from ${source.url}${at} (${what})`],
    notes: command === undefined ? [] : ['To record it in Git:', `  ${command}`],
    json: {
      path,
      pointer: pointerPathOf(path),
      oid: pointer.oid,
      size: pointer.size,
      ...(pointer.files !== undefined && { files: pointer.files }),
      source,
      written: files,
      staged,
    },
    errors,
  };
}
