import type { MlvError } from '../../core/errors.js';
import { checkout } from '../../workspace/checkout.js';
import { loadTargets, type Selection, selectTargets } from '../../workspace/pointers.js';
import { checkoutErrors } from '../checkout-errors.js';
import { openRepository } from '../context.js';
import { withoutDroppedUnasked } from '../dropped.js';
import { errorDocument } from '../errors.js';
import { toPaths, withPathHints } from '../operands.js';
import { checkoutDocument, checkoutSummary } from '../render/checkout.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';
import { versionOperand } from '../version-operand.js';
import { Widening, withParts } from '../wanted-parts.js';

/** `mlv checkout`: see its declaration. Errors: those of checkout and of versions, `PATH_NOT_TRACKED`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { args, options } = input;
  const repository = await openRepository(session);
  const reference = await versionOperand(repository, input);
  if (reference !== undefined) {
    const { checkoutVersionVerb } = await import('../restore-version.js');
    return checkoutVersionVerb(session, repository, { ...input, reference });
  }
  const { targets, problems } = await loadTargets(repository);
  const paths = toPaths(repository, args);
  const broken = problems.filter((problem) => paths.length === 0 || concerns(problem, paths));
  const revision = (word: string): string => `check its pointers out first: git checkout ${word} && mlv checkout`;
  const select = async (): Promise<Selection[]> => selectTargets(targets, paths, problems);
  const asked = { selections: await withPathHints(repository, { revision }, select) };
  const { collected, notes } = withoutDroppedUnasked(repository, input, asked);
  const wanted = await withParts(session, repository, { selections: collected.selections, paths });
  const widening = Widening.begin(repository, wanted, paths);
  const report = await checkout(repository, wanted, {
    force: options.force === true,
    clean: options.clean === true,
    reporter: session.reporter,
    signal: session.signal,
  });
  widening.finish(report);
  return {
    done: [checkoutSummary(report)],
    notes,
    json: { ...checkoutDocument(report), problems: broken.map(errorDocument) },
    errors: [...broken, ...checkoutErrors(report)],
  };
}

function concerns(problem: MlvError, paths: readonly string[]): boolean {
  const pointer = String(problem.data.path ?? '');
  return paths.some((path) => pointer === path || pointer === `${path}.mlv` || pointer.startsWith(`${path}/`));
}
