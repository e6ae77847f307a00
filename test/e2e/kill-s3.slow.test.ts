import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes, writeSmallFiles } from '../helpers/big-data.js';
import { collect, mlv, runMlv, startMlv } from '../helpers/cli.js';
import { describeTree } from '../helpers/describe-tree.js';
import {
  cutAnswer,
  cutUpload,
  type Fault,
  type FaultProxy,
  lostAnswer,
  startFaultProxy,
} from '../helpers/fault-proxy.js';
import { cloneRepository, commitAll, makeRepository } from '../helpers/repository.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const KILLS = 13;
const seed = Number(process.env.MLV_TEST_SEED ?? Date.now() % 100_000);
const MIB = 1024 * 1024;

/** Where in a request the process dies: before the server hears of it, in the middle of either body, after it is done. */
const PLACES: Record<string, Fault> = {
  before: (exchange) => exchange.hangUp(),
  'in the upload': cutUpload(MIB),
  'in the answer': cutAnswer(MIB),
  after: lostAnswer,
};

const source = temporaryDirectory('source');
let server: S3Server;
let proxy: FaultProxy;
let bucket: string;
let repository: string;

/** The environment of an mlv whose only remote is a place in the bucket. */
function remoteAt(prefix: string, endpoint: string): Record<string, string> {
  const { accessKeyId, secretAccessKey, region } = optionsFor(server, bucket);
  return {
    AWS_ACCESS_KEY_ID: accessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: secretAccessKey ?? '',
    MLV_CORE_REMOTE: 'cloud',
    MLV_REMOTE_CLOUD_URL: `s3://${bucket}/${prefix}`,
    MLV_REMOTE_CLOUD_ENDPOINT: endpoint,
    MLV_REMOTE_CLOUD_REGION: region ?? '',
  };
}

beforeAll(async () => {
  server = await startS3Server();
  proxy = await startFaultProxy(server.endpoint);
  bucket = await server.createBucket();
  // Whoever runs this again with the same seed gets the same data, and the same requests are hit.
  writeSmallFiles(join(source, 'data'), { count: 300, size: 4096, seed });
  writeFileSync(join(source, 'model.bin'), randomBytes(20 * MIB, seed + 1));
  repository = makeRepository();
  cpSync(source, repository, { recursive: true });
  await mlv(['init'], { cwd: repository });
  await mlv(['add', 'data', 'model.bin'], { cwd: repository });
  commitAll(repository);
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

/** Requests that are hit, of so many, spread over all of them; and where in each of them. */
function hits(requests: number): { request: number; place: string }[] {
  const random = randomBytes(KILLS * 8, seed + requests);
  const places = Object.keys(PLACES);
  return Array.from({ length: KILLS }, (_, index) => ({
    request: Math.floor(((index + random.readUInt32LE(index * 8) / 2 ** 32) / KILLS) * requests),
    place: places[random.readUInt32LE(index * 8 + 4) % places.length] ?? 'after',
  }));
}

/** Counts the requests of a command that nobody disturbs. */
async function requestsOf(verb: string, cwd: string, env: Record<string, string>): Promise<number> {
  proxy.arm();
  const before = proxy.seen.length;
  await mlv([verb], { cwd, env });
  return proxy.seen.length - before;
}

/** Runs a command and kills it with SIGKILL in the middle of a request. */
async function killAt(
  hit: { request: number; place: string },
  run: { verb: string; cwd: string },
  env: object,
): Promise<void> {
  const child = startMlv([run.verb], { cwd: run.cwd, env: { ...env } });
  child.stdin.end();
  const ended = collect(child);
  const fault: Fault = async (exchange) => {
    if (hit.place === 'before') child.kill('SIGKILL');
    await (PLACES[hit.place] as Fault)(exchange);
    child.kill('SIGKILL');
  };
  proxy.arm({ fault, after: hit.request });
  await ended;
  proxy.arm();
}

const only = (path: string): boolean => !/^(data|model\.bin)(\/|$)/.test(path);

describe(`a process killed in the middle of ${KILLS} requests to S3 (MLV_TEST_SEED=${seed})`, () => {
  it('push: what the remote has is right, and the next push finishes', async () => {
    const requests = await requestsOf('push', repository, remoteAt('counted', proxy.endpoint));
    expect(requests).toBeGreaterThan(8);
    for (const [index, hit] of hits(requests).entries()) {
      const env = remoteAt(`push-${index}`, proxy.endpoint);
      await killAt(hit, { verb: 'push', cwd: repository }, env);
      const what = `request ${hit.request} of ${requests}, ${hit.place}`;
      // Nothing that is there is wrong: what is missing is named as such.
      const check = await runMlv(['fsck', '--remote', '--deep'], { cwd: repository, env });
      expect([0, 4, 7], `${what}: ${check.stderr}`).toContain(check.exitCode);
      await mlv(['push'], { cwd: repository, env });
      await mlv(['fsck', '--remote', '--deep'], { cwd: repository, env });
    }
  });

  it('pull: nothing wrong gets a name, and the next pull finishes', async () => {
    const env = remoteAt('counted', proxy.endpoint);
    await mlv(['push'], { cwd: repository, env });
    const wanted = describeTree(source);
    const requests = await requestsOf('pull', cloneRepository(repository), env);
    for (const hit of hits(requests)) {
      const clone = cloneRepository(repository);
      await killAt(hit, { verb: 'pull', cwd: clone }, env);
      const what = `request ${hit.request} of ${requests}, ${hit.place}`;
      const check = await runMlv(['fsck', '--json'], { cwd: clone });
      expect(JSON.parse(check.stdout), what).toMatchObject({ cache: { damaged: [] } });
      await mlv(['pull'], { cwd: clone, env });
      expect((await runMlv(['status', '--exit-code'], { cwd: clone })).exitCode, what).toBe(0);
      expect(describeTree(clone, only), what).toEqual(wanted);
      rmSync(clone, { recursive: true });
    }
  });
});
