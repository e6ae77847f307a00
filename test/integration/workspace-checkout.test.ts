import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeTree, type TreeEntry } from '../../src/objects/tree-format.js';
import { describeTree } from '../helpers/describe-tree.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

let workspace: TestWorkspace;

/** Two commits of `data`: `one` with what is given, `two` with `change` applied to it. The workspace is at `two`. */
async function twoVersions(files: Record<string, string>, change: () => void): Promise<void> {
  for (const [path, content] of Object.entries(files)) workspace.write(path, content);
  await workspace.add('data');
  workspace.git.commit('one');
  change();
  await workspace.add('data');
  workspace.git.commit('two');
}

function toVersion(name: 'one' | 'two'): void {
  workspace.git.git('checkout', '-q', name === 'two' ? 'main' : 'main~1');
}

/** For what happens while a file is read on its way to the workspace: a reflink, where the file system has them, reads none. */
function byCopy(): void {
  workspace.repository.settings.linkModes = ['copy'];
}

/** Overwrites an object in the cache by hand. */
function replaceObject(content: string, by: string | Buffer): void {
  const path = workspace.objectPath(workspace.oidOf(content));
  rmSync(path);
  writeFileSync(path, by, { mode: 0o444 });
}

beforeEach(async () => {
  workspace = await testWorkspace();
});

