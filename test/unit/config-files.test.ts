import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setValue, unsetValue } from '../../src/config/edit.js';
import { type ConfigPaths, configPaths } from '../../src/config/levels.js';
import { loadConfig, readLevelSettings } from '../../src/config/load.js';
import { createProject } from '../../src/config/project.js';
import type { Project } from '../../src/config/project-format.js';
import { updateFile } from '../../src/config/write-file.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

type TestPaths = Required<ConfigPaths>;

function surroundings(): TestPaths {
  const home = temporaryDirectory();
  const worktree = temporaryDirectory();
  mkdirSync(join(worktree, '.git'));
  const repository = { worktree, commonDir: join(worktree, '.git') };
  const paths = configPaths({ env: {}, home, repository });
  return { ...paths, system: join(home, 'etc/config.yaml') } as TestPaths;
}

/** What commands find of the project of a working tree. */
async function readProject(worktree: string): Promise<Project | undefined> {
  const paths = { ...surroundings(), project: join(worktree, 'mlv.yaml') };
  return (await loadConfig({ paths, environment: {} })).project;
}

const UUID = '0198c5a0-1111-7222-8333-444455556666';

describe('loading', () => {
  test('takes levels without a file as empty', async () => {
    const paths = surroundings();
    const config = await loadConfig({ paths, environment: {} });
    expect(config.project).toBeUndefined();
    expect(config.cache.dir).toBe(paths.cache);
    const { project, local, ...outside } = paths;
    expect((await loadConfig({ paths: outside, environment: {} })).core.jobs).toBe(32);
  });

  test('reads every level, and the project', async () => {
    const paths = surroundings();
    await createProject(join(paths.project, '..'), { repository: UUID, hash: 'sha256' });
    for (const level of ['system', 'user', 'project', 'local'] as const) {
      await setValue({ level, path: paths[level] }, `remote.${level}.url`, { text: `/srv/${level}`, home: paths.home });
    }
    const config = await loadConfig({ paths, environment: { MLV_CORE_JOBS: '5' }, flags: { 'core.remote': 'user' } });
    expect([...config.remotes.keys()]).toEqual(['local', 'project', 'system', 'user']);
    expect(config.core).toMatchObject({ jobs: 5, remote: 'user' });
    expect(config.project).toEqual({ format: 1, repository: UUID, hash: 'sha256' });
    const user = await readLevelSettings({ level: 'user', path: paths.user }, paths.home);
    expect([...user.keys()]).toEqual(['remote.user.url']);
  });

  test('follows a link that is the user’s own, and refuses one that is committed', async () => {
    const paths = surroundings();
    const dotfiles = join(temporaryDirectory(), 'config.yaml');
    writeFileSync(dotfiles, 'core:\n  jobs: 3\n');
    mkdirSync(join(paths.user, '..'), { recursive: true });
    symlinkSync(dotfiles, paths.user);
    expect((await loadConfig({ paths, environment: {} })).core.jobs).toBe(3);
    symlinkSync(dotfiles, paths.project);
    await expect(loadConfig({ paths, environment: {} })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('refuses a file of absurd size without reading it, and a directory', async () => {
    const paths = surroundings();
    writeFileSync(paths.project, '');
    truncateSync(paths.project, 2 ** 40);
    await expect(loadConfig({ paths, environment: {} })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const { project, ...others } = paths;
    mkdirSync(paths.local, { recursive: true });
    await expect(loadConfig({ paths: others, environment: {} })).rejects.toMatchObject({ code: 'FILE_SYSTEM' });
  });
});

describe('writing a level', () => {
  test('makes the directories, and leaves nothing beside the file', async () => {
    const paths = surroundings();
    await setValue({ level: 'local', path: paths.local }, 'core.jobs', { text: '4', home: paths.home });
    expect(readFileSync(paths.local, 'utf8')).toBe('core:\n  jobs: 4\n');
    expect(readdirSync(join(paths.local, '..'))).toEqual(['config.yaml']);
    expect(statSync(paths.local).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  test('keeps a credential to its owner, whatever the file allowed before', async () => {
    const paths = surroundings();
    const file = { level: 'user', path: paths.user } as const;
    await setValue(file, 'core.jobs', { text: '4', home: paths.home });
    chmodSync(paths.user, 0o664);
    await setValue(file, 'core.jobs', { text: '5', home: paths.home });
    expect(statSync(paths.user).mode & 0o777).toBe(0o664);
    await setValue(file, 'remote.a.secret-access-key', { text: 'topsecret', home: paths.home });
    expect(statSync(paths.user).mode & 0o777).toBe(0o600);
    await setValue(file, 'core.jobs', { text: '6', home: paths.home });
    expect(statSync(paths.user).mode & 0o777).toBe(0o600);
  });

  test('writes through a link of the user’s', async () => {
    const paths = surroundings();
    const dotfiles = join(temporaryDirectory(), 'config.yaml');
    writeFileSync(dotfiles, '');
    mkdirSync(join(paths.user, '..'), { recursive: true });
    symlinkSync(dotfiles, paths.user);
    await setValue({ level: 'user', path: paths.user }, 'core.jobs', { text: '4', home: paths.home });
    expect(lstatSync(paths.user).isSymbolicLink()).toBe(true);
    expect(readFileSync(dotfiles, 'utf8')).toContain('jobs: 4');
  });

  test('changes nothing when it fails', async () => {
    const paths = surroundings();
    const file = { level: 'project', path: paths.project } as const;
    writeFileSync(paths.project, 'core:\n  jobs: [\n');
    await expect(setValue(file, 'core.stage', { text: 'true', home: paths.home })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      data: { file: paths.project },
    });
    expect(readFileSync(paths.project, 'utf8')).toBe('core:\n  jobs: [\n');
    expect(readdirSync(join(paths.project, '..')).sort()).toEqual(['.git', 'mlv.yaml']);
  });

  test('of many writers at once loses none', async () => {
    const paths = surroundings();
    const file = { level: 'local', path: paths.local } as const;
    const names = Array.from({ length: 10 }, (_, number) => `r${number}`);
    await Promise.all(names.map((name) => setValue(file, `remote.${name}.url`, { text: '/srv', home: paths.home })));
    expect([...(await loadConfig({ paths, environment: {} })).remotes.keys()]).toEqual(names);
  });

  test('gives up on a lock that a crash left, and names it', async () => {
    const paths = surroundings();
    writeFileSync(`${paths.project}.lock`, '');
    const file = { level: 'project', path: paths.project } as const;
    await expect(updateFile(file, () => ({ text: 'lost', secret: false }), 60)).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      hint: expect.stringContaining(`${paths.project}.lock`),
    });
    expect(existsSync(`${paths.project}.lock`)).toBe(true);
  });

  test('unsetting answers whether there was something, and makes no file', async () => {
    const paths = surroundings();
    const file = { level: 'user', path: paths.user } as const;
    expect(await unsetValue(file, 'core.jobs')).toBe(false);
    expect(existsSync(join(paths.user, '..'))).toBe(false);
    await setValue(file, 'core.jobs', { text: '1', home: paths.home });
    expect(await unsetValue(file, 'core.jobs')).toBe(true);
    expect(readFileSync(paths.user, 'utf8')).toBe('');
  });
});

describe('the project', () => {
  test('is made once, and the first one stays whatever is asked for later', async () => {
    const worktree = temporaryDirectory();
    expect(await readProject(worktree)).toBeUndefined();
    const project = { format: 1, repository: UUID, hash: 'blake3' };
    expect(await createProject(worktree, { repository: UUID, hash: 'blake3' })).toEqual({ project, created: true });
    const text = readFileSync(join(worktree, 'mlv.yaml'), 'utf8');
    expect(text).toContain(`\nmlv: 1\nrepository: ${UUID}\nhash: blake3\n`);
    expect(await createProject(worktree, { repository: randomUUID(), hash: 'sha256' })).toEqual({
      project,
      created: false,
    });
    expect(readFileSync(join(worktree, 'mlv.yaml'), 'utf8')).toBe(text);
    expect(await readProject(worktree)).toEqual(project);
  });

  test.each(['# mine\n', '---\n# mine\ncore:\n  jobs: 3\n', '# mine\n\n# about\nstages: [a]\n', ''])(
    'joins what is in the file already: %j',
    async (text) => {
      const worktree = temporaryDirectory();
      writeFileSync(join(worktree, 'mlv.yaml'), text);
      const { created } = await createProject(worktree, { repository: UUID, hash: 'sha256' });
      expect(created).toBe(true);
      expect(await readProject(worktree)).toEqual({ format: 1, repository: UUID, hash: 'sha256' });
      const written = readFileSync(join(worktree, 'mlv.yaml'), 'utf8');
      for (const kept of text.split('\n')) expect(written).toContain(kept);
    },
  );

  test('is one, when many make it at once', async () => {
    const worktree = temporaryDirectory();
    const all = await Promise.all(
      Array.from({ length: 8 }, () => createProject(worktree, { repository: randomUUID(), hash: 'blake3' })),
    );
    expect(new Set(all.map(({ project }) => project.repository)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
  });
});

describe('a lock that a killed process left behind', () => {
  test('is taken over once it is older than any write could be', async () => {
    const path = join(temporaryDirectory('lock'), 'config.yaml');
    writeFileSync(`${path}.lock`, '');
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(`${path}.lock`, longAgo, longAgo);
    await setValue({ level: 'user', path }, 'core.jobs', { text: '3', home: '/home/nobody' });
    expect(readFileSync(path, 'utf8')).toContain('jobs: 3');
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test('is taken over at once where it names a process that is gone, and never while its holder lives', async () => {
    const path = join(temporaryDirectory('lock'), 'config.yaml');
    const lock = `${path}.lock`;
    const file = { level: 'user', path } as const;
    let held = '';
    await updateFile(file, () => {
      held = readFileSync(lock, 'utf8');
      return undefined;
    });
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(lock, held.replace(/-\d+-/, `-${gone}-`));
    await updateFile(file, () => ({ text: 'core:\n  jobs: 4\n', secret: false }), 0);
    expect(readFileSync(path, 'utf8')).toContain('jobs: 4');

    writeFileSync(lock, held);
    const longAgo = Date.now() / 1000 - 24 * 3600;
    utimesSync(lock, longAgo, longAgo);
    await expect(updateFile(file, () => ({ text: 'lost', secret: false }), 0)).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
    });
    expect(readFileSync(lock, 'utf8')).toBe(held);
    expect(readFileSync(path, 'utf8')).toContain('jobs: 4');
  });
});
