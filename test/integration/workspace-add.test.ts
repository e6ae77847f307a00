import { execFileSync, fork, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Phase, type Reporter, silentReporter } from '../../src/core/reporter.js';
import { temporaryBeside } from '../../src/workspace/workspace-temporary.js';
import { describeTree } from '../helpers/describe-tree.js';
import { makeNameThatIsNotUtf8 } from '../helpers/hostile-tree.js';
import { smallDisk } from '../helpers/small-disk.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await testWorkspace();
});

/** A reporter that acts once the first bytes of a large file were read. */
function onFirstBytes(action: () => void): Reporter {
  let done = false;
  const phase: Phase = {
    expect() {},
    end() {},
    advance({ bytes, items }) {
      if (done || !bytes || items) return;
      done = true;
      action();
    },
  };
  return { ...silentReporter, phase: () => phase };
}

const temporaries = (): string[] => readdirSync(`${workspace.repository.cache.directory}/tmp`);

describe('add', () => {
  it('writes the pointer, the ignore line and the objects, and stages them when asked', async () => {
    workspace.write('data/a', 'a');
    workspace.write('m/model.pkl', 'model');
    const result = await workspace.add(['data', 'm/model.pkl'], { stage: true });
    expect(result.files).toEqual(['.gitignore', 'data.mlv', 'm/.gitignore', 'm/model.pkl.mlv']);
    expect(workspace.git.git('diff', '--cached', '--name-only').split('\n')).toEqual(result.files);
    expect(workspace.git.git('status', '--porcelain')).not.toContain('??');
    expect(workspace.pointerText('m/model.pkl')).toBe(
      `mlv: 1\npath: model.pkl\noid: ${workspace.oidOf('model')}\nsize: 5\n`,
    );
    expect(workspace.pointer('data')).toMatchObject({ path: 'data', size: 1, files: 1 });
    await workspace.repository.cache.verify(workspace.oidOf('a'));
    expect(lstatSync(workspace.objectPath(workspace.oidOf('a'))).mode & 0o777).toBe(0o444);
    expect(temporaries()).toEqual([]);
  });

  it('reads what is unchanged not once more', async () => {
    workspace.write('data/a', 'a');
    workspace.write('data/b', 'b');
    workspace.write('model', 'm');
    await new Promise((resolve) => setTimeout(resolve, 60));
    const first = await workspace.add(['data', 'model']);
    expect(first.targets.map(({ state, read }) => [state, read.items])).toEqual([
      ['added', 2],
      ['added', 1],
    ]);
    const again = await workspace.add(['data', 'model']);
    expect(again.targets.map(({ state, read }) => [state, read.items])).toEqual([
      ['unchanged', 0],
      ['unchanged', 0],
    ]);
    workspace.write('data/b', 'changed');
    const third = await workspace.add(['data', 'model']);
    expect(third.targets.map(({ state, read }) => [state, read.items])).toEqual([
      ['updated', 1],
      ['unchanged', 0],
    ]);
  });

  it('leaves an unchanged pointer as it is, comments and all', async () => {
    workspace.write('data/a', 'a');
    await workspace.add('data');
    const text = `# ours\n${workspace.pointerText('data')}desc: what it is # yes\nlabels: [x, y]\n`;
    workspace.write('data.mlv', text);
    const before = lstatSync(workspace.at('data.mlv')).ino;
    await workspace.add('data');
    expect(workspace.pointerText('data')).toBe(text);
    expect(lstatSync(workspace.at('data.mlv')).ino).toBe(before);
    workspace.write('data/b', 'b');
    await workspace.add('data');
    expect(workspace.pointerText('data')).toMatch(
      /^# ours\n[\s\S]*files: 2\ndesc: what it is # yes\nlabels: \[ ?x, y ?\]\n$/,
    );
  });

  it.each<[string, () => void, string, string]>([
    ['a path that is not there', () => {}, 'nothing', 'PATH_NOT_FOUND'],
    ['the top of the repository', () => {}, '', 'PATH_UNSUPPORTED'],
    ['a pointer', () => workspace.write('x.mlv', 'mlv: 1\n'), 'x.mlv', 'TARGET_IS_POINTER'],
    ['a file that Git tracks', () => workspace.git.commit('c', { code: 'x' }), 'code', 'TRACKED_BY_GIT'],
    [
      'a directory in which Git tracks a file',
      () => workspace.git.commit('c', { 'src/code': 'x' }),
      'src',
      'TRACKED_BY_GIT',
    ],
    ['a symbolic link', () => symlinkSync('x', workspace.at('link')), 'link', 'PATH_UNSUPPORTED'],
    ['a path through a symbolic link', () => throughLink(), 'link/file', 'PATH_UNSUPPORTED'],
    ['a pipe', () => execFileSync('mkfifo', [workspace.at('pipe')]), 'pipe', 'PATH_UNSUPPORTED'],
    ['a name that Windows gives to a device', () => workspace.write('aux.txt', 'x'), 'aux.txt', 'PATH_UNSUPPORTED'],
    ['a name with a backslash', () => workspace.write('a\\b', 'x'), 'a\\b', 'PATH_UNSUPPORTED'],
    ['.gitignore', () => workspace.write('.gitignore', 'x'), '.gitignore', 'PATH_UNSUPPORTED'],
    ['a file whose pointer Git would ignore', () => workspaceIgnoring('model*\n'), 'model', 'PATH_UNSUPPORTED'],
  ])('refuses %s and changes nothing', async (_, prepare, path, code) => {
    prepare();
    // Reading a pipe would wait for ever.
    const skip = (each: string): boolean => each === '.git' || each === 'pipe';
    const before = describeTree(workspace.dir, skip);
    await expect(workspace.add(path)).rejects.toMatchObject({ code });
    expect(describeTree(workspace.dir, skip)).toEqual(before);
  });

  it('refuses targets that overlap', async () => {
    workspace.write('data/sub/a', 'a');
    await expect(workspace.add(['data', 'data/sub'])).rejects.toMatchObject({ code: 'TARGETS_OVERLAP' });
    await workspace.add('data/sub');
    await expect(workspace.add('data')).rejects.toMatchObject({ code: 'TARGETS_OVERLAP' });
    await expect(workspace.add(['data/sub', 'data/sub/a'])).rejects.toMatchObject({ code: 'TARGETS_OVERLAP' });
    workspace.write('data/subway', 'not inside data/sub');
    await workspace.add('data/subway');
  });

  it('refuses what no tree can hold, and names it', async () => {
    workspace.write('data/a', 'a');
    execFileSync('mkfifo', [workspace.at('data/pipe')]);
    await expect(workspace.add('data')).rejects.toThrow("'data/pipe' cannot be tracked");
    rmSync(workspace.at('data/pipe'));
    const server = createServer().listen(workspace.at('data/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(workspace.add('data')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    await new Promise((resolve) => server.close(resolve));
    for (const target of ['../outside', '/etc/passwd', 'sub/../../x']) {
      symlinkSync(target, workspace.at('data/link'));
      await expect(workspace.add('data')).rejects.toThrow('outside the tracked directory');
      expect((await workspace.status()).targets).toEqual([]);
      rmSync(workspace.at('data/link'));
    }
    if (makeNameThatIsNotUtf8(workspace.at('data')))
      await expect(workspace.add('data')).rejects.toThrow('not valid UTF-8');
    expect(workspace.has('data.mlv')).toBe(false);
  });

  it('refuses a link whose target is not valid UTF-8', async () => {
    mkdirSync(workspace.at('data'));
    symlinkSync(Buffer.from([0x61, 0xe9]), Buffer.from(workspace.at('data/link')));
    await expect(workspace.add('data')).rejects.toThrow('not valid UTF-8');
  });

  it('refuses the bytes of a tree as a file', async () => {
    workspace.write('data/a', 'a');
    await workspace.add('data');
    workspace.write('copy', readFileSync(workspace.objectPath(workspace.pointer('data').oid)));
    await expect(workspace.add('copy')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
  });

  it('leaves out what .mlvignore says, and a Git repository inside', async () => {
    workspace.write('.mlvignore', '*.tmp\n');
    workspace.write('data/.mlvignore', 'cache/\n!keep.tmp\n');
    for (const path of ['a', 'b.tmp', 'keep.tmp', 'cache/x', 'sub/c.tmp', 'sub/d', '.git/config', 'sub/.git'])
      workspace.write(`data/${path}`, path);
    await workspace.add('data');
    workspace.delete('data');
    await workspace.checkout();
    const files = Object.entries(describeTree(workspace.at('data'))).filter(([, text]) => text !== 'directory');
    expect(files.map(([path]) => path)).toEqual(['.mlvignore', 'a', 'keep.tmp', 'sub/d']);
  });

  it('replaces an object in the cache that has the wrong size', async () => {
    workspace.write('data/a', 'content of a');
    await workspace.add('data');
    const objects = [workspace.oidOf('content of a'), workspace.pointer('data').oid];
    for (const oid of objects) {
      chmodSync(workspace.objectPath(oid), 0o644);
      truncateSync(workspace.objectPath(oid), 3);
    }
    await workspace.add('data');
    for (const oid of objects) await workspace.repository.cache.verify(oid);
  });

  it('stores again what was deleted from the cache', async () => {
    workspace.write('data/sub/a', 'content');
    workspace.write('model', 'model');
    await workspace.add(['data', 'model']);
    rmSync(`${workspace.repository.cache.directory}/objects`, { recursive: true });
    await workspace.add(['data', 'model']);
    workspace.delete('data', 'model');
    expect(await workspace.checkout()).toMatchObject({ failed: [], written: 2 });
  });

  it.each(['grows', 'is replaced', 'is edited'])('notices that a large file %s while it is read', async (how) => {
    workspace.write('data/large', Buffer.alloc(20_000_000, 1));
    const change: Record<string, () => void> = {
      grows: () => appendFileSync(workspace.at('data/large'), 'more'),
      'is replaced': () => {
        workspace.write('other', Buffer.alloc(20_000_000, 2));
        renameSync(workspace.at('other'), workspace.at('data/large'));
      },
      'is edited': () => {
        const descriptor = readFileSync(workspace.at('data/large'));
        descriptor[19_999_999] = 9;
        writeFileSync(workspace.at('data/large'), descriptor);
      },
    };
    const reporter = onFirstBytes(change[how] as () => void);
    await expect(workspace.add('data', { reporter })).rejects.toMatchObject({ code: 'FILE_CHANGED_WHILE_READ' });
    expect(workspace.has('data.mlv')).toBe(false);
    expect(temporaries()).toEqual([]);
    await workspace.add('data');
    expect(await workspace.changes()).toEqual([]);
  });

  it('stops when asked, and leaves nothing half-written', async () => {
    workspace.write('data/large', Buffer.alloc(20_000_000, 1));
    const controller = new AbortController();
    const stopping = workspace.add('data', {
      signal: controller.signal,
      reporter: onFirstBytes(() => controller.abort()),
    });
    await expect(stopping).rejects.toThrow();
    expect(workspace.has('data.mlv')).toBe(false);
    expect(temporaries()).toEqual([]);
  });
});

function throughLink(): void {
  workspace.write('real/file', 'x');
  symlinkSync('real', workspace.at('link'));
}

function workspaceIgnoring(text: string): void {
  workspace.write('.gitignore', text);
  workspace.write('model', 'm');
}

describe('status', () => {
  it('tells every kind of change', async () => {
    for (const name of ['same', 'edited', 'gone', 'old-name', 'bits', 'kind'])
      workspace.write(`data/${name}`, `content of ${name}`);
    workspace.write('data/tree/x', 'x');
    await workspace.add('data');
    workspace.write('data/edited', 'other');
    workspace.delete('data/gone', 'data/kind', 'data/tree');
    renameSync(workspace.at('data/old-name'), workspace.at('data/new-name'));
    chmodSync(workspace.at('data/bits'), 0o755);
    symlinkSync('same', workspace.at('data/kind'));
    workspace.write('data/tree', 'a file now');
    workspace.write('data/fresh', 'fresh');
    mkdirSync(workspace.at('data/hollow'));
    expect(await workspace.changes()).toEqual([
      'added data/fresh',
      'added data/hollow',
      'added data/tree',
      'deleted data/gone',
      'deleted data/tree/x',
      'mode data/bits',
      'modified data/edited',
      'renamed data/old-name -> data/new-name',
      'type data/kind',
    ]);
  });

  it('sees an edit of the same size right after add, even with its time set back', async () => {
    for (let round = 0; round < 25; round++) {
      workspace.write('data/file', `round ${round % 10} a`);
      workspace.write('model', `round ${round % 10} a`);
      await workspace.add(['data', 'model']);
      for (const path of ['data/file', 'model']) {
        const { atime, mtime } = lstatSync(workspace.at(path));
        workspace.write(path, `round ${round % 10} b`);
        utimesSync(workspace.at(path), atime, mtime);
      }
      expect(await workspace.changes()).toEqual(['modified data/file', 'modified model']);
    }
  });

  it('sees an edit right after a checkout', async () => {
    workspace.write('data/file', 'version a');
    await workspace.add('data');
    for (let round = 0; round < 10; round++) {
      workspace.delete('data');
      await workspace.checkout();
      workspace.write('data/file', 'version b');
      expect(await workspace.changes()).toEqual(['modified data/file']);
    }
  });

  it('needs no cache to tell that something changed', async () => {
    workspace.write('data/a', 'a');
    await workspace.add('data');
    rmSync(workspace.repository.cache.objectsDirectory, { recursive: true });
    expect(await workspace.statusOf('data')).toMatchObject({ state: 'unchanged', missing: { objects: 1 } });
    workspace.write('data/a', 'b');
    expect(await workspace.statusOf('data')).toMatchObject({ state: 'modified', detailsMissing: true });
  });

  it('survives a damaged stat index', async () => {
    workspace.write('data/a', 'a');
    workspace.write('model', 'm');
    await workspace.add(['data', 'model']);
    const folder = `${workspace.repository.layout.gitDir}/mlv/index`;
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(`${folder}/${name}`);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(`${folder}/${name}`, bytes);
    }
    expect(await workspace.changes()).toEqual([]);
    workspace.write('data/a', 'b');
    expect(await workspace.changes()).toEqual(['modified data/a']);
  });

  it('is limited to a path below a directory', async () => {
    workspace.write('data/in/a', 'a');
    workspace.write('data/out/a', 'a');
    await workspace.add('data');
    workspace.write('data/in/a', 'b');
    workspace.write('data/out/a', 'b');
    expect(await workspace.changes('data/in')).toEqual(['modified data/in/a']);
    await expect(workspace.status('nowhere')).rejects.toMatchObject({ code: 'PATH_NOT_TRACKED' });
  });

  it('reports a pointer that cannot be read beside the good ones', async () => {
    workspace.write('model', 'm');
    await workspace.add('model');
    workspace.write('bad.mlv', '<<<<<<< ours\n');
    const { targets, problems } = await workspace.status();
    expect(targets.map(({ path }) => path)).toEqual(['model']);
    expect(problems).toMatchObject([{ code: 'POINTER_INVALID', data: { path: 'bad.mlv' } }]);
  });
});

describe('disks that refuse', () => {
  it('a full one gets nothing half-written, and add goes on once there is room', async ({ skip }) => {
    const disk = smallDisk(6000) ?? skip('needs the right to mount');
    workspace = await testWorkspace({ cache: `${disk.path}/cache` });
    for (let index = 0; index < 20; index++) workspace.write(`data/${index}`, Buffer.alloc(400_000, index));
    workspace.write('large', Buffer.alloc(9_000_000, 1));
    for (const path of ['data', 'large']) {
      await expect(workspace.add(path)).rejects.toMatchObject({ code: 'DISK_FULL', hint: expect.any(String) });
      expect(workspace.has(`${path}.mlv`)).toBe(false);
      expect(temporaries()).toEqual([]);
    }
    for (const { oid } of workspace.repository.cache.list()) await workspace.repository.cache.verify(oid);
    execFileSync('mount', ['-o', 'remount,size=40m', disk.path]);
    await workspace.add(['data', 'large']);
    expect(await workspace.changes()).toEqual([]);
  });

  it('a full workspace keeps what was there', async ({ skip }) => {
    const disk = smallDisk(3000) ?? skip('needs the right to mount');
    workspace.write('data/a', Buffer.alloc(2_000_000, 1));
    await workspace.add('data');
    mkdirSync(`${disk.path}/data`);
    execFileSync('mount', ['--bind', `${disk.path}/data`, workspace.at('data')]);
    try {
      writeFileSync(workspace.at('data/a'), Buffer.alloc(1_900_000, 1));
      await expect(workspace.checkout([], { force: true })).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(readdirSync(workspace.at('data'))).toEqual(['a']);
      expect(readFileSync(workspace.at('data/a')).equals(Buffer.alloc(1_900_000, 1))).toBe(true);
    } finally {
      execFileSync('umount', [workspace.at('data')]);
    }
  });

  it('a read-only cache serves status and checkout, and makes add fail clearly', async ({ skip }) => {
    const disk = smallDisk(6000) ?? skip('needs the right to mount');
    workspace = await testWorkspace({ cache: `${disk.path}/cache` });
    workspace.write('data/a', 'a');
    await workspace.add('data');
    rmSync(`${disk.path}/cache/tmp`, { recursive: true });
    disk.makeReadOnly();
    const fresh = await testWorkspace({ cache: `${disk.path}/cache`, git: workspace.git });
    await new Promise((resolve) => setTimeout(resolve, 2600));
    expect(await fresh.statusOf('data')).toMatchObject({ state: 'unchanged', missing: { objects: 0 } });
    fresh.delete('data');
    expect(await fresh.checkout()).toMatchObject({ written: 1, failed: [] });
    fresh.write('data/b', 'b');
    await expect(fresh.add('data')).rejects.toMatchObject({ code: 'FILE_SYSTEM', data: { system: 'EROFS' } });
    disk.makeWritable();
    await fresh.add('data');
  });
});

describe('two at once', () => {
  const script = new URL('../helpers/add-process.ts', import.meta.url).pathname;

  function addInProcess(...paths: string[]): Promise<number | null> {
    const child = fork(script, [workspace.dir, ...paths], { execArgv: ['--import', 'tsx'], env: workspace.git.env });
    return new Promise((resolve) => child.once('exit', resolve));
  }

  it('add what they share and what is their own, and lose no ignore line', async () => {
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) {
      for (let index = 0; index < 50; index++) {
        workspace.write(`${name}/shared-${index}`, `shared ${index}`);
        workspace.write(`${name}/own-${index}`, `${name} ${index}`);
      }
    }
    expect(await Promise.all(names.map((name) => addInProcess(name)))).toEqual([0, 0, 0, 0]);
    expect(readFileSync(workspace.at('.gitignore'), 'utf8').trim().split('\n').sort()).toEqual(
      names.map((name) => `/${name}`).sort(),
    );
    expect(await workspace.changes()).toEqual([]);
    const before = describeTree(workspace.at('one'));
    for (const { oid } of workspace.repository.cache.list()) await workspace.repository.cache.verify(oid);
    workspace.delete(...names);
    expect(await workspace.checkout()).toMatchObject({ written: 400, failed: [] });
    expect(describeTree(workspace.at('one'))).toEqual(before);
  });

  it('of which one was killed: the lock and the leftovers of the dead are cleared away', async () => {
    workspace.write('a', 'a');
    const child = fork(script, [workspace.dir, '--hold'], { execArgv: ['--import', 'tsx'], env: workspace.git.env });
    await new Promise((resolve) => child.once('message', resolve));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(existsSync(`${workspace.repository.layout.gitDir}/mlv/ignore-files.lock`)).toBe(true);
    expect(temporaries()).toHaveLength(1);
    await workspace.add('a');
    expect(readFileSync(workspace.at('.gitignore'), 'utf8')).toBe('/a\n');
    expect(temporaries()).toEqual([]);
  });

  it('of which one was killed before a pointer or an ignore file had its name: the next takes what it left', async () => {
    const killed = spawnSync(process.execPath, ['-e', '']).pid;
    const leave = (path: string): void => {
      const left = temporaryBeside(workspace.at(path)).replace(`-${process.pid}-`, `-${killed}-`);
      writeFileSync(left, 'mlv: 1\n');
    };
    const hidden = (directory: string): string[] =>
      readdirSync(workspace.at(directory)).filter((name) => name.startsWith('.mlv-'));
    workspace.write('models/m', 'content');
    leave('models/m.mlv');
    await workspace.add('models/m');
    expect(hidden('models')).toEqual([]);
    // Only the pointer is new.
    workspace.write('models/m', 'other content');
    leave('models/m.mlv');
    await workspace.add('models/m');
    expect(hidden('models')).toEqual([]);
    // What a running process writes stays.
    const running = temporaryBeside(workspace.at('models/m')).replace(`-${process.pid}-`, `-${process.ppid}-`);
    writeFileSync(running, '');
    workspace.write('models/m', 'a third');
    await workspace.add('models/m');
    expect(hidden('models')).toEqual([basename(running)]);
  });
});

describe('an add that ended before its pointers were written', () => {
  /** Everything is stored, and then it ends. */
  async function endEarly(...paths: string[]): Promise<void> {
    const recordRun = (): Promise<never> => Promise.reject(new Error('killed'));
    await expect(workspace.add(paths, { recordRun })).rejects.toThrow('killed');
  }

  beforeEach(async () => {
    workspace.write('data/kept', 'kept');
    workspace.write('data/gone', 'gone');
    await workspace.add('data');
    workspace.write('data/mine', 'mine');
  });

  it('leaves new files to the user: no checkout takes them for what a pointer named once', async () => {
    await endEarly('data');
    expect(await workspace.checkout()).toMatchObject({ removed: 0, refused: [] });
    expect(workspace.read('data/mine')).toBe('mine');
    await endEarly('data');
    expect(await workspace.changes()).toEqual(['added data/mine']);
  });

  it('leaves what several directories came from as it was', async () => {
    workspace.write('other/a', 'a');
    await workspace.add('other');
    workspace.write('other/b', 'b');
    await endEarly('data', 'other');
    expect(await workspace.checkout()).toMatchObject({ removed: 0, refused: [] });
    expect(workspace.read('data/mine') + workspace.read('other/b')).toBe('mineb');
  });

  it('is done by the next, where files were removed', async () => {
    workspace.delete('data/gone');
    await endEarly('data');
    expect((await workspace.add('data')).targets).toMatchObject([{ state: 'updated' }]);
    expect(await workspace.changes()).toEqual([]);
  });

  it('is done by the next, where a file or a directory goes back to what it was before', async () => {
    workspace.write('model', 'first');
    await workspace.add(['model', 'data']);
    workspace.git.commit('first');
    workspace.write('model', 'second');
    workspace.write('data/kept', 'second');
    await workspace.add(['model', 'data']);
    workspace.git.commit('second');
    workspace.write('model', 'first');
    workspace.write('data/kept', 'kept');
    await endEarly('data', 'model');
    const { targets } = await workspace.add(['model', 'data']);
    expect(targets.map(({ state }) => state)).toEqual(['updated', 'updated']);
  });
});
