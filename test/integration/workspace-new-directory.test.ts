import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MlvError } from '../../src/core/errors.js';
import { Placer } from '../../src/objects/link-modes.js';
import { KIND } from '../../src/objects/tree-format.js';
import { type DirectoryBlock, STAT_FIELDS } from '../../src/workspace/directory-block.js';
import { walkTarget } from '../../src/workspace/scan-target.js';
import { isWorkspaceTemporary, temporaryBeside } from '../../src/workspace/workspace-temporary.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

let workspace: TestWorkspace;

/** What temporary files and folders are in the repository's top and in directories of the target. */
function leftovers(): string[] {
  const names = readdirSync(workspace.dir, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => isWorkspaceTemporary(basename(name)));
}

/** Tracks `data/sub` with the files a, b and c, whose contents are their names, and takes it away. */
async function withoutDirectory(): Promise<void> {
  for (const name of ['a', 'b', 'c']) workspace.write(`data/sub/${name}`, name);
  workspace.write('data/top', 'top');
  await workspace.add('data');
  workspace.delete('data');
}

/** Size, change time and inode of each entry: the time of its content is left out where it is too young to be trusted. */
function changeTimes({ stats, names, kinds }: DirectoryBlock): number[][] {
  const files = [...names.keys()].filter((at) => kinds[at] !== KIND.tree);
  return files.map((at) => [0, 2, 3].map((field) => stats[at * STAT_FIELDS + field] as number));
}

/** Acts each time when the object of that content is about to be read. */
function atObject(content: string, action: () => void): void {
  const { cache } = workspace.repository;
  const open = cache.open.bind(cache);
  cache.open = (oid) => {
    if (oid === workspace.oidOf(content)) action();
    return open(oid);
  };
}

beforeEach(async () => {
  // Copies: what is done here while a file is read on its way to the workspace would find nothing to wait for with reflinks.
  workspace = await testWorkspace({ linkModes: ['copy'] });
});

afterEach(() => {
  vi.restoreAllMocks();
  expect(leftovers()).toEqual([]);
});

