import type { ChangeKind, ChangeTotals, PathChange } from '../../workspace/change-report.js';
import type { Style } from './style.js';
import { formatBytes } from './units.js';

const LETTERS: Record<ChangeKind, string> = {
  added: 'A',
  modified: 'M',
  deleted: 'D',
  renamed: 'R',
  mode: 'M',
  type: 'T',
};

/** How lines are made: `show` turns a repository path into what is printed. */
export interface ChangeRendering {
  style: Style;
  show: (path: string) => string;
}

/** One change as a line, such as `M data/labels.csv (1.0 KiB -> 1.2 KiB)`. */
export function changeLine(change: PathChange, { style, show }: ChangeRendering): string {
  const { kind, path, from } = change;
  const colour = kind === 'added' ? style.green : kind === 'deleted' ? style.red : style.yellow;
  const name = from === undefined ? show(path) : `${show(from)} -> ${show(path)}`;
  const detail = detailOf(change);
  return `${colour(LETTERS[kind])} ${name}${detail === '' ? '' : ` ${style.dim(`(${detail})`)}`}`;
}

function detailOf({ kind, before, after, bytesBefore, bytesAfter }: PathChange): string {
  switch (kind) {
    case 'added':
      return after === 'link' ? 'link' : formatBytes(bytesAfter);
    case 'deleted':
      return before === 'link' ? 'link' : formatBytes(bytesBefore);
    case 'modified':
      return after === 'link' ? 'link' : `${formatBytes(bytesBefore)} -> ${formatBytes(bytesAfter)}`;
    case 'mode':
      return after === 'executable' ? 'now executable' : 'no longer executable';
    case 'type':
      return after === undefined ? `was a ${before}` : `${before} -> ${after}`;
    case 'renamed':
      return before === after ? '' : `${before} -> ${after}`;
  }
}

/** Sums on one line, such as `2 added, 1 deleted (+5.0 MiB, -1.0 KiB)`; `no changes` where there are none. */
export function totalsLine(totals: ChangeTotals): string {
  const { added, modified, deleted, renamed, bytesAdded, bytesDeleted } = totals;
  const counts = Object.entries({ added, modified, deleted, renamed }).filter(([, count]) => count > 0);
  if (counts.length === 0) return 'no changes';
  const bytes = [
    bytesAdded > 0 ? `+${formatBytes(bytesAdded)}` : '',
    bytesDeleted > 0 ? `-${formatBytes(bytesDeleted)}` : '',
  ];
  const shown = bytes.filter((each) => each !== '').join(', ');
  return `${counts.map(([name, count]) => `${count} ${name}`).join(', ')}${shown === '' ? '' : ` (${shown})`}`;
}
