import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomBytes } from '../helpers/big-data.js';
import { collect, mlv, runMlv, startMlv } from '../helpers/cli.js';
import { describeTree } from '../helpers/describe-tree.js';
import { type Fault, type FaultProxy, instead, loginPage, startFaultProxy } from '../helpers/fault-proxy.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { error } from '../helpers/scripted-server.js';

let server: S3Server;
let proxy: FaultProxy;
let bucket: string;
let places = 0;
let origin: string;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startFaultProxy(server.endpoint);
  bucket = await server.createBucket();
  origin = await makeMlvRepository({ 'data/a.bin': randomBytes(50_000, 1), 'data/b/c.bin': randomBytes(5000, 2) });
  await mlv(['add', 'data'], { cwd: origin });
  commitAll(origin);
});

beforeEach(() => {
  proxy.arm();
  const { accessKeyId, secretAccessKey, region } = optionsFor(server, bucket);
  env = {
    AWS_ACCESS_KEY_ID: accessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: secretAccessKey ?? '',
    MLV_CORE_REMOTE: 'cloud',
    MLV_REMOTE_CLOUD_URL: `s3://${bucket}/place-${places++}`,
    MLV_REMOTE_CLOUD_ENDPOINT: proxy.endpoint,
    MLV_REMOTE_CLOUD_REGION: region ?? '',
  };
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const ALWAYS = Number.POSITIVE_INFINITY;

describe('push and pull, on a server that fails', () => {
  it.each<[string, Fault, string]>([
    ['credentials that expired', instead(error(400, 'ExpiredToken')), 'ExpiredToken'],
    ['a wrong clock', instead(error(403, 'RequestTimeTooSkewed')), 'clock'],
    ['a login page', loginPage, 'endpoint'],
  ])('end with 7 and say so at %s; the next ones finish', async (_what, fault, word) => {
    const clone = cloneRepository(origin);
    for (const [cwd, verb] of [
      [origin, 'push'],
      [clone, 'pull'],
    ] as const) {
      proxy.arm({ fault, times: ALWAYS });
      const refused = await runMlv([verb], { cwd, env });
      expect(refused, refused.stderr).toMatchObject({ exitCode: 7, stdout: '' });
      expect(refused.stderr).toContain(word);
      proxy.arm();
      await mlv([verb], { cwd, env });
    }
    expect(describeTree(clone)).toMatchObject({ 'data/a.bin': describeTree(origin)['data/a.bin'] });
  });

  it('end at once when they are interrupted while the server does not answer', async () => {
    const silent: Fault = () => {};
    const clone = cloneRepository(origin);
    for (const [cwd, verb] of [
      [origin, 'push'],
      [clone, 'pull'],
    ] as const) {
      const child = startMlv([verb], { cwd, env });
      child.stdin.end();
      const ended = collect(child);
      await new Promise<void>((resolve) => {
        proxy.arm({
          fault: (exchange) => {
            resolve();
            return silent(exchange);
          },
          times: ALWAYS,
        });
      });
      child.kill('SIGINT');
      expect((await ended).exitCode).toBe(130);
      proxy.arm();
      await mlv([verb], { cwd, env });
    }
  });
});
