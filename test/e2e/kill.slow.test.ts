import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes, writeSmallFiles } from '../helpers/big-data.js';
import { collect, mlv, runMlv, startMlv } from '../helpers/cli.js';
import { describeTree } from '../helpers/describe-tree.js';
import { cloneRepository, commitAll, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const MOMENTS = 13;
const seed = Number(process.env.MLV_TEST_SEED ?? Date.now() % 100_000);

/** Moments spread over a run of `durationMs`, each at random in its own slice, so that early and late ones are there. */
function moments(durationMs: number): number[] {
  const random = new Uint32Array(randomBytes(MOMENTS * 4, seed).buffer.slice(0));
  return Array.from(
    { length: MOMENTS },
    (_, index) => ((index + (random[index] ?? 0) / 2 ** 32) / MOMENTS) * durationMs,
  );
}

/** Starts `mlv` and kills it with SIGKILL after that time, unless it ended before. */
async function kill(args: readonly string[], cwd: string, afterMs: number): Promise<void> {
  const child = startMlv(args, { cwd });
  const ended = collect(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  await ended;
  clearTimeout(timer);
}

async function duration(action: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

const source = temporaryDirectory('source');

beforeAll(() => {
  writeSmallFiles(join(source, 'data'), { count: 700, size: 4096, seed });
  writeFileSync(join(source, 'model.bin'), randomBytes(24 * 1024 * 1024, seed + 1));
});

async function repositoryWithData(): Promise<string> {
  const repository = makeRepository();
  cpSync(source, repository, { recursive: true });
  await mlv(['init'], { cwd: repository });
  return repository;
}

describe(`a process killed at ${MOMENTS} random moments (MLV_TEST_SEED=${seed})`, () => {
  it('add: the files are as they were, no object is wrong, and the next add finishes', async () => {
    const repository = await repositoryWithData();
    const before = describeTree(source);
    const whole = await duration(() => mlv(['add', 'data', 'model.bin'], { cwd: repository }));
    for (const moment of moments(whole)) {
      rmSync(join(repository, '.git', 'mlv'), { recursive: true });
      for (const pointer of ['data.mlv', 'model.bin.mlv', '.gitignore'])
        rmSync(join(repository, pointer), { force: true });
      await kill(['add', 'data', 'model.bin'], repository, moment);
      const check = await runMlv(['fsck', '--json'], { cwd: repository });
      expect(JSON.parse(check.stdout), `after ${moment} ms`).toMatchObject({ cache: { damaged: [] } });
      await mlv(['add', 'data', 'model.bin'], { cwd: repository });
      await mlv(['fsck'], { cwd: repository });
      expect((await runMlv(['status', '--exit-code'], { cwd: repository })).exitCode).toBe(0);
    }
    const after = describeTree(repository, (path) => !/^(data|model\.bin)(\/|$)/.test(path));
    expect(after).toEqual(before);
  });

  it('push: what the remote has is right at every moment, and the next push finishes', async () => {
    const repository = await repositoryWithData();
    await mlv(['add', 'data', 'model.bin'], { cwd: repository });
    const remotes = temporaryDirectory('remotes');
    await mlv(['remote', 'add', 'timing', join(remotes, 'timing')], { cwd: repository });
    const whole = await duration(() => mlv(['push'], { cwd: repository }));
    for (const [index, moment] of moments(whole).entries()) {
      await mlv(['remote', 'add', `r${index}`, join(remotes, `r${index}`)], { cwd: repository });
      await kill(['push', '--remote', `r${index}`], repository, moment);
      await mlv(['push', '--remote', `r${index}`], { cwd: repository });
      await mlv(['fsck', '--remote', `r${index}`, '--deep'], { cwd: repository });
      rmSync(join(remotes, `r${index}`), { recursive: true });
    }
  });

  it('pull: nothing wrong gets a name, and the next pull finishes', async () => {
    const repository = await repositoryWithData();
    await mlv(['add', 'data', 'model.bin'], { cwd: repository });
    await mlv(['remote', 'add', 'storage', join(temporaryDirectory('storage'), 'r')], { cwd: repository });
    commitAll(repository);
    await mlv(['push'], { cwd: repository });
    const wanted = describeTree(source);
    const timing = cloneRepository(repository);
    const whole = await duration(() => mlv(['pull'], { cwd: timing }));
    for (const moment of moments(whole)) {
      const clone = cloneRepository(repository);
      mkdirSync(join(clone, '.git', 'mlv'), { recursive: true });
      await kill(['pull'], clone, moment);
      const check = await runMlv(['fsck', '--json'], { cwd: clone });
      expect(JSON.parse(check.stdout), `after ${moment} ms`).toMatchObject({ cache: { damaged: [] } });
      await mlv(['pull'], { cwd: clone });
      expect((await runMlv(['status', '--exit-code'], { cwd: clone })).exitCode).toBe(0);
      expect(describeTree(clone, (path) => !/^(data|model\.bin)(\/|$)/.test(path))).toEqual(wanted);
      rmSync(clone, { recursive: true });
    }
  });
});

describe('two processes at once', () => {
  it('add and push side by side, and lose nothing', async () => {
    const repository = await repositoryWithData();
    cpSync(join(source, 'data'), join(repository, 'copy'), { recursive: true });
    await mlv(['remote', 'add', 'storage', join(temporaryDirectory('storage'), 'r')], { cwd: repository });
    const adds = [['data', 'model.bin'], ['copy'], ['data'], ['model.bin']].map((targets) =>
      mlv(['add', ...targets], { cwd: repository }),
    );
    await Promise.all(adds);
    await mlv(['fsck'], { cwd: repository });
    expect((await runMlv(['status', '--exit-code'], { cwd: repository })).exitCode).toBe(0);
    await Promise.all([
      mlv(['push'], { cwd: repository }),
      mlv(['push'], { cwd: repository }),
      mlv(['push', 'data'], { cwd: repository }),
    ]);
    await mlv(['fsck', '--remote', '--deep'], { cwd: repository });
    commitAll(repository);
    const clone = cloneRepository(repository);
    await Promise.all([mlv(['pull'], { cwd: clone }), mlv(['pull'], { cwd: clone }), mlv(['fetch'], { cwd: clone })]);
    expect(describeTree(clone, (path) => !/^(data|model\.bin)(\/|$)/.test(path))).toEqual(describeTree(source));
    expect((await runMlv(['status', '--exit-code'], { cwd: clone })).exitCode).toBe(0);
  });
});
