import { diskUsage, type ListedEntry } from '../../workspace/list.js';
import { forDisplay, isWithin } from '../../workspace/paths.js';
import { selectTargets } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { errorDocument } from '../errors.js';
import { getListings } from '../listings.js';
import { pathsFromHere, splitOperands, targetsAt } from '../operands.js';
import { quotePath } from '../render/quote.js';
import { alignColumns } from '../render/table.js';
import { formatBytes } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv du`: see its declaration. Errors: those of splitOperands and diskUsage. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const operands = await splitOperands(repository, input, { session, limit: 1 });
  const { targets, problems } = await targetsAt(repository, operands);
  const paths = pathsFromHere(repository, targets, operands.paths);
  if (paths !== undefined && paths.length > 0)
    await getListings(session, repository, { selections: selectTargets(targets, paths), recursive: false });
  const entries = paths === undefined ? [] : [...diskUsage(repository, targets, paths)];
  const total = outermostTotal(entries);
  const format = input.options.bytes === true ? String : formatBytes;
  return {
    text: lines(repository, [...entries, ...(entries.length > 1 ? [total] : [])], format),
    json: { entries, total, problems: problems.map(errorDocument) },
    errors: problems,
  };
}

/** The sum over what lies in no other line. */
function outermostTotal(entries: readonly ListedEntry[]): { size: number; files: number } {
  const total = { size: 0, files: 0 };
  const trees = entries.filter(({ kind }) => kind === 'tree').map(({ path }) => path);
  for (const entry of entries) {
    if (trees.some((path) => path !== entry.path && isWithin(entry.path, path))) continue;
    total.size += entry.size;
    total.files += entry.files ?? 1;
  }
  return total;
}

type Line = Pick<ListedEntry, 'size'> & Partial<Pick<ListedEntry, 'path' | 'kind'>>;

function lines(repository: OpenRepository, entries: readonly Line[], format: (bytes: number) => string): string[] {
  const rows = entries.map(({ path, kind, size }) => {
    const name =
      path === undefined ? 'total' : quotePath(`${forDisplay(repository.layout, path)}${kind === 'tree' ? '/' : ''}`);
    return [format(size), name];
  });
  return alignColumns(rows, ['right', 'left']);
}
