import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanEnvironment, collect, MLV_BIN, mlv, runMlv } from '../helpers/cli.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { type S3Server, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { startThrottlingProxy, type ThrottlingProxy } from '../helpers/throttling-proxy.js';

let server: S3Server;
let proxy: ThrottlingProxy;
const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', TERM: 'xterm' };

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startThrottlingProxy(server.endpoint, { latencyMs: 500 });
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

async function repository(): Promise<string> {
  const cwd = await makeMlvRepository({ 'big.bin': randomBytes(3 << 20) });
  const bucket = await server.createBucket();
  const where = ['--endpoint', proxy.endpoint, '--region', server.region, '--path-style'];
  await mlv(['remote', 'add', 'origin', `s3://${bucket}/p`, ...where], { cwd });
  await mlv(['add', 'big.bin'], { cwd });
  return cwd;
}

/** What a push writes to a terminal of that size. */
async function pushOn(size: { columns: number; rows: number }): Promise<string> {
  const cwd = await repository();
  const command = `stty cols ${size.columns} rows ${size.rows}; ${process.execPath} ${MLV_BIN} push`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env: cleanEnvironment(env) });
  const { stdout, exitCode } = await collect(child);
  expect(exitCode).toBe(0);
  return stdout;
}

it('on a wide terminal, a push has a line for each transfer', async () => {
  const shown = await pushOn({ columns: 140, rows: 40 });
  expect(shown).toMatch(/Pushing: .*\r?\n {2}↑ pack [0-9a-f]{8} {2}3\.0 MiB, /);
  expect(shown).toContain('\r\u001b[1A\u001b[J');
  expect(shown.trim().split('\n').at(-1)).toMatch(/pushed 1 object, 1 pack/);
});

it('on a narrow one it has one line, and off a terminal none for short work', async () => {
  const shown = await pushOn({ columns: 80, rows: 24 });
  expect(shown).toContain('\r\u001b[2KPushing: ');
  expect(shown).not.toContain('↑');
  const cwd = await makeMlvRepository({ model: 'm' });
  await mlv(['remote', 'add', 'origin', join(temporaryDirectory('store'), 'mlv')], { cwd });
  await mlv(['add', 'model'], { cwd });
  expect((await runMlv(['push'], { cwd })).stderr).toBe('');
});
