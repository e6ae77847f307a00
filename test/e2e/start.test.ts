import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The files of the program and of its libraries that a command loads, as V8 counts them; paths below the checkout. */
async function loaded(args: readonly string[], cwd: string): Promise<string[]> {
  const coverage = temporaryDirectory('coverage');
  await runMlv(args, { cwd, env: { NODE_V8_COVERAGE: coverage } });
  const scripts = readdirSync(coverage).flatMap((name) => {
    const report = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as { result: { url: string }[] };
    return report.result.map(({ url }) => url);
  });
  const paths = scripts.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
  return [...new Set(paths)].map((path) => path.slice(ROOT.length)).sort();
}

function bytesOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + statSync(join(ROOT, path)).size, 0);
}

describe('starting mlv', () => {
  it('takes few files: what Git calls with nothing to do, next to none', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'weights' });
    await mlv(['add', 'model.pkl'], { cwd });
    commitAll(cwd);

    const status = await loaded(['status'], cwd);
    const hook = await loaded(['hook', 'pre-commit'], cwd);
    const textconv = await loaded(['textconv', 'model.pkl.mlv'], cwd);
    const version = await loaded(['--version'], cwd);

    expect(version).toEqual(['bin/mlv.js']);
    expect(hook.length).toBeLessThanOrEqual(4);
    expect(textconv.length).toBeLessThanOrEqual(6);
    // Each file takes Node about half a millisecond, and each 30 KB another one.
    expect(status.length).toBeLessThanOrEqual(30);
    expect(bytesOf(status)).toBeLessThan(1_300_000);
    expect(status.filter((path) => !/^(?:bin|dist)\//.test(path) && !path.includes('@napi-rs/'))).toEqual([]);
  });

  it('loads the S3 client for a remote on S3, and for nothing else', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'weights' });
    await mlv(['add', 'model.pkl'], { cwd });
    await mlv(['remote', 'add', 'origin', temporaryDirectory('store')], { cwd });
    commitAll(cwd);
    const clients = (paths: readonly string[]) =>
      paths.filter((path) => /s3|aws|azure|gcs|google|sftp|ssh2/i.test(path));

    expect(clients(await loaded(['push'], cwd))).toEqual([]);

    // Without credentials: it fails before it asks a server.
    await mlv(['remote', 'add', 's3', 's3://bucket/prefix', '--default'], { cwd });
    expect(clients(await loaded(['status'], cwd))).toEqual([]);
    expect(clients(await loaded(['push'], cwd))).toContain('dist/cli/s3-client.js');
  });

  it('keeps what was compiled in the folder for caches, and does the same with it, without it and where it is damaged', async () => {
    const cwd = await makeMlvRepository({ 'model.pkl': 'weights' });
    const caches = temporaryDirectory('caches');
    const env = { XDG_CACHE_HOME: caches };
    const status = () => mlv(['status', '--json'], { cwd, env });
    const entries = () => readdirSync(join(caches, 'mlv-code')).sort();

    const first = await status();
    const kept = entries();
    const second = await status();

    expect(kept.length).toBeGreaterThan(1);
    expect(entries()).toEqual(kept);
    expect(second).toBe(first);
    for (const name of kept) truncateSync(join(caches, 'mlv-code', name), 1000);
    expect(await status()).toBe(first);
    expect(entries()).toEqual(kept);

    const other = temporaryDirectory('caches');
    await mlv(['status'], { cwd, env: { XDG_CACHE_HOME: other, NODE_DISABLE_COMPILE_CACHE: '1' } });
    expect(readdirSync(other)).toEqual([]);
  });
});

describe('leaving mlv', () => {
  /** What a program that leaves prints, and its exit code; it says so when Node ended it for want of anything to do. */
  function run(program: string): Promise<{ stdout: string; code: unknown }> {
    const script = `
      const { leave } = require(${JSON.stringify(join(ROOT, 'dist/cli/start.js'))});
      process.exitCode = 3;
      process.once('beforeExit', () => console.log('by itself'));
      ${program}`;
    return new Promise((resolve) => {
      execFile(process.execPath, ['-e', script], { maxBuffer: 1 << 24 }, (error, stdout) => {
        resolve({ stdout, code: error === null ? 0 : error.code });
      });
    });
  }

  it('ends the process with its exit code where nothing is under way', async () => {
    expect(await run('process.stdout.write("done"); leave();')).toEqual({ stdout: 'done', code: 3 });
  });

  it('waits for what is under way, and for a reader that has not taken everything', async () => {
    const timer = await run('setTimeout(() => console.log("later"), 20); leave();');
    const child = await run(
      'require("child_process").execFile(process.execPath, ["-v"], () => console.log("ended")); leave();',
    );
    const long = await run('process.stdout.write("x".repeat(1 << 22)); leave();');

    // Whether Node ends the process then, or mlv does, depends on when it was over.
    expect([timer, child, long].map(({ code }) => code)).toEqual([3, 3, 3]);
    expect(timer.stdout).toMatch(/^later\n/);
    expect(child.stdout).toMatch(/^ended\n/);
    expect(long.stdout.replace('by itself\n', '')).toHaveLength(1 << 22);
  });
});
