import { chmodSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { compareStates } from '../../src/workspace/compare.js';
import { diskUsage, listEntries } from '../../src/workspace/list.js';
import { move } from '../../src/workspace/move.js';
import { loadTargets, selectTargets, type Target } from '../../src/workspace/pointers.js';
import { remove } from '../../src/workspace/remove.js';
import { describeTree } from '../helpers/describe-tree.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await testWorkspace();
  workspace.write('data/a', 'a');
  workspace.write('data/sub/b', 'bb');
  workspace.write('model', 'model');
  await workspace.add(['data', 'model']);
});

/** Paths in the order of a listing, directory by directory. */
const left = (): string[] => Object.keys(describeTree(workspace.dir, (path) => path === '.git'));

describe('remove', () => {
  it('takes the bytes, the pointer and the ignore line', async () => {
    await remove(workspace.repository, ['data', 'model.mlv']);
    expect(left()).toEqual([]);
    await workspace.repository.cache.verify(workspace.oidOf('model'));
  });

  it('with keep leaves the bytes', async () => {
    await remove(workspace.repository, ['data'], { keep: true });
    expect(left()).toEqual(['.gitignore', 'data', 'data/a', 'data/sub', 'data/sub/b', 'model', 'model.mlv']);
    expect(workspace.read('.gitignore')).toBe('/model\n');
  });

  it.each<[string, () => void, string]>([
    ['an edited file', () => workspace.write('data/a', 'mine'), 'data'],
    ['a new file', () => workspace.write('data/mine', 'mine'), 'data'],
    ['an edited single file', () => workspace.write('model', 'mine'), 'model'],
    ['a file where the directory was', () => fileForDirectory(), 'data'],
    ['an object that is in no cache', () => workspace.repository.cache.remove(workspace.oidOf('a')), 'data'],
  ])('refuses to lose %s, unless forced', async (_, change, path) => {
    change();
    const before = describeTree(workspace.dir, (each) => each === '.git');
    await expect(remove(workspace.repository, ['data', 'model'])).rejects.toMatchObject({
      code: 'UNSAVED_CHANGES',
      data: { paths: [path] },
    });
    expect(describeTree(workspace.dir, (each) => each === '.git')).toEqual(before);
    await remove(workspace.repository, ['data', 'model'], { force: true });
    expect(left()).toEqual([]);
  });

  it('does not mind what was deleted, and leaves what the rules ignore', async () => {
    workspace.delete('data/a');
    workspace.write('.mlvignore', '*.log\n');
    workspace.write('data/sub/my.log', 'mine');
    workspace.write('data/.git/config', 'a repository of its own');
    await remove(workspace.repository, ['data']);
    expect(left()).toEqual([
      '.gitignore',
      '.mlvignore',
      'data',
      'data/.git',
      'data/.git/config',
      'data/sub',
      'data/sub/my.log',
      'model',
      'model.mlv',
    ]);
  });

  it('refuses a path inside a directory, and one that is not tracked', async () => {
    for (const path of ['data/a', 'nowhere'])
      await expect(remove(workspace.repository, [path])).rejects.toMatchObject({ code: 'PATH_NOT_TRACKED' });
  });
});

function fileForDirectory(): void {
  workspace.delete('data');
  workspace.write('data', 'mine');
}

describe('move', () => {
  it('takes bytes, pointer and ignore line along, into a directory too', async () => {
    workspace.write('models/.keep', '');
    workspace.write('model.mlv', `${workspace.pointerText('model')}desc: kept\n`);
    expect(await move(workspace.repository, 'model', 'models')).toBe('models/model');
    expect(await move(workspace.repository, 'data', 'set')).toBe('set');
    expect(left()).toEqual([
      '.gitignore',
      'models',
      'models/.gitignore',
      'models/.keep',
      'models/model',
      'models/model.mlv',
      'set',
      'set/a',
      'set/sub',
      'set/sub/b',
      'set.mlv',
    ]);
    expect(workspace.pointerText('models/model')).toContain('desc: kept\n');
    expect(workspace.pointer('set')).toMatchObject({ path: 'set' });
    expect([workspace.read('.gitignore'), workspace.read('models/.gitignore')]).toEqual(['/set\n', '/model\n']);
    expect(await workspace.changes()).toEqual([]);
  });

  it.each([
    ['what is there', 'model', 'data/sub', 'TARGETS_OVERLAP'],
    ['itself', 'data', 'data', 'TARGETS_OVERLAP'],
    ['a file that is there', 'data', 'model', 'TARGET_EXISTS'],
    ['a name that no pointer can have', 'model', 'aux', 'PATH_UNSUPPORTED'],
  ])('refuses to go to %s', async (_, from, to, code) => {
    const before = describeTree(workspace.dir, (each) => each === '.git');
    await expect(move(workspace.repository, from, to)).rejects.toMatchObject({ code });
    expect(describeTree(workspace.dir, (each) => each === '.git')).toEqual(before);
  });
});

it('lists and sums what is tracked', async () => {
  chmodSync(workspace.at('data/a'), 0o755);
  await workspace.add('data');
  const { targets } = await loadTargets(workspace.repository);
  const list = (paths: string[], recursive: boolean): unknown[] =>
    [...listEntries(workspace.repository, targets, { paths, recursive })].map(({ path, kind, size }) => [
      path,
      kind,
      size,
    ]);
  expect(list([], false)).toEqual([
    ['data', 'tree', 3],
    ['model', 'file', 5],
  ]);
  expect(list(['data'], false)).toEqual([
    ['data/a', 'executable', 1],
    ['data/sub', 'tree', 2],
  ]);
  expect(list([], true)).toEqual([
    ['data/a', 'executable', 1],
    ['data/sub/b', 'file', 2],
    ['model', 'file', 5],
  ]);
  expect([...diskUsage(workspace.repository, targets, ['data'])].map(({ path, size }) => [path, size])).toEqual([
    ['data/sub', 2],
    ['data', 3],
  ]);
});