describe('unsaved changes', () => {
  it('are kept in an edited file, and --force replaces it', async () => {
    await twoVersions({ 'data/a': 'one' }, () => workspace.write('data/a', 'two'));
    toVersion('one');
    workspace.write('data/a', 'mine');
    expect(await workspace.checkout()).toMatchObject({ written: 0, refused: [{ path: 'data/a', reason: 'modified' }] });
    expect(workspace.read('data/a')).toBe('mine');
    await workspace.checkout([], { force: true });
    expect(workspace.read('data/a')).toBe('one');
  });

  it('are kept in an edited single file, and --force replaces it', async () => {
    workspace.write('model', 'one');
    await workspace.add('model');
    workspace.write('model', 'mine');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'model' }] });
    expect(workspace.read('model')).toBe('mine');
    await workspace.checkout([], { force: true });
    expect(workspace.read('model')).toBe('one');
  });

  it('that are in an object are no reason to refuse', async () => {
    await twoVersions({ 'data/a': 'one', 'data/b': 'saved' }, () => workspace.write('data/a', 'two'));
    workspace.write('data/a', 'saved');
    expect(await workspace.checkout()).toMatchObject({ written: 1, refused: [] });
  });

  it('are kept where the target has the file no more', async () => {
    await twoVersions({ 'data/a': 'a', 'data/gone': 'one' }, () => workspace.delete('data/gone'));
    toVersion('one');
    await workspace.checkout();
    toVersion('two');
    workspace.write('data/gone', 'mine');
    expect(await workspace.checkout()).toMatchObject({ removed: 0, refused: [{ path: 'data/gone' }] });
    expect(workspace.read('data/gone')).toBe('mine');
  });

  it('are kept when a new file of the target has the name of an untracked one', async () => {
    await twoVersions({ 'data/a': 'a' }, () => workspace.write('data/new', 'theirs'));
    toVersion('one');
    await workspace.checkout();
    workspace.write('data/new', 'mine');
    toVersion('two');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/new', reason: 'untracked' }] });
    expect(workspace.read('data/new')).toBe('mine');
  });

  it('are kept when the file in the way is one that the ignore rules leave out', async () => {
    await twoVersions({ 'data/a': 'a' }, () => workspace.write('data/new/log', 'theirs'));
    toVersion('one');
    await workspace.checkout();
    workspace.write('.mlvignore', 'new/\n');
    workspace.write('data/new/log', 'mine');
    toVersion('two');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/new/log', reason: 'untracked' }] });
    expect(workspace.read('data/new/log')).toBe('mine');
  });

  it('are kept in a directory where the target has a file', async () => {
    await twoVersions({ 'data/x/saved': 's' }, () => {
      workspace.delete('data/x');
      workspace.write('data/x', 'a file');
    });
    toVersion('one');
    await workspace.checkout();
    workspace.write('data/x/mine', 'mine');
    toVersion('two');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/x/mine', reason: 'untracked' }] });
    expect(workspace.read('data/x/mine')).toBe('mine');
  });

  it('are kept in an ignored file in a directory where the target has a file', async () => {
    await twoVersions({ 'data/x/saved': 's' }, () => {
      workspace.delete('data/x');
      workspace.write('data/x', 'a file');
    });
    toVersion('one');
    await workspace.checkout();
    workspace.write('.mlvignore', '*.log\n');
    workspace.write('data/x/my.log', 'mine');
    toVersion('two');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/x', reason: 'untracked' }] });
    expect(workspace.read('data/x/my.log')).toBe('mine');
  });

  it('are kept in a file where the target has a directory', async () => {
    await twoVersions({ 'data/x': 'a file' }, () => {
      workspace.delete('data/x');
      workspace.write('data/x/inner', 'i');
    });
    toVersion('one');
    await workspace.checkout();
    workspace.write('data/x', 'mine');
    toVersion('two');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/x', reason: 'modified' }] });
    expect(workspace.read('data/x')).toBe('mine');
    await workspace.checkout([], { force: true });
    expect(workspace.read('data/x/inner')).toBe('i');
  });

  it('are kept in a link that the user set, and a link that mlv set is replaced', async () => {
    workspace.write('data/a', 'a');
    symlinkSync('a', workspace.at('data/link'));
    await twoVersions({}, () => {
      workspace.delete('data/link');
      symlinkSync('./a', workspace.at('data/link'));
    });
    toVersion('one');
    expect(await workspace.checkout()).toMatchObject({ written: 1, refused: [] });
    workspace.delete('data/link');
    symlinkSync('mine', workspace.at('data/link'));
    toVersion('two');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/link' }] });
  });

  it('made meanwhile to what the checkout does not touch are seen afterwards', async () => {
    byCopy();
    await twoVersions({ 'data/a': 'same', 'data/b': 'one', 'data/sub/c': 'c' }, () => workspace.write('data/b', 'two'));
    toVersion('one');
    const { cache } = workspace.repository;
    const place = cache.open.bind(cache);
    cache.open = (oid) => {
      if (oid === workspace.oidOf('one')) {
        workspace.write('data/a', 'mine, and longer');
        workspace.write('data/new', 'new');
        workspace.delete('data/sub/c');
      }
      return place(oid);
    };
    expect(await workspace.checkout()).toMatchObject({ written: 1, refused: [] });
    expect(workspace.read('data/b')).toBe('one');
    expect(await workspace.changes()).toEqual(['added data/new', 'deleted data/sub/c', 'modified data/a']);
  });

  it('made between the look and the write are kept', async () => {
    byCopy();
    await twoVersions({ 'data/a': 'one', 'data/b': 'one' }, () => {
      workspace.write('data/a', 'two');
      workspace.write('data/b', 'two');
    });
    toVersion('one');
    const { cache } = workspace.repository;
    const open = cache.open.bind(cache);
    // The first object is on its way: the user saves the second file in this moment.
    cache.open = (oid) => {
      if (oid === workspace.oidOf('one') && workspace.read('data/b') === 'two') workspace.write('data/b', 'mine');
      return open(oid);
    };
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/b', reason: 'modified' }] });
    expect(workspace.read('data/b')).toBe('mine');
  });

  it('outlive a type change of the target itself', async () => {
    workspace.write('data/a', 'a');
    await workspace.add('data');
    workspace.delete('data');
    workspace.write('data', 'my file');
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data', reason: 'untracked' }] });
    workspace.write('model', 'm');
    await workspace.add('model');
    workspace.delete('model');
    workspace.write('model/mine', 'x');
    await workspace.checkout([], { force: true });
    expect(workspace.read('model/mine')).toBe('x');
  });
});

describe('untracked files', () => {
  it('stay, and go with --clean when their content is saved, with --clean --force always', async () => {
    await twoVersions({ 'data/a': 'a' }, () => workspace.write('data/b', 'b'));
    workspace.write('data/copy', 'a');
    workspace.write('data/mine', 'mine');
    await workspace.checkout();
    expect(workspace.has('data/copy')).toBe(true);
    expect(await workspace.checkout([], { clean: true })).toMatchObject({
      removed: 1,
      refused: [{ path: 'data/mine' }],
    });
    expect(workspace.has('data/copy')).toBe(false);
    await workspace.checkout([], { clean: true, force: true });
    expect(workspace.has('data/mine')).toBe(false);
  });
});

