import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import type { Better } from '../../provenance/metrics.js';
import { type ConflictedPointer, conflictedPointers } from '../../workspace/conflicts.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import { checkoutErrors } from '../checkout-errors.js';
import { type Settled, type Settlement, settle } from '../conflict-settling.js';
import { type OpenRepository, openRepository } from '../context.js';
import { displayer, toPaths } from '../operands.js';
import { conflictLines, mergeHere } from '../pointer-merging.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, textsOption, type VerbInput } from '../verb.js';

/** `mlv resolve-conflict`: see its declaration. Errors: `USAGE`, `PATH_NOT_FOUND`, those of settle. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const choice = choiceOf(input);
  const paths = toPaths(repository, input.args);
  const conflicts = await conflictedPointers(repository, paths);
  if (!choice) return list(session, repository, { conflicts, all: input.options.all === true });
  if (paths.length === 0) {
    throw new MlvError('USAGE', 'which conflict? Give the paths to be settled, or . for all', {
      hint: 'what there is: mlv resolve-conflict',
    });
  }
  const files = textsOption(input.options.file);
  for (const path of paths) if (!conflicts.some((each) => touches(each, path))) throw notInConflict(path);
  const settled: Settled[] = [];
  for (const conflict of conflicts) {
    const inner = [...files, ...paths.flatMap((path) => insideOf(conflict, path))];
    settled.push(await settle(session, repository, { conflict, choice, files: inner }));
  }
  const stage = typeof input.options.stage === 'boolean' ? input.options.stage : repository.settings.stage;
  return finish(repository, settled, stage);
}

function choiceOf({ options }: VerbInput): Settlement | undefined {
  const metric = textOption(options.byMetric);
  const given = [options.ours === true, options.theirs === true, metric !== undefined].filter(Boolean).length;
  if (given > 1) throw new MlvError('USAGE', 'of --ours, --theirs and --by-metric only one can be given');
  if (options.lower === true && options.higher === true) {
    throw new MlvError('USAGE', '--lower and --higher exclude each other', { hint: 'leave one of them out' });
  }
  if (options.ours === true) return { by: 'ours' };
  if (options.theirs === true) return { by: 'theirs' };
  const better: Better | undefined = options.lower === true ? 'lower' : options.higher === true ? 'higher' : undefined;
  if (metric !== undefined) return { by: 'metric', metric, better };
  if (textsOption(options.file).length === 0) return undefined;
  throw new MlvError('USAGE', '--file needs to know which side', { hint: 'add --ours or --theirs' });
}

function touches({ path, file }: ConflictedPointer, operand: RepositoryPath): boolean {
  const above = operand === '' || path === operand || path.startsWith(`${operand}/`);
  return above || file === operand || operand.startsWith(`${path}/`);
}

function insideOf({ path }: ConflictedPointer, operand: RepositoryPath): string[] {
  return operand.startsWith(`${path}/`) ? [operand.slice(path.length + 1)] : [];
}

function notInConflict(path: RepositoryPath): MlvError {
  return new MlvError('PATH_NOT_FOUND', `'${path || '.'}' has no pointer that Git has in conflict`, {
    hint: 'what there is: mlv resolve-conflict   (a merge that is committed can be taken back: git reset)',
    data: { path },
  });
}

/** What is in conflict, for who has not decided yet. */
async function list(
  session: Session,
  repository: OpenRepository,
  { conflicts, all }: { conflicts: readonly ConflictedPointer[]; all: boolean },
): Promise<Result> {
  const show = displayer(repository);
  const text: string[] = [];
  const documents: Record<string, unknown>[] = [];
  const errors: MlvError[] = [];
  for (const conflict of conflicts) {
    const { path, base, ours, theirs } = conflict;
    if (!ours || !theirs) {
      const kind = !ours && !theirs ? 'deleted-by-both' : ours ? 'deleted-by-theirs' : 'deleted-by-ours';
      text.push(`${show(path)}: ${WORDS[kind]}`);
      documents.push({ path, kind, conflicts: [] });
      continue;
    }
    try {
      const sides = { base, ours, theirs };
      const merged = await mergeHere(session, repository, {
        path,
        name: ours.pointer.path,
        sides,
        choose: () => 'left',
      });
      const count = merged.conflicts.length;
      const words =
        count === 0 ? 'no file is in conflict; --ours and --theirs both merge it' : formatCount(count, 'conflict');
      text.push(`${show(path)}: ${words}`);
      text.push(...conflictLines(path, merged.conflicts, { show, all }));
      documents.push({ path, kind: 'content', conflicts: merged.conflicts });
    } catch (error) {
      if (!(error instanceof MlvError)) throw error;
      errors.push(error);
      documents.push({ path, kind: 'content', conflicts: [] });
    }
  }
  return {
    text: conflicts.length === 0 ? ['no pointer is in conflict'] : text,
    json: { conflicts: documents },
    notes: conflicts.length === 0 ? [] : ['settle one: mlv resolve-conflict --ours|--theirs|--by-metric <name> <path>'],
    errors,
  };
}

const WORDS = {
  'deleted-by-both': 'deleted on both sides',
  'deleted-by-ours': 'deleted here, changed there',
  'deleted-by-theirs': 'changed here, deleted there',
};

/** Stages what is settled as a whole, and says what is left. */
async function finish(repository: OpenRepository, settled: readonly Settled[], stage: boolean): Promise<Result> {
  const show = displayer(repository);
  const whole = settled.filter(({ open }) => open.length === 0);
  const kept = whole.filter(({ deleted }) => !deleted).map(({ file }) => file);
  const gone = whole.filter(({ deleted }) => deleted).map(({ file }) => file);
  if (stage) {
    await repository.git.stage(kept);
    await repository.git.unstage(gone);
  }
  const words = (files: readonly string[]): string => files.map((file) => shellQuote(show(file))).join(' ');
  const commands = [
    ...(kept.length > 0 ? [`  git add -- ${words(kept)}`] : []),
    ...(gone.length > 0 ? [`  git rm --cached -- ${words(gone)}`] : []),
  ];
  return {
    done: settled.flatMap((each) => lines(each, show)),
    notes: [
      ...settled.flatMap(({ notes }) => notes),
      ...(stage || commands.length === 0 ? [] : ['To tell Git that it is settled:', ...commands]),
    ],
    json: {
      staged: stage,
      settled: settled.map(({ path, deleted, decided, open, decision }) => ({
        path,
        deleted,
        decided,
        open,
        ...(decision && { decision }),
      })),
    },
    errors: settled.flatMap(({ report }) => (report ? checkoutErrors(report).filter(isUnsaved) : [])),
  };
}

function isUnsaved({ code }: MlvError): boolean {
  return code !== 'OBJECT_MISSING';
}

function lines({ path, deleted, decided, open, decision, from }: Settled, show: (path: string) => string): string[] {
  if (open.length > 0) {
    return [
      `${show(path)}: ${formatCount(decided, 'conflict')} decided, ${open.length} left`,
      ...conflictLines(path, open, { show }),
    ];
  }
  const why = decision
    ? ` (${decision.metric}: ours ${decision.ours}, theirs ${decision.theirs}; ${decision.better} is better)`
    : '';
  return [`${show(path)}: ${deleted ? 'deleted' : `settled, ${from}`}${why}`];
}
