import type { GitContext } from './context.js';
import type { GitConflict } from './git.js';
import { decodePath, forEachEntry } from './paths.js';

const SIDES = { 1: 'base', 2: 'ours', 3: 'theirs' } as const;

/** The files with that suffix that the index holds in conflict, with what it has of each side; sorted by path. */
export async function conflicts(context: GitContext, suffix: string): Promise<GitConflict[]> {
  const { stdout } = await context.run(['ls-files', '-z', '--unmerged', '--full-name']);
  const found = new Map<string, GitConflict>();
  const take = (name: Buffer, [mode = '', blob = '', stage = '']: string[]): void => {
    const side = SIDES[stage as unknown as keyof typeof SIDES];
    const path = decodePath(name);
    const conflict = found.get(path) ?? { path };
    found.set(path, conflict);
    if (side && mode.startsWith('100')) conflict[side] = blob;
  };
  forEachEntry(stdout, take, suffix);
  return [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
}
