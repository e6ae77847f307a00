import { isMlvError, MlvError } from '../../core/errors.js';
import { readSource } from '../../workspace/pointer-source.js';
import { loadTargets, selectTargets } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import {
  type ImportedTarget,
  isOnThisMachine,
  type Updated,
  type UpdateOptions,
  updateOne,
} from '../elsewhere/update-one.js';
import { errorDocument } from '../errors.js';
import { gitAddCommand } from '../git-hint.js';
import { displayer, toPaths } from '../operands.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/**
 * `mlv update`: see its declaration. Errors: `PATH_NOT_TRACKED`, `USAGE` for a path that was not imported; one for each
 * source that cannot be asked or brought, `DIFFERENCES` with `--check`.
 */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const own = await openRepository(session);
  const check = options.check === true;
  const update: UpdateOptions = {
    rev: textOption(options.rev),
    dryRun: check || options.dryRun === true,
    force: options.force === true,
    stage: typeof options.stage === 'boolean' ? options.stage : undefined,
  };
  const { imports, problems } = await importsAt(own, args);
  if (update.rev !== undefined && imports.length !== 1) {
    throw new MlvError('USAGE', '--rev chooses a revision for one import', { hint: 'mlv update --rev v2 data/' });
  }
  const left = args.length > 0 ? [] : imports.filter(({ source }) => isOnThisMachine(source, own.layout.worktree));
  const done: Updated[] = [];
  const errors: MlvError[] = [...problems];
  for (const each of imports) {
    if (left.includes(each)) continue;
    try {
      done.push(await updateOne(session, own, { imported: each, options: update }));
    } catch (error) {
      if (!isMlvError(error) || error.code === 'INTERRUPTED') throw error;
      errors.push(error);
    }
  }
  const changed = done.filter(({ state }) => state === 'changed');
  if (check && changed.length > 0) errors.push(outOfDate(changed));
  return present(own, { done, left, errors, dryRun: update.dryRun });
}

async function importsAt(
  own: OpenRepository,
  args: readonly string[],
): Promise<{ imports: ImportedTarget[]; problems: MlvError[] }> {
  const { targets, problems } = await loadTargets(own);
  const paths = toPaths(own, args);
  const chosen = selectTargets(targets, paths, problems);
  const imports: ImportedTarget[] = [];
  for (const { target, below } of chosen) {
    const source = readSource(target.text);
    if (source) imports.push({ target, source });
    else if (paths.includes(target.path) || below !== '') throw notImported(target.path);
  }
  return { imports, problems: paths.length === 0 ? problems : [] };
}

function notImported(path: string): MlvError {
  return new MlvError('USAGE', `'${path}' was not imported`, {
    hint: 'what was imported has the key source in its pointer: mlv import, mlv import-url',
    data: { path },
  });
}

function outOfDate(changed: readonly Updated[]): MlvError {
  const paths = changed.map(({ path }) => path);
  return new MlvError('DIFFERENCES', `${formatCount(paths.length, 'source')} changed since the import`, {
    hint: 'bring what they have now: mlv update',
    data: { paths },
  });
}

interface Outcome {
  done: readonly Updated[];
  left: readonly ImportedTarget[];
  errors: readonly MlvError[];
  dryRun: boolean;
}

async function present(own: OpenRepository, { done, left, errors, dryRun }: Outcome): Promise<Result> {
  const show = displayer(own);
  const lines = done.map((each) => `${each.state.padEnd(9)} ${show(each.path)}${detail(each)}`);
  const files = done.flatMap((each) => each.files);
  const command = files.length > 0 ? await gitAddCommand(own, [...new Set(files)]) : undefined;
  const named = left.map(({ target, source }) => `not asked: ${show(target.path)} (${source.url})`);
  return {
    text: lines.length === 0 && left.length === 0 && errors.length === 0 ? ['nothing was imported'] : lines,
    notes: [
      ...(named.length > 0
        ? [...named, 'sources on this machine are asked where they are named: mlv update <path>']
        : []),
      ...(command === undefined ? [] : ['To record it in Git:', `  ${command}`]),
    ],
    json: {
      dryRun,
      targets: done,
      notAsked: left.map(({ target }) => target.path),
      problems: errors.map(errorDocument),
    },
    errors,
  };
}

function detail({ state, before, after, changes }: Updated): string {
  if (state === 'unchanged') return '';
  const from = before.commit?.slice(0, 10);
  const to = after.commit?.slice(0, 10);
  const commits = from === undefined || to === undefined || from === to ? '' : ` ${from}..${to}`;
  const parts = changes
    ? [`${changes.added} added`, `${changes.modified} modified`, `${changes.deleted} deleted`]
    : before.oid === after.oid
      ? ['the same content']
      : [];
  return `${commits}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}
