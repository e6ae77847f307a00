import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Thread } from '../../src/core/thread.js';
import { loadHash } from '../../src/objects/hash.js';
import type { DirectoryBlock } from '../../src/workspace/directory-block.js';
import { IgnoreRules } from '../../src/workspace/ignore-rules.js';
import type { LookJob } from '../../src/workspace/look-job.js';
import { LookUnits } from '../../src/workspace/look-units.js';
import { sealTrees } from '../../src/workspace/seal.js';
import { StatIndex } from '../../src/workspace/stat-index.js';
import { walkDirectory } from '../../src/workspace/walk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

// Threads run the built program: from the sources there are none.
const program = new URL('../../dist/cli/look-worker.js', import.meta.url);

let worktree: string;

/** The index of three files in `data`, read back. */
async function indexed(): Promise<DirectoryBlock> {
  mkdirSync(join(worktree, 'data'));
  for (const name of ['a', 'b', 'c']) writeFileSync(join(worktree, 'data', name), name);
  const { root } = walkDirectory({
    worktree,
    directory: 'data',
    rules: IgnoreRules.none,
    objectOfLink: () => undefined,
    inodeOfObject: () => undefined,
  });
  const hash = await loadHash('blake3');
  sealTrees(root, hash, () => {});
  const index = new StatIndex(join(worktree, 'git'), hash);
  index.save('data', { base: undefined, block: root });
  return index.load('data')?.block as DirectoryBlock;
}

/** What the thread ended with, when it did. */
async function run(job: LookJob): Promise<unknown> {
  const thread = Thread.start(program, job);
  return new Promise((resolve) => {
    thread?.listen({ hear: () => {}, ended: resolve });
    thread?.keepProcess(true);
  });
}

beforeEach(() => {
  worktree = temporaryDirectory();
});

describe.skipIf(process.platform === 'win32')('the thread that looks at files beside a walk', () => {
  it('finds which are as the index has them, and ends', async () => {
    const { stored } = await indexed();
    writeFileSync(join(worktree, 'data', 'b'), 'another');
    const units = LookUnits.create(1);
    const { path = '', seal = Buffer.alloc(0) } = stored ?? {};
    expect(await run({ index: path, seal, directory: join(worktree, 'data'), shared: units.shared })).toBeUndefined();
    expect(units.isDone(0)).toBe(true);
    expect([0, 1, 2].map((at) => units.isSame(0, at))).toEqual([true, false, true]);
  });

  it('ends without a word where it cannot read the index', async () => {
    const units = LookUnits.create(1);
    const job = { index: join(worktree, 'none'), seal: Buffer.alloc(32), directory: worktree, shared: units.shared };
    expect(await run(job)).toBeUndefined();
    expect(units.take(0)).toBe(true);
  });
});