describe('a partial checkout', () => {
  it('changes nothing outside the path', async () => {
    await twoVersions({ 'data/in/a': 'one', 'data/out/a': 'one', 'data/in/deep/c': 'c' }, () => {
      workspace.write('data/in/a', 'two');
      workspace.write('data/out/a', 'two');
      workspace.delete('data/in/deep');
    });
    toVersion('one');
    await workspace.checkout(['data/in']);
    expect([workspace.read('data/in/a'), workspace.read('data/out/a')]).toEqual(['one', 'two']);
    expect(workspace.read('data/in/deep/c')).toBe('c');
    await workspace.checkout(['data/out/a']);
    expect(await workspace.changes()).toEqual([]);
  });

  it('of a path that is not there is an error', async () => {
    await twoVersions({ 'data/a': 'a' }, () => workspace.write('data/b', 'b'));
    await expect(workspace.checkout(['data/nowhere'])).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await expect(workspace.checkout(['elsewhere'])).rejects.toMatchObject({ code: 'PATH_NOT_TRACKED' });
  });

  it('fills only that part of an empty workspace', async () => {
    await twoVersions({ 'data/in/a': '1', 'data/out/a': '2' }, () => workspace.write('data/b', 'b'));
    workspace.delete('data');
    await workspace.checkout(['data/in']);
    expect(Object.keys(describeTree(workspace.at('data')))).toEqual(['in', 'in/a']);
    await workspace.checkout();
    expect(await workspace.changes()).toEqual([]);
  });
});

describe('objects that are missing or damaged', () => {
  beforeEach(async () => {
    for (const name of ['a', 'b', 'sub/c', 'sub/d']) workspace.write(`data/${name}`, `content ${name}`);
    workspace.write('model', 'the model');
    await workspace.add(['data', 'model']);
    workspace.delete('data', 'model');
  });

  it('do not keep the others from being placed', async () => {
    rmSync(workspace.objectPath(workspace.oidOf('content a')));
    rmSync(workspace.objectPath(workspace.oidOf('the model')));
    const { failed } = await workspace.checkout();
    expect(failed.map(({ path, error }) => [path, error.code])).toEqual([
      ['model', 'OBJECT_MISSING'],
      ['data/a', 'OBJECT_MISSING'],
    ]);
    expect(Object.keys(describeTree(workspace.at('data')))).toEqual(['b', 'sub', 'sub/c', 'sub/d']);
    workspace.write('data/a', 'content a');
    await workspace.add('data');
    expect(await workspace.changes('data')).toEqual([]);
  });

  it('do not count as a copy of what the workspace holds', async () => {
    await workspace.checkout();
    const former = readFileSync(workspace.at('model.mlv'), 'utf8');
    workspace.write('model', 'THE MODEL');
    await workspace.add('model');
    replaceObject('THE MODEL', 'THE MODAL');
    writeFileSync(workspace.at('model.mlv'), former);
    const { refused } = await workspace.checkout();
    expect(refused).toEqual([{ path: 'model', reason: 'modified' }]);
    expect(readFileSync(workspace.at('model'), 'utf8')).toBe('THE MODEL');
  });

  it.each([
    ['shorter', 'content'],
    ['longer', 'content b and more'],
    ['of the same size', 'CONTENT b'],
  ])('are never placed when %s', async (_, content) => {
    byCopy();
    replaceObject('content b', content);
    const { failed } = await workspace.checkout();
    expect(failed.map(({ path, error }) => [path, error.code])).toEqual([['data/b', 'OBJECT_CORRUPT']]);
    expect(workspace.has('data/b')).toBe(false);
    await expect(workspace.repository.cache.verify(workspace.oidOf('content b'))).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    });
  });

  it.each(['hardlink', 'symlink'] as const)(
    'are never linked when the size tells, or when asked to verify (%s)',
    async (mode) => {
      const linking = await testWorkspace({ linkModes: [mode], git: workspace.git });
      replaceObject('content b', 'short');
      expect((await linking.checkout(['data/b'])).failed).toMatchObject([
        { path: 'data/b', error: { code: 'OBJECT_CORRUPT' } },
      ]);
      replaceObject('content b', 'CONTENT b');
      const verifying = await testWorkspace({ linkModes: [mode], verify: true, git: workspace.git });
      expect((await verifying.checkout(['data/b'])).failed).toMatchObject([
        { path: 'data/b', error: { code: 'OBJECT_CORRUPT' } },
      ]);
      expect(linking.has('data/b')).toBe(false);
    },
  );

  it('that are trees leave the rest', async () => {
    const sub = encodeTree([entry('c', 'content sub/c'), entry('d', 'content sub/d')]);
    const oid = workspace.repository.cache.oid(workspace.repository.hash.digest(sub));
    const path = workspace.objectPath(oid);
    rmSync(path);
    expect((await workspace.checkout()).failed).toMatchObject([
      { path: 'data/sub', oid, error: { code: 'OBJECT_MISSING' } },
    ]);
    expect(workspace.has('data/b')).toBe(true);
    workspace.delete('data');
    writeFileSync(path, Buffer.concat([sub.subarray(0, sub.length - 1), Buffer.from([sub.at(-1)! ^ 1])]));
    expect((await workspace.checkout()).failed).toMatchObject([
      { path: 'data/sub', error: { code: 'OBJECT_CORRUPT' } },
    ]);
    expect(workspace.has('data/b')).toBe(true);
  });

  it('are noticed by the next status, although the one before said that all is there', async () => {
    await workspace.checkout();
    // Old enough for the state of the cache to be remembered.
    await new Promise((resolve) => setTimeout(resolve, 2700));
    expect((await workspace.statusOf('data')).missing.objects).toBe(0);
    expect(
      readFileSync(
        `${workspace.repository.cache.directory}/complete/${workspace.pointer('data').oid.slice(7, 39)}`,
        'utf8',
      ),
    ).toMatch(/^[0-9a-f]{64}$/);
    rmSync(workspace.objectPath(workspace.oidOf('content sub/d')));
    const { missing, state } = await workspace.statusOf('data');
    expect(missing).toMatchObject({ objects: 1, bytes: 13, examples: [{ path: 'sub/d' }] });
    expect(state).toBe('unchanged');
  });

  it('are noticed even when they go in the instant after a look', async () => {
    await workspace.checkout();
    for (const name of ['a', 'b', 'sub/c']) {
      await workspace.statusOf('data');
      rmSync(workspace.objectPath(workspace.oidOf(`content ${name}`)));
    }
    expect((await workspace.statusOf('data')).missing.objects).toBe(3);
  });
});

