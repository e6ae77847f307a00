import { realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { MlvError, systemErrorCode } from '../core/errors.js';

/** Error: `USAGE` for a directory inside the other, or the same by another name. */
export function requireApart(from: string, to: string): void {
  requireApartAsWritten(from, to);
  requireApartAsWritten(realPath(from), realPath(to));
}

/** Links followed as far as the path is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(path) === path) return path;
    return join(realPath(dirname(path)), basename(path));
  }
}

function requireApartAsWritten(from: string, to: string): void {
  const inside = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(outer + sep);
  if (!inside(from, to) && !inside(to, from)) return;
  throw new MlvError('USAGE', `the cache cannot be moved from '${from}' to '${to}': one is inside the other`, {
    hint: 'choose a directory of its own',
    data: { from, to },
  });
}
