import { relative, resolve, sep } from 'node:path';
import type { ElsewhereAddress } from '../../git/elsewhere-address.js';
import type { OpenRepository } from '../context.js';

/** How a pointer names a repository: a path is relative to the top of the working tree where the user's was relative. */
export function storedUrl(
  { layout }: Pick<OpenRepository, 'layout'>,
  typed: string,
  address: ElsewhereAddress,
): string {
  if (address.local === undefined) return address.shown;
  return storedPath(layout.worktree, typed, address.local);
}

/** As storedUrl, for any path. */
export function storedPath(worktree: string, typed: string, absolute: string): string {
  if (typed.startsWith('/') || typed.includes('://') || /^[A-Za-z]:/.test(typed)) return absolute;
  const path = relative(worktree, resolve(absolute)).split(sep).join('/');
  return path.startsWith('..') ? path : `./${path}`;
}