function entry(name: string, content: string): TreeEntry {
  return {
    kind: 'file',
    name,
    size: Buffer.byteLength(content),
    digest: workspace.repository.hash.digest(Buffer.from(content)),
  };
}

/** Puts bytes into the cache under their true name and gives their digest. */
function plant(bytes: Buffer): Buffer {
  const digest = workspace.repository.hash.digest(bytes);
  const path = workspace.objectPath(workspace.repository.cache.oid(digest));
  mkdirSync(path.replace(/\/[^/]*$/, ''), { recursive: true });
  writeFileSync(path, bytes);
  return digest;
}

function plantPointer(tree: Buffer): void {
  const oid = workspace.repository.cache.oid(plant(tree));
  workspace.write('data.mlv', `mlv: 1\npath: data\noid: ${oid}\nsize: 4\nfiles: 1\n`);
}

/** A tree with a name that no encoder would write: `evil` replaced by other bytes of the same length. */
function treeNaming(name: string): Buffer {
  const stand = 'e'.repeat(Buffer.byteLength(name));
  const bytes = encodeTree([entry(stand, 'good')]);
  bytes.write(name, bytes.indexOf(stand));
  return bytes;
}

describe('a tree from someone else', () => {
  beforeEach(() => {
    plant(Buffer.from('good'));
  });

  it.each(['..', '.', 'a/b', '../x', '.git', '.GIT', 'git~1'])('that names %s is refused as a whole', async (name) => {
    plantPointer(treeNaming(name));
    const before = describeTree(workspace.dir, (path) => path === '.git' || path === 'data');
    expect((await workspace.checkout()).failed).toMatchObject([{ path: 'data', error: { code: 'TREE_INVALID' } }]);
    expect(describeTree(workspace.dir, (path) => path === '.git' || path === 'data')).toEqual(before);
    expect(await workspace.statusOf('data')).toMatchObject({ state: 'modified', detailsMissing: true });
  });

  it.each(['/etc/passwd', '../outside', 'sub/../../outside', '..'])(
    'that links to %s does not set the link, and the rest is placed',
    async (target) => {
      plantPointer(encodeTree([entry('file', 'good'), { kind: 'link', name: 'link', target }]));
      expect((await workspace.checkout()).failed).toMatchObject([
        { path: 'data/link', error: { code: 'TREE_INVALID' } },
      ]);
      expect(Object.keys(describeTree(workspace.at('data')))).toEqual(['file']);
    },
  );

  it('that lies about a size is found out', async () => {
    plantPointer(encodeTree([{ ...entry('file', 'good'), size: 3 } as TreeEntry]));
    expect((await workspace.checkout()).failed).toMatchObject([
      { path: 'data/file', error: { code: 'OBJECT_CORRUPT' } },
    ]);
  });
});

