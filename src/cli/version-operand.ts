import { lstatSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { absolutePath } from '../workspace/paths.js';
import { pointerPathOf } from '../workspace/pointers.js';
import type { OpenRepository } from './context.js';
import { toPaths } from './operands.js';
import type { VerbInput } from './verb.js';

/**
 * The version that the operands of a verb for paths name, such as `fraud@production`; undefined where they are paths. What
 * exists as a path, or stands behind `--`, is taken for a path. Error: `USAGE` for a version among other operands.
 */
export async function versionOperand(
  repository: OpenRepository,
  { args, afterSeparator = 0 }: Pick<VerbInput, 'args' | 'afterSeparator'>,
): Promise<string | undefined> {
  const before = args.slice(0, args.length - afterSeparator);
  if (!before.some((word) => word.includes('@'))) return undefined;
  const { isExplicitReference } = await import('../registry/reference.js');
  const reference = before.find((word) => isExplicitReference(word) && !isPath(repository, word));
  if (reference === undefined || args.length === 1) return reference;
  throw new MlvError('USAGE', `the version ${reference} is given together with other operands`, {
    hint: `a version is brought as a whole: name it alone; a path of that name is given behind --: -- ${reference}`,
  });
}

function isPath(repository: OpenRepository, word: string): boolean {
  const [path = ''] = toPaths(repository, [word]);
  return [path, pointerPathOf(path)].some((each) =>
    lstatSync(absolutePath(repository.layout, each), { throwIfNoEntry: false }),
  );
}
