import { isMlvError, type MlvError } from '../../core/errors.js';
import type { CollectedRoots } from '../../transfer/collect-roots.js';
import { checkout } from '../../workspace/checkout.js';
import type { CheckoutReport } from '../../workspace/checkout-directory.js';
import { beginEarlyCopies } from '../../workspace/early-copies.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import type { Selection } from '../../workspace/pointers.js';
import { checkoutErrors } from '../checkout-errors.js';
import { type OpenRepository, openRepository } from '../context.js';
import { withoutDroppedUnasked } from '../dropped.js';
import { fetchCollected } from '../fetch-selections.js';
import { toPaths } from '../operands.js';
import { checkoutDocument, checkoutSummary } from '../render/checkout.js';
import type { Session } from '../session.js';
import { collect, collectToTransfer, transferDocument, transferredLine } from '../transfers.js';
import { namesCommits, type Result, textOption, type VerbInput } from '../verb.js';
import { versionOperand } from '../version-operand.js';
import { Widening, withParts } from '../wanted-parts.js';

/** `mlv pull`: see its declaration. Errors: those of fetch, checkout and versions. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const { options } = input;
  const repository = await openRepository(session, { 'core.jobs': textOption(options.jobs) });
  const reference = await versionOperand(repository, input);
  if (reference !== undefined) {
    const { pullVersionVerb } = await import('../restore-version.js');
    return pullVersionVerb(session, repository, { ...input, reference });
  }
  const asked = await askedFor(session, repository, input);
  const dryRun = options.dryRun === true;
  const copies = dryRun ? undefined : beginEarlyCopies(repository, asked.wanted);
  try {
    const outcome = await fetchCollected(session, repository, { collected: asked.collected, options, copies });
    const { transferred, errors } = outcome;
    const words = { verb: dryRun ? 'would fetch' : 'fetched', direction: 'from' } as const;
    const nothing = asked.isNothing ? ['nothing is tracked yet'] : [];
    const lines = transferred.length > 0 ? transferred.map((each) => transferredLine(each, words)) : nothing;
    const { notes } = asked;
    const { problems } = asked.collected;
    const document = transferDocument(outcome, { dryRun, problems });
    if (dryRun) return { notes, done: lines, json: document, errors: [...problems, ...errors] };
    const widening = Widening.begin(repository, asked.wanted, asked.paths);
    const report = await checkout(repository, asked.wanted, {
      force: options.force === true,
      reporter: session.reporter,
      signal: session.signal,
      copies,
    });
    widening.finish(report);
    return {
      notes,
      done: [...lines, ...(asked.wanted.length > 0 ? [checkoutSummary(report)] : [])],
      json: { ...document, checkout: checkoutDocument(report) },
      errors: [...problems, ...errors, ...remaining(report, errors)],
    };
  } finally {
    copies?.end();
  }
}

interface Asked {
  /** What comes into the cache. */
  collected: CollectedRoots;
  /** What comes into the workspace. */
  wanted: Selection[];
  /** As the user named them. */
  paths: RepositoryPath[];
  /** True where the repository tracks nothing. */
  isNothing: boolean;
  notes: string[];
}

async function askedFor(session: Session, repository: OpenRepository, input: VerbInput): Promise<Asked> {
  const { remote, dryRun } = input.options;
  const asked = await collectToTransfer(session, repository, { ...input, options: { remote } });
  const { collected: here, notes } = withoutDroppedUnasked(repository, { ...input, options: { dryRun } }, asked);
  const collected = await withRevisions(session, input, { repository, here });
  const paths = toPaths(repository, input.args);
  const wanted = await withParts(session, repository, { selections: here.selections, paths });
  const everything = await withParts(session, repository, { selections: collected.selections, paths });
  const isNothing = asked.selections.length === 0;
  return { collected: { ...collected, selections: everything }, wanted, paths, isNothing, notes };
}

/** With revisions, their targets come into the cache, too; the workspace follows its own pointers in any case. */
async function withRevisions(
  session: Session,
  input: VerbInput,
  { repository, here }: { repository: OpenRepository; here: CollectedRoots },
): Promise<CollectedRoots> {
  if (!namesCommits(input.options)) return here;
  const there = await collect(session, repository, input);
  const both = [...here.selections, ...there.selections];
  const unique = new Map(both.map((each) => [`${each.target.path}\0${each.target.pointer.oid}\0${each.below}`, each]));
  return {
    selections: [...unique.values()],
    problems: [...here.problems, ...there.problems],
    revisions: there.revisions,
  };
}

/** What the fetch could not bring is missing in the checkout, too, and was told already. */
function remaining(report: CheckoutReport, told: readonly MlvError[]): MlvError[] {
  const errors = checkoutErrors(report);
  return told.length > 0 ? errors.filter((error) => !isMlvError(error, 'OBJECT_MISSING')) : errors;
}
