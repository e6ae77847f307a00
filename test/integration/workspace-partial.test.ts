import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/objects/oid.js';
import { TREE_MAGIC } from '../../src/objects/tree-format.js';
import { checkout } from '../../src/workspace/checkout.js';
import { compareStates } from '../../src/workspace/compare.js';
import { contentStates } from '../../src/workspace/content-state.js';
import { moveInside } from '../../src/workspace/move-inside.js';
import { beginPart } from '../../src/workspace/part-begin.js';
import { changeParts, loadParts } from '../../src/workspace/part-store.js';
import { loadTargets, type Target } from '../../src/workspace/pointers.js';
import { removeInside } from '../../src/workspace/remove-inside.js';
import { WantedPart } from '../../src/workspace/wanted-part.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const FILES = { 'a/x': '1', 'a/sub/y': '2', 'a/sub/z': '2', 'b/x': '3', 'b/w': '4', top: '5' };

async function dataOf(workspace: TestWorkspace): Promise<Target> {
  const { targets } = await loadTargets(workspace.repository);
  return targets.find(({ path }) => path === 'data') as Target;
}

/** A repository with the directory `data` tracked and here. */
async function full(files: Record<string, string> = FILES): Promise<TestWorkspace> {
  const workspace = await testWorkspace();
  for (const [path, content] of Object.entries(files)) workspace.write(`data/${path}`, content);
  await workspace.add('data');
  return workspace;
}

/** A clone of it: the pointer, all listings and the content of `part` in the cache, and that part in the workspace. */
async function partial(origin: TestWorkspace, part = WantedPart.nothing): Promise<TestWorkspace> {
  const workspace = await testWorkspace();
  writeFileSync(workspace.at('data.mlv'), origin.pointerText('data'));
  const wanted = Object.entries(FILES).filter(([path]) => part.covers(path, false) === 'all');
  const contents = new Set(wanted.map(([, content]) => origin.oidOf(content)));
  for (const { oid } of origin.repository.cache.list()) {
    const bytes = readFileSync(origin.objectPath(oid));
    if (!bytes.subarray(0, TREE_MAGIC.length).equals(TREE_MAGIC) && !contents.has(oid)) continue;
    mkdirSync(dirname(workspace.objectPath(oid)), { recursive: true });
    cpSync(origin.objectPath(oid), workspace.objectPath(oid));
  }
  const target = await dataOf(workspace);
  expect(beginPart(workspace.repository, target)).toBe(true);
  if (part.key === WantedPart.nothing.key) return workspace;
  const report = await checkout(workspace.repository, [{ target, below: '', part }]);
  expect(report).toMatchObject({ refused: [], failed: [] });
  changeParts(workspace.repository.layout, ['data'], () => part);
  return workspace;
}

const state = async (workspace: TestWorkspace): Promise<unknown[]> => {
  const { state: found, changes, partial: part } = await workspace.statusOf('data');
  return [found, changes.map(({ kind, path }) => `${kind} ${path}`), part?.absent.files];
};

const foldersAbove = (path: string): string[] => {
  const names = path.split('/');
  return names.slice(1).map((_, depth) => names.slice(0, depth + 1).join('/'));
};

type Edit = { do: 'put' | 'remove' | 'move'; path: string; to: string; content: string };

/** Carries an edit out with plain tools; false, and nothing is done, where that is not possible. */
function withPlainTools(workspace: TestWorkspace, { do: what, path, to, content }: Edit): boolean {
  const at = (each: string): string => workspace.at(`data/${each}`);
  // From the top down: to look below a file is an error.
  const isUnderFile = (each: string): boolean =>
    foldersAbove(each).some((above) => existsSync(at(above)) && !lstatSync(at(above)).isDirectory());
  if (what === 'put') {
    if (isUnderFile(path) || (existsSync(at(path)) && lstatSync(at(path)).isDirectory())) return false;
    workspace.write(`data/${path}`, content);
    return true;
  }
  if (isUnderFile(path) || !existsSync(at(path))) return false;
  if (what === 'remove') rmSync(at(path), { recursive: true });
  else {
    if (isUnderFile(to) || existsSync(at(to)) || to.startsWith(`${path}/`)) return false;
    mkdirSync(dirname(at(to)), { recursive: true });
    renameSync(at(path), at(to));
  }
  return true;
}

