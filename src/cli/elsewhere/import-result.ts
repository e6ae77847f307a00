import type { Imported } from '../../workspace/import-target.js';
import type { PointerSource } from '../../workspace/pointer-source.js';
import { pointerPathOf } from '../../workspace/pointers.js';
import { checkoutErrors } from '../checkout-errors.js';
import type { OpenRepository } from '../context.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer } from '../operands.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Result } from '../verb.js';

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