it('compares any two states, renames between targets included', async () => {
  workspace.git.commit('one');
  workspace.write('data/new', 'new!');
  workspace.delete('data/a');
  workspace.write('other', 'model');
  workspace.delete('model', 'model.mlv');
  await workspace.add(['data', 'other'], { stage: true });
  const compare = async (
    ...[before, after]: Parameters<typeof compareStates> extends [unknown, infer B, infer A, ...unknown[]]
      ? [B, A]
      : never
  ) =>
    (await compareStates(workspace.repository, before, after)).changes.map(
      ({ kind, path, from }) => `${kind} ${from ? `${from} -> ` : ''}${path}`,
    );
  const expected = ['deleted data/a', 'added data/new', 'renamed model -> other'];
  const head = { kind: 'revision', revision: 'HEAD' } as const;
  expect(await compare(head, { kind: 'pointers' })).toEqual(expected);
  expect(await compare(head, { kind: 'workspace' })).toEqual(expected);
  expect(await compare({ kind: 'pointers' }, { kind: 'workspace' })).toEqual([]);
});

describe('a new place that add would refuse', () => {
  it.each<[string, () => void, string, string]>([
    [
      'in a directory that Git ignores',
      () => workspace.write('.gitignore', '/model\n/data\n/out/\n'),
      'out/model',
      'PATH_UNSUPPORTED',
    ],
    ['that Git reads itself', () => {}, 'sub/.gitattributes', 'PATH_UNSUPPORTED'],
    ['that is a device on Windows', () => {}, 'aux', 'PATH_UNSUPPORTED'],
    ['that Git tracks', () => trackedAndGone(), 'code.py', 'TRACKED_BY_GIT'],
    ['through a link', () => symlinkSync('data', workspace.at('link')), 'link/model', 'PATH_UNSUPPORTED'],
  ])('is refused by move: one %s', async (_, prepare, to, code) => {
    prepare();
    const before = describeTree(workspace.dir, (each) => each === '.git');
    await expect(move(workspace.repository, 'model', to)).rejects.toMatchObject({ code });
    expect(describeTree(workspace.dir, (each) => each === '.git')).toEqual(before);
  });

  function trackedAndGone(): void {
    workspace.write('code.py', 'code');
    workspace.git.git('add', 'code.py');
    workspace.delete('code.py');
  }
});

describe('staging', () => {
  const staged = (): string[] => workspace.git.git('diff', '--cached', '--name-status').split('\n').filter(Boolean);

  it('takes the ignore file along with a removal, also when it is gone', async () => {
    workspace.git.git('add', '-A');
    workspace.git.commit('one');
    await remove(workspace.repository, ['model'], { stage: true });
    expect(staged()).toEqual(['M\t.gitignore', 'D\tmodel.mlv']);
    await remove(workspace.repository, ['data'], { stage: true });
    expect(staged()).toEqual(['D\t.gitignore', 'D\tdata.mlv', 'D\tmodel.mlv']);
  });

  it('takes both ignore files along with a move', async () => {
    workspace.git.git('add', '-A');
    workspace.git.commit('one');
    await move(workspace.repository, 'model', 'sub/model', { stage: true });
    expect(staged()).toEqual(['M\t.gitignore', 'A\tsub/.gitignore', 'R100\tmodel.mlv\tsub/model.mlv']);
  });
});

describe('a broken pointer that is named', () => {
  it('raises its own problem in every command, beside others that are well', async () => {
    workspace.write('model.mlv', 'mlv: 1\npath: model\n');
    for (const path of ['model', 'model.mlv']) {
      const failed = expect.objectContaining({ code: 'POINTER_INVALID' });
      await expect(workspace.status(path)).rejects.toEqual(failed);
      await expect(remove(workspace.repository, [path])).rejects.toEqual(failed);
      await expect(move(workspace.repository, path, 'other')).rejects.toEqual(failed);
    }
    const { targets, problems } = await workspace.status();
    expect([targets.length, problems.length]).toEqual([1, 1]);
  });
});

describe('a selection', () => {
  it('is what each path names, without what another covers', async () => {
    const { targets } = await loadTargets(workspace.repository);
    const named = (...paths: string[]): string[] =>
      selectTargets(targets, paths).map(({ target, below }) => `${target.path}:${below}`);
    expect(named('')).toEqual(['data:', 'model:']);
    expect(named('model.mlv', 'model')).toEqual(['model:']);
    expect(named('data/sub', 'data/sub/b', 'data/su')).toEqual(['data:sub', 'data:su']);
    expect(named('data/sub', 'data')).toEqual(['data:']);
    expect(() => named('dat')).toThrowError(expect.objectContaining({ code: 'PATH_NOT_TRACKED' }));
  });

  it('of ten thousand paths among ten thousand targets looks at each once', async () => {
    const { targets } = await loadTargets(workspace.repository);
    const [model] = targets.filter(({ path }) => path === 'model');
    let reads = 0;
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      ...(model as Target),
      get path() {
        reads++;
        return `models/${index}`;
      },
    }));
    const selected = selectTargets(
      many,
      many.map((_, index) => `models/${index}`),
    );
    expect(selected.length).toBe(10_000);
    expect(reads).toBeLessThan(200_000);
  });
});