describe('a directory that checkout makes', () => {
  it('has no name before its small files are whole, and is known to be unchanged afterwards', async () => {
    await withoutDirectory();
    const seen: boolean[] = [];
    atObject('c', () => seen.push(workspace.has('data/sub')));
    expect(await workspace.checkout()).toMatchObject({ written: 4, bytes: 6, refused: [], failed: [] });
    expect(seen).toEqual([false]);
    expect(await workspace.changes()).toEqual([]);
  });

  it('has small and large files, executables, links, and directories with nothing in them', async () => {
    workspace.write('data/large', Buffer.alloc(1024 * 1024 + 1, 7));
    workspace.write('data/run', 'run', 0o755);
    workspace.write('data/small', 'small');
    symlinkSync('small', workspace.at('data/link'));
    mkdirSync(workspace.at('data/none'));
    await workspace.add('data');
    workspace.delete('data');
    expect(await workspace.checkout()).toMatchObject({ written: 4, refused: [], failed: [] });
    expect(await workspace.changes()).toEqual([]);
    expect(lstatSync(workspace.at('data/none')).isDirectory()).toBe(true);
  });

  it('is remembered as a walk finds it, whatever its files came to be of', async () => {
    for (const name of ['a', 'b']) workspace.write(`data/sub/${name}`, name);
    workspace.write('data/run', 'run', 0o755);
    await workspace.add('data');
    for (const mode of ['copy', 'hardlink', 'symlink'] as const) {
      workspace.delete('data');
      workspace = await testWorkspace({ git: workspace.git, linkModes: [mode] });
      await workspace.checkout();
      const { repository } = workspace;
      const known = repository.index.load('data')?.block as DirectoryBlock;
      expect(repository.cache.oid(known.treeDigest)).toBe(workspace.pointer('data').oid);
      const seen = walkTarget(repository, 'data').root;
      for (const [before, now] of [
        [known, seen],
        [known.childNamed('sub') as DirectoryBlock, seen.childNamed('sub') as DirectoryBlock],
      ] as const) {
        expect(before.names).toEqual(now.names);
        expect(before.kinds).toEqual(now.kinds);
        if (mode === 'copy') expect(changeTimes(before)).toEqual(changeTimes(now));
      }
      expect(await workspace.changes()).toEqual([]);
    }
  });

  it('is looked at again where somebody wrote to it a moment later', async () => {
    await withoutDirectory();
    await workspace.checkout();
    workspace.write('data/sub/b', 'B');
    expect(await workspace.changes()).toEqual(['modified data/sub/b']);
  });

  it('has what can be had where objects are missing or damaged, each reported once', async () => {
    await withoutDirectory();
    workspace.repository.cache.remove(workspace.oidOf('a'));
    const damaged = workspace.objectPath(workspace.oidOf('b'));
    renameSync(workspace.objectPath(workspace.oidOf('c')), damaged);
    writeFileSync(workspace.objectPath(workspace.oidOf('c')), 'c');
    const { failed, written } = await workspace.checkout();
    expect(failed.map(({ path, error }) => [path, error.code])).toEqual([
      ['data/sub/a', 'OBJECT_MISSING'],
      ['data/sub/b', 'OBJECT_CORRUPT'],
    ]);
    expect([written, readdirSync(workspace.at('data/sub'))]).toEqual([2, ['c']]);
  });

  it('is there, empty, where its listing is missing', async () => {
    await withoutDirectory();
    const { cache } = workspace.repository;
    for (const { oid, size } of [...cache.list()]) {
      if (size > 3 && oid !== workspace.pointer('data').oid) cache.remove(oid);
    }
    expect(await workspace.checkout()).toMatchObject({ written: 1, failed: [{ path: 'data/sub' }] });
    expect(readdirSync(workspace.at('data/sub'))).toEqual([]);
  });

  it('has the files that were whole when the work was interrupted', async () => {
    await withoutDirectory();
    const interrupt = new AbortController();
    atObject('b', () => interrupt.abort(new MlvError('INTERRUPTED', 'interrupted')));
    // Every look at the clock finds that it is time to let others run.
    let clock = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => {
      clock += 1000;
      return clock;
    });
    await expect(workspace.checkout([], { signal: interrupt.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    vi.restoreAllMocks();
    expect(readdirSync(workspace.at('data/sub'))).toEqual(['a', 'b']);
    expect(await workspace.checkout()).toMatchObject({ written: 1, refused: [] });
    expect(workspace.read('data/sub/c')).toBe('c');
  });

  it('has the files that were whole when the disk was full, none of them in part', async () => {
    await withoutDirectory();
    atObject('b', () => {
      throw new MlvError('DISK_FULL', 'no space is left');
    });
    await expect(workspace.checkout()).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(readdirSync(workspace.at('data/sub'))).toEqual(['a']);
  });
});

describe('what gets the name of a directory while checkout makes it', () => {
  it('keeps its files, and gets the others', async () => {
    await withoutDirectory();
    atObject('c', () => workspace.write('data/sub/a', 'mine'));
    const refused = [{ path: 'data/sub/a', reason: 'untracked' }];
    expect(await workspace.checkout()).toMatchObject({ written: 3, refused });
    expect(['a', 'b', 'c'].map((name) => workspace.read(`data/sub/${name}`))).toEqual(['mine', 'b', 'c']);
  });

  it('is as good when it has the same content, from another checkout', async () => {
    await withoutDirectory();
    atObject('c', () => {
      for (const name of ['a', 'b', 'c']) workspace.write(`data/sub/${name}`, name);
    });
    expect(await workspace.checkout()).toMatchObject({ written: 1, refused: [], failed: [] });
    expect(await workspace.changes()).toEqual([]);
  });

  it('is filled when it is an empty directory', async () => {
    await withoutDirectory();
    atObject('c', () => mkdirSync(workspace.at('data/sub'), { recursive: true }));
    expect(await workspace.checkout()).toMatchObject({ written: 4, refused: [] });
    expect(readdirSync(workspace.at('data/sub'))).toEqual(['a', 'b', 'c']);
  });

  it('stays when it is a file', async () => {
    await withoutDirectory();
    atObject('c', () => workspace.write('data/sub', 'mine'));
    await expect(workspace.checkout()).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
    expect(workspace.read('data/sub')).toBe('mine');
  });

  it('stays when it is a link, and nothing is written through it', async () => {
    await withoutDirectory();
    const outside = temporaryDirectory('outside');
    atObject('c', () => {
      if (!workspace.has('data/sub')) symlinkSync(outside, workspace.at('data/sub'));
    });
    await expect(workspace.checkout()).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
    expect(readdirSync(outside)).toEqual([]);
    workspace.delete('data/sub');
  });
});

describe('the folder of a process', () => {
  /** A folder with a file in it, as the process of that id has it while it makes a directory. */
  function folderOf(pid: number, directory: string): string {
    mkdirSync(workspace.at(directory), { recursive: true });
    const mine = temporaryBeside(workspace.at(`${directory}/x`));
    const folder = join(workspace.at(directory), basename(mine).replace(`-${process.pid}-`, `-${pid}-`));
    mkdirSync(folder);
    writeFileSync(join(folder, 'a'), 'a');
    return folder;
  }

  it('is taken away when the process was killed, beside a target and inside of it', async () => {
    await withoutDirectory();
    const killed = spawnSync(process.execPath, ['-e', '']).pid;
    folderOf(killed, '');
    folderOf(killed, 'data');
    folderOf(killed, 'data/sub');
    expect(await workspace.checkout()).toMatchObject({ written: 4, refused: [] });
    expect(leftovers()).toEqual([]);
  });

  it('and its file are taken away beside a single file, too', async () => {
    const killed = spawnSync(process.execPath, ['-e', '']).pid;
    workspace.write('models/m', 'content');
    await workspace.add('models/m');
    workspace.delete('models/m');
    const file = temporaryBeside(workspace.at('models/m')).replace(`-${process.pid}-`, `-${killed}-`);
    writeFileSync(file, 'half');
    folderOf(killed, 'models');
    expect(await workspace.checkout()).toMatchObject({ written: 1, refused: [] });
    expect(readdirSync(workspace.at('models')).sort()).toEqual(['.gitignore', 'm', 'm.mlv']);
  });

  it('stays when the process runs, and is nothing that is tracked', async () => {
    await withoutDirectory();
    const folder = folderOf(process.ppid, 'data/sub');
    expect(await workspace.checkout()).toMatchObject({ written: 4, refused: [] });
    expect(readdirSync(folder)).toEqual(['a']);
    expect(await workspace.changes()).toEqual([]);
    workspace.delete(`data/sub/${basename(folder)}`);
  });
});

describe('Placer.placeNew', () => {
  it('leaves a name alone that is there, as a second spelling is where case does not count', async () => {
    await withoutDirectory();
    for (const mode of ['copy', 'hardlink', 'symlink'] as const) {
      const placer = new Placer(workspace.repository.cache, { modes: [mode], verifyLinks: true });
      const path = workspace.at('A');
      writeFileSync(path, 'mine');
      const done = vi.fn();
      placer.placeNew({ oid: workspace.oidOf('a'), size: 1, executable: false, path }, done);
      expect(done.mock.calls.map(([stat]) => stat)).toEqual([undefined]);
      expect(workspace.read('A')).toBe('mine');
    }
  });

  it('leaves nothing behind for an object that is damaged', async () => {
    await withoutDirectory();
    const path = workspace.objectPath(workspace.oidOf('a'));
    renameSync(workspace.objectPath(workspace.oidOf('b')), path);
    for (const mode of ['copy', 'hardlink', 'symlink'] as const) {
      const placer = new Placer(workspace.repository.cache, { modes: [mode], verifyLinks: true });
      const item = { oid: workspace.oidOf('a'), size: 1, executable: false, path: workspace.at('A') };
      expect(() => placer.placeNew(item, () => {})).toThrow(expect.objectContaining({ code: 'OBJECT_CORRUPT' }));
      expect(workspace.has('A')).toBe(false);
    }
  });
});