async function withTheVerbs(workspace: TestWorkspace, { do: what, path, to, content }: Edit): Promise<void> {
  const target = await dataOf(workspace);
  if (what === 'put') {
    workspace.write(`data/${path}`, content);
    await workspace.add(`data/${path}`);
  } else if (what === 'remove') await removeInside(workspace.repository, [{ target, paths: [path] }]);
  else await moveInside(workspace.repository, { target, below: path }, { target, below: to });
}

describe('a directory of which a part is here', () => {
  it('comes to the same tree by single edits as a full one by plain tools and mlv add', async () => {
    const path = fc.constantFrom('a', 'b', 'top', 'a/x', 'a/sub', 'a/sub/y', 'b/x', 'b/new', 'c', 'c/d/e', 'a/sub/top');
    const edit = fc.record({
      do: fc.constantFrom('put' as const, 'remove' as const, 'move' as const),
      path,
      to: path,
      content: fc.constantFrom('1', '3', 'new', ''),
    });
    const parts = fc.constantFrom(
      WantedPart.nothing,
      WantedPart.nothing.with('a/sub').with('top'),
      WantedPart.everything.except('b').except('a/sub/y'),
      WantedPart.nothing.withPattern('**/x'),
    );
    await fc.assert(
      fc.asyncProperty(parts, fc.array(edit, { minLength: 1, maxLength: 6 }), async (part, edits) => {
        const whole = await full();
        const some = await partial(whole, part);
        for (const each of edits) {
          if (!withPlainTools(whole, each)) continue;
          await whole.add('data');
          await withTheVerbs(some, each);
          expect(some.pointerText('data')).toBe(whole.pointerText('data'));
        }
        expect((await some.statusOf('data')).changes).toEqual([]);
        if (some.has('data')) await some.add('data');
        expect(some.pointerText('data')).toBe(whole.pointerText('data'));
      }),
      { numRuns: 25 },
    );
  });

  it('shows what is not here as no change, and keeps it when the rest is recorded', async () => {
    const origin = await full();
    const some = await partial(origin, WantedPart.nothing.with('a'));
    expect(await state(some)).toEqual(['unchanged', [], 3]);
    some.write('data/a/new', 'n');
    some.write('data/b/mine', 'm');
    some.delete('data/a/x');
    expect(await state(some)).toEqual(['modified', ['added data/a/new', 'deleted data/a/x', 'added data/b/mine'], 3]);
    await some.add('data');
    origin.write('data/a/new', 'n');
    origin.write('data/b/mine', 'm');
    origin.delete('data/a/x');
    await origin.add('data');
    expect(some.pointerText('data')).toBe(origin.pointerText('data'));
    const { changes } = await compareStates(some.repository, { kind: 'pointers' }, { kind: 'workspace' });
    expect(changes).toEqual([]);
    const states = await contentStates(some.repository, ['data']);
    expect(states.get('data')?.digest).toEqual(digestOf(some.pointer('data').oid));
  });

  it('gets the wanted part of a new version, and what is here and not wanted follows it, too', async () => {
    const origin = await full();
    const part = WantedPart.nothing.with('a/sub').withPattern('*/x');
    const some = await partial(origin, part);
    expect(readdirSync(some.at('data')).sort()).toEqual(['a', 'b']);
    some.write('data/top', '5');
    const target = await dataOf(some);
    const { repository } = some;
    some.write('data/a/sub/y', 'changed');
    await some.add('data/a/sub/y');
    const after = await dataOf(some);
    const back = await checkout(repository, [{ target, below: '', part }]);
    expect([back.written, back.refused, some.read('data/a/sub/y')]).toEqual([1, [], '2']);
    writeFileSync(some.at('data.mlv'), after.text);
    await checkout(repository, [{ target: after, below: '', part }]);
    expect([some.read('data/a/sub/y'), some.has('data/b/w'), some.read('data/top')]).toEqual(['changed', false, '5']);
  });

  it('is not begun for one that was here as a whole: what is gone there was removed', async () => {
    const whole = await full();
    whole.delete('data/b');
    expect(beginPart(whole.repository, await dataOf(whole))).toBe(false);
    expect(loadParts(whole.repository.layout).size).toBe(0);
    expect(await whole.changes()).toEqual(['deleted data/b/w', 'deleted data/b/x']);
  });

  it('refuses a file in the place of a directory that is not here', async () => {
    const some = await partial(await full(), WantedPart.nothing.with('top'));
    some.write('data/a', 'in the way');
    expect((await some.statusOf('data')).problems).toMatchObject([{ path: 'data/a' }]);
    await expect(some.add('data')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
  });

  it('refuses a list of wanted parts that is damaged, because what is not here would pass for deleted', async () => {
    const some = await partial(await full(), WantedPart.nothing.with('a'));
    const file = join(some.repository.layout.gitDir, 'mlv', 'partial.yaml');
    const bad = ['mlv: 1\n', 'nothing', 'mlv: 1\ndirectories:\n  - directory: data\n    paths:\n      - ../../etc\n'];
    for (const text of bad) {
      writeFileSync(file, text);
      await expect(some.status()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
      await expect(some.add('data')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
    writeFileSync(file, 'mlv: 2\n');
    await expect(some.status()).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  });
});

describe('single paths of a tracked directory', () => {
  it('are recorded by two at once, and neither is lost', async () => {
    const some = await partial(await full());
    for (const name of ['p', 'q', 'r']) some.write(`data/new/${name}`, name);
    await Promise.all(['p', 'q', 'r'].map((name) => some.add(`data/new/${name}`)));
    expect(some.pointer('data').files).toBe(9);
    expect(await state(some)).toEqual(['unchanged', [], 6]);
  });

  it('are taken out only with the content that the tree has, saved', async () => {
    const whole = await full();
    const target = await dataOf(whole);
    whole.write('data/b/x', 'mine');
    const remove = (options = {}) => removeInside(whole.repository, [{ target, paths: ['b'] }], options);
    await expect(remove()).rejects.toMatchObject({ code: 'UNSAVED_CHANGES' });
    expect(whole.read('data/b/x')).toBe('mine');
    await remove({ keep: true });
    expect([whole.read('data/b/x'), whole.pointer('data').files]).toEqual(['mine', 4]);
    expect(await whole.changes()).toEqual(['added data/b/w', 'added data/b/x']);
    await expect(remove({ force: true })).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
  });

  it('leave everything else of the workspace unrecorded', async () => {
    const whole = await full();
    whole.write('data/b/x', 'changed');
    whole.write('data/b/new', 'n');
    await whole.add('data/b/new');
    expect(await whole.changes()).toEqual(['modified data/b/x']);
    whole.delete('data/b/w');
    const target = await dataOf(whole);
    await moveInside(whole.repository, { target, below: 'b/x' }, { target, below: 'moved' });
    expect(await whole.changes()).toEqual(['deleted data/b/w', 'modified data/moved']);
  });

  it('that lie behind a link, or would lead out, are refused', async () => {
    const whole = await full();
    const target = await dataOf(whole);
    mkdirSync(whole.at('outside'));
    whole.write('outside/secret', 's');
    whole.delete('data/b');
    symlinkSync('../outside', whole.at('data/b'));
    await expect(whole.add('data/b/secret')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    await removeInside(whole.repository, [{ target, paths: ['b/x'] }], { force: true }).catch(() => {});
    const move = (below: string, to: string) => moveInside(whole.repository, { target, below }, { target, below: to });
    await expect(move('b/w', 'c')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    await expect(move('a/x', 'b/out')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    await expect(move('a/x', '.git/hooks/x')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    await expect(move('a', 'a/b/c')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    expect(readdirSync(whole.at('outside'))).toEqual(['secret']);
  });

  it('are moved in the tree when they were moved in the workspace before', async () => {
    const whole = await full();
    renameSync(whole.at('data/top'), whole.at('data/a/top'));
    const target = await dataOf(whole);
    await moveInside(whole.repository, { target, below: 'top' }, { target, below: 'a' });
    expect(await state(whole)).toEqual(['unchanged', [], undefined]);
  });
});