describe('symbolic links on the way', () => {
  it('are never written through', async () => {
    const outside = temporaryDirectory('outside');
    workspace.write('models/deep/model', 'm');
    workspace.write('models/deep/data/a', 'a');
    await workspace.add(['models/deep/model', 'models/deep/data']);
    workspace.git.commit('tracked');
    renameSync(workspace.at('models/deep'), `${outside}/deep`);
    rmSync(`${outside}/deep/model`);
    rmSync(`${outside}/deep/data`, { recursive: true });
    symlinkSync(`${outside}/deep`, workspace.at('models/deep'));
    const before = describeTree(outside);
    // Git lists nothing below a link, so that only a race or an explicit target gets here.
    const target = (path: string, directory: boolean) => ({
      target: {
        path,
        text: '',
        pointer: { path: '', oid: workspace.oidOf('m'), size: 1, ...(directory && { files: 1 }) },
      },
      below: '',
    });
    const { checkout } = await import('../../src/workspace/checkout.js');
    await expect(checkout(workspace.repository, [target('models/deep/model', false)])).rejects.toMatchObject({
      code: 'POINTER_UNSAFE',
    });
    const deep = { ...target('models/deep/data', true) };
    deep.target.pointer.oid = workspace.repository.cache.oid(plant(encodeTree([entry('a', 'a')])));
    await expect(checkout(workspace.repository, [deep])).rejects.toMatchObject({ code: 'POINTER_UNSAFE' });
    expect(describeTree(outside)).toEqual(before);
  });

  it('are replaced by --force, not followed, inside a directory', async () => {
    const outside = temporaryDirectory('outside');
    await twoVersions({ 'data/sub/a': 'a' }, () => workspace.write('data/b', 'b'));
    workspace.delete('data/sub');
    symlinkSync(outside, workspace.at('data/sub'));
    expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/sub' }] });
    await workspace.checkout([], { force: true });
    expect(workspace.read('data/sub/a')).toBe('a');
    expect(describeTree(outside)).toEqual({});
  });
});

it('leaves sockets, pipes and read-only leftovers of others alone', async () => {
  await twoVersions({ 'data/a': 'a' }, () => workspace.write('data/pipe', 'theirs'));
  toVersion('one');
  await workspace.checkout();
  execFileSync('mkfifo', [workspace.at('data/pipe')]);
  toVersion('two');
  expect(await workspace.checkout()).toMatchObject({ refused: [{ path: 'data/pipe', reason: 'untracked' }] });
  expect(lstatSync(workspace.at('data/pipe')).isFIFO()).toBe(true);
});

it('replaces a file that is hard-linked elsewhere without touching the other name', async () => {
  await twoVersions({ 'data/a': 'one' }, () => workspace.write('data/a', 'two'));
  linkSync(workspace.at('data/a'), workspace.at('kept'));
  toVersion('one');
  await workspace.checkout();
  expect([workspace.read('data/a'), workspace.read('kept')]).toEqual(['one', 'two']);
});

it('places files with the permissions that the umask allows, whatever those of the object', async () => {
  workspace.write('data/a', 'a', 0o600);
  await workspace.add('data');
  workspace.delete('data');
  const before = process.umask(0o027);
  try {
    await workspace.checkout();
  } finally {
    process.umask(before);
  }
  expect(lstatSync(workspace.at('data/a')).mode & 0o777).toBe(0o640);
  chmodSync(workspace.at('data/a'), 0o444);
  utimesSync(workspace.at('data/a'), 1, 1);
  expect(await workspace.changes()).toEqual([]);
});
