import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { runGit } from '../../src/git/process.js';
import { gitTestEnvironment, processCounter, testRepository } from '../helpers/git.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const env = gitTestEnvironment();

/** An environment in which `git` is this shell script. */
function fakeGit(script: string): NodeJS.ProcessEnv {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'git'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, 'git'), 0o755);
  return { ...env, PATH: `${directory}:${env.PATH}` };
}

/** Answers as Node does where no descriptor is left: a process without streams, and its error a turn later. */
const withoutDescriptors = vi.hoisted(() => ({ next: false }));

vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>();
  const failing = (): EventEmitter => {
    withoutDescriptors.next = false;
    const child = new EventEmitter();
    const error = Object.assign(new Error('spawn git EMFILE'), { code: 'EMFILE', syscall: 'spawn git' });
    process.nextTick(() => child.emit('error', error));
    return child;
  };
  const spawn = (...args: Parameters<typeof real.spawn>) => (withoutDescriptors.next ? failing() : real.spawn(...args));
  return { ...real, spawn };
});

describe('a Git process', () => {
  test('that cannot be started, because no more files may be open, is an error in words', async () => {
    withoutDescriptors.next = true;
    const failure = runGit(['log'], { cwd: temporaryDirectory(), env });
    await expect(failure).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      message: "cannot start 'git': too many open files",
      hint: expect.stringContaining('ulimit -n'),
    });
  });

  test('that fails gives its own words, without the credentials in them', async () => {
    const broken = fakeGit('echo "fatal: no access to https://ada:s3cret@example.com/x.git" >&2; exit 3');
    const failure = await runGit(['-c', 'a=b', 'fetch'], { cwd: temporaryDirectory(), env: broken }).catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ code: 'GIT_FAILED', data: { command: 'git fetch', exitCode: 3 } });
    expect(failure.message).toBe("'git fetch' failed: fatal: no access to https://***@example.com/x.git");
    expect(JSON.stringify(failure.data)).not.toContain('s3cret');
  });

  test('that a signal ends is a failure, not an empty answer', async () => {
    const killed = fakeGit('kill -9 $$');
    const failure = runGit(['log'], { cwd: temporaryDirectory(), env: killed });
    await expect(failure).rejects.toMatchObject({ code: 'GIT_FAILED', message: expect.stringContaining('SIGKILL') });
  });

  test('that ends before it has read its input is judged by its exit code', async () => {
    const input = 'x'.repeat(4 * 1024 * 1024);
    const cwd = temporaryDirectory();
    const deaf = runGit(['add'], { cwd, env: fakeGit('echo no >&2; exit 1'), input });
    await expect(deaf).rejects.toMatchObject({ code: 'GIT_FAILED', data: { exitCode: 1, stderr: 'no' } });
    await expect(runGit(['add'], { cwd, env: fakeGit('exit 0'), input })).resolves.toMatchObject({ code: 0 });
  });

  test('that is told to stop has done well', async () => {
    let seen = 0;
    const endless = fakeGit('while :; do echo more; done');
    const onStdout = (chunk: Buffer): boolean => {
      seen += chunk.length;
      return seen < 1000;
    };
    await runGit(['log'], { cwd: temporaryDirectory(), env: endless, onStdout });
    expect(seen).toBeGreaterThanOrEqual(1000);
  });

  test('sees the environment that was given and nothing beside it', async () => {
    process.env.MLV_TEST_LEAK = 'leak';
    const { stdout } = await runGit([], { cwd: temporaryDirectory(), env: fakeGit('env') });
    delete process.env.MLV_TEST_LEAK;
    expect(stdout.toString()).not.toContain('MLV_TEST_LEAK');
  });
});

describe('the environment of the user', () => {
  test('reaches Git whole, programs and settings included, and never contradicts us', async () => {
    const repository = testRepository();
    const commit = repository.commit('first', { 'a.mlv': '1' });
    const rich = {
      ...env,
      EDITOR: 'vi',
      PAGER: 'less',
      GIT_SSH_COMMAND: 'ssh -v',
      GIT_ASKPASS: '/bin/false',
      GIT_EXTERNAL_DIFF: 'false',
      GIT_ICASE_PATHSPECS: '1',
      GIT_GLOB_PATHSPECS: '1',
      LANGUAGE: 'de',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'alias.x',
      GIT_CONFIG_VALUE_0: '!false',
    };
    const git = await openGit(repository.dir, { env: rich });
    expect(await git.resolve('HEAD')).toBe(commit);
    expect(await git.refs({ branches: true })).toHaveLength(1);
    expect(await git.trackedFiles(['a.mlv'])).toEqual(['a.mlv']);
    expect([...(await git.pathHistory(['a.mlv'], { revisions: ['main'], limit: 1 })).values()].flat()).toHaveLength(1);
  });

  test('of a hook, with a relative GIT_DIR and an index of its own, is honoured', async () => {
    const repository = testRepository();
    repository.write('a.mlv', '1');
    repository.write('sub/b.mlv', '2');
    const hook = {
      ...env,
      GIT_DIR: '.git',
      GIT_INDEX_FILE: join(repository.dir, '.git/other-index'),
      GIT_PREFIX: 'sub/',
    };
    const git = await openGit(repository.dir, { env: hook });
    await git.stage(['a.mlv']);
    expect(repository.git('ls-files')).toBe('');
    const listed = execFileSync('git', ['ls-files'], { cwd: repository.dir, env: hook, encoding: 'utf8' });
    expect(listed).toBe('a.mlv\n');
  });

  test('is not held up by an answer without output, and costs one process a question', async () => {
    const repository = testRepository();
    const { tracing, count } = processCounter();
    const git = await openGit(repository.dir, { env: { ...env, ...tracing } });
    expect(await git.refs({ branches: true, tags: true })).toEqual([]);
    expect(await git.head()).toBeUndefined();
    expect(await git.version()).toMatch(/^\d+\.\d+/);
    expect(count()).toBe(4);
  });
});
