import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { holdLock } from '../config/lock-file.js';
import type { Git } from '../git/git.js';

const PREFIX = 'mlv-version-';
const OWNER = 'owner.lock';

/**
 * Gives `work` a path for a linked working tree in the system's directory for temporary files, and takes away what is
 * there when it is done, when it fails, and when the process is made to exit. What a killed process left is taken away by
 * the next one. `keep`, called by the work, leaves the tree where it is. Errors: those of the work, `FILE_SYSTEM`.
 */
export async function withTemporaryTree<T>(
  git: Git,
  name: string,
  work: (directory: string, keep: () => void) => Promise<T>,
): Promise<T> {
  await sweep(git);
  const parent = realpathSync(mkdtempSync(join(tmpdir(), PREFIX)));
  const release = holdLock(join(parent, OWNER));
  const directory = join(parent, name);
  let kept = false;
  const remove = (): void => {
    if (!kept) rmSync(parent, { recursive: true, force: true });
  };
  process.once('exit', remove);
  try {
    return await work(directory, () => {
      kept = true;
    });
  } finally {
    process.off('exit', remove);
    if (!kept) await takeAway(git, directory);
    else release?.();
    remove();
  }
}

/** Takes a linked working tree away, with everything in it. */
export async function takeAway(git: Git, directory: string): Promise<void> {
  await git.removeWorktree(directory).catch(() => {});
  rmSync(directory, { recursive: true, force: true });
}

/** A tree that was kept has no owner's lock; one whose owner was killed has one that can be taken over. */
async function sweep(git: Git): Promise<void> {
  for (const path of await git.worktrees()) {
    const parent = dirname(path);
    if (!basename(parent).startsWith(PREFIX) || !existsSync(join(parent, OWNER))) continue;
    if (holdLock(join(parent, OWNER)) === undefined) continue;
    await takeAway(git, path);
    rmSync(parent, { recursive: true, force: true });
  }
  for (const name of readdirSync(tmpdir())) if (name.startsWith(PREFIX)) sweepEmpty(join(tmpdir(), name));
}

/** Whose owner was killed before a tree was in it. */
function sweepEmpty(parent: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(parent);
  } catch {
    // Of somebody else, or gone.
  }
  if (names.length !== 1 || names[0] !== OWNER || holdLock(join(parent, OWNER)) === undefined) return;
  rmSync(parent, { recursive: true, force: true });
}
