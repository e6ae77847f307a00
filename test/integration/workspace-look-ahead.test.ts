import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { DirectoryBlock } from '../../src/workspace/directory-block.js';
import { IgnoreRules } from '../../src/workspace/ignore-rules.js';
import { LookAhead } from '../../src/workspace/look-ahead.js';
import { carryOutLook, type LookJob } from '../../src/workspace/look-job.js';
import { LookUnits, UNIT_ENTRIES } from '../../src/workspace/look-units.js';
import { sealTrees } from '../../src/workspace/seal.js';
import { type Walk, walkDirectory } from '../../src/workspace/walk.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const MANY = UNIT_ENTRIES + 20;

let workspace: TestWorkspace;

function walk(options: { previous?: DirectoryBlock; ahead?: LookAhead | undefined } = {}): Walk {
  return walkDirectory({
    worktree: workspace.dir,
    directory: 'data',
    rules: IgnoreRules.none,
    objectOfLink: () => undefined,
    inodeOfObject: () => undefined,
    ...options,
  });
}

function nameOf(at: number): string {
  return `file-${String(at).padStart(5, '0')}`;
}

/** The index of `data` as it is now, read back: its files count as old enough to be trusted. */
function indexed(): DirectoryBlock {
  const { index, hash } = workspace.repository;
  const { root } = walk();
  sealTrees(root, hash, () => {});
  index.save('data', { base: undefined, block: root });
  return index.load('data')?.block as DirectoryBlock;
}

/** As the thread does it, before the walk begins or where the test says so. */
function begin(previous: DirectoryBlock, start: (job: LookJob) => void = carryOutLook): LookAhead | undefined {
  return LookAhead.begin(previous, workspace.at('data'), {
    fromFiles: 1,
    cores: 2,
    start: (job) => {
      start(job);
      return true;
    },
  });
}

function pendingPaths({ pending }: Walk): string[] {
  return Array.from({ length: pending.length }, (_, at) => pending.pathAt(at));
}

beforeEach(async () => {
  workspace = await testWorkspace();
  for (const directory of ['data/large/deep', 'data/small', 'data/none']) {
    mkdirSync(workspace.at(directory), { recursive: true });
  }
  for (let at = 0; at < MANY; at++) writeFileSync(workspace.at(`data/large/${nameOf(at)}`), String(at));
  for (const path of ['large/deep/a', 'large/deep/b', 'small/a', 'small/ä', 'top'])
    workspace.write(`data/${path}`, path);
});

describe.skipIf(process.platform === 'win32')('looking ahead of a walk', () => {
  it('finds every file of an index as it is, and the walk then looks at none of them', () => {
    const previous = indexed();
    const ahead = begin(previous) as LookAhead;
    const large = previous.childNamed('large') as DirectoryBlock;
    for (let at = 0; at < MANY; at++) expect(ahead.isSame(large, large.find(nameOf(at)))).toBe(true);
    // What is written from here on is not seen by a walk that trusts the look that was taken a moment before.
    workspace.write('data/small/a', 'other');
    expect(pendingPaths(walk({ previous, ahead }))).toEqual([]);
    expect(pendingPaths(walk({ previous: indexed() }))).toEqual([]);
  });

  it('leaves to the walk what is not as it was', () => {
    const previous = indexed();
    workspace.write('data/small/a', 'other');
    workspace.delete(`data/large/${nameOf(3)}`, `data/large/${nameOf(MANY - 1)}`, 'data/large/deep/a', 'data/top');
    chmodSync(workspace.at(`data/large/${nameOf(5)}`), 0o755);
    symlinkSync('b', workspace.at('data/large/deep/a'));
    mkdirSync(workspace.at('data/top'));
    workspace.write('data/none/new', 'new');
    const with_ = walk({ previous, ahead: begin(previous) });
    const without = walk({ previous: workspace.repository.index.load('data')?.block as DirectoryBlock });
    expect(pendingPaths(with_)).toEqual(pendingPaths(without));
    expect(with_.root.names).toEqual(without.root.names);
    for (const walked of [with_, without]) sealTrees(walked.root, workspace.repository.hash, () => {});
    expect(with_.root.treeDigest).toEqual(without.root.treeDigest);
  });

  it('is for the units that the walk has not come to: those it looks at itself', () => {
    const previous = indexed();
    const large = previous.childNamed('large') as DirectoryBlock;
    let later: LookJob | undefined;
    const ahead = begin(previous, (job) => {
      later = job;
    }) as LookAhead;
    const [first, last] = [large.find(nameOf(0)), large.find(nameOf(MANY - 1))];
    expect(ahead.isSame(large, first)).toBe(false);
    carryOutLook(later as LookJob);
    expect(ahead.isSame(large, first)).toBe(false);
    expect(ahead.isSame(large, last)).toBe(true);
  });

  it('believes nothing of another version of the index, and nothing of a block of another', () => {
    const previous = indexed();
    workspace.write('data/small/b', 'new');
    indexed();
    const ahead = begin(previous) as LookAhead;
    expect(ahead.isSame(previous, previous.find('top'))).toBe(false);
    expect(ahead.isSame(new DirectoryBlock(['top']), 0)).toBe(false);
  });

  it('is not begun for a small index, with one core, or a second time with what was compared before', () => {
    const previous = indexed();
    const start = () => true;
    const directory = workspace.at('data');
    expect(LookAhead.begin(previous, directory, { start, fromFiles: MANY + 6, cores: 2 })).toBeUndefined();
    expect(begin(previous)).toBeUndefined();
    expect(LookAhead.begin(indexed(), directory, { start, fromFiles: 1, cores: 1 })).toBeUndefined();
    expect(LookAhead.begin(indexed(), directory, { start: () => false, fromFiles: 1, cores: 2 })).toBeUndefined();
  });

  it('fails where the index is gone, which leaves all to the walk', () => {
    const previous = indexed();
    const { path } = previous.stored as { path: string };
    rmSync(path);
    expect(() => begin(previous)).toThrow(/ENOENT/);
    expect(pendingPaths(walk({ previous }))).toEqual([]);
    expect(statSync(workspace.at('data')).isDirectory()).toBe(true);
  });
});

describe('the units of a look', () => {
  it('are of the walk or of the thread, never of both', () => {
    const units = LookUnits.create(3);
    expect([units.take(0), units.takeAside(0), units.takeAside(1), units.take(1)]).toEqual([true, false, true, false]);
    units.noteSame(1, 7);
    units.finish(1);
    const other = new LookUnits(units.shared);
    expect([other.count, other.isDone(1), other.isSame(1, 7), other.isSame(1, 6)]).toEqual([3, true, true, false]);
    expect(other.isDone(0)).toBe(false);
  });

  it('are looked at by the walk where the thread began and ended', () => {
    const units = LookUnits.create(1);
    expect(units.takeAside(0)).toBe(true);
    expect(units.isDone(0)).toBe(false);
  });
});
