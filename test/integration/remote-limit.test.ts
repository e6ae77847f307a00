import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withLimit } from '../../src/remotes/limit.js';
import { openRemote } from '../../src/remotes/open.js';
import { bytesBody, type Remote, readContent } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import { inParallel } from '../../src/transfer/in-parallel.js';
import { optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { startThrottlingProxy } from '../helpers/throttling-proxy.js';
import { startWebServer } from '../helpers/web-server.js';

let server: S3Server;

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.stop());

/** The remote as commands use it, with short pauses; the levels that it went through. */
function limited(plain: Remote, most: number): { remote: Remote; levels: number[] } {
  const levels: number[] = [];
  const remote = withRetry(withLimit(plain, { most, onLevel: (level) => levels.push(level) }), {
    minDelayMs: 5,
    maxDelayMs: 100,
  });
  return { remote, levels };
}

describe('a remote that answers 503 SlowDown to more than so many requests at once', () => {
  it.each([1, 3])('%i: gets and gives everything, at a level that it takes', async (atOnce) => {
    const bucket = await server.createBucket();
    const proxy = await startThrottlingProxy(server.endpoint, { atOnce, latencyMs: 2 });
    const plain = await openS3Remote({ ...optionsFor(server, bucket), endpoint: proxy.endpoint });
    const { remote, levels } = limited(plain, 32);
    const bodies = Array.from({ length: 80 }, () => randomBytes(2_000));
    await inParallel(bodies.entries(), 32, ([index, body]) => remote.put(`packs/${index}`, bytesBody(body)));
    await inParallel(bodies.entries(), 32, async ([index, body]) => {
      expect(await readContent(await remote.get(`packs/${index}`))).toEqual(body);
    });
    expect(proxy.counts.refused).toBeGreaterThan(0);
    expect(Math.min(...levels)).toBeLessThanOrEqual(atOnce);
    expect(levels.at(-1)).toBeLessThanOrEqual(atOnce + 1);
    // Once the level is found, refusals are the exception.
    expect(proxy.counts.refused).toBeLessThan(60);
    await remote.close();
    await proxy.stop();
  });
});

describe('a remote that takes its time to answer', () => {
  it('is asked for more and more at once, up to the most, and over as many connections as that', async () => {
    let under = 0;
    let most = 0;
    const web = await startWebServer((_request, response) => {
      most = Math.max(most, ++under);
      setTimeout(() => {
        under--;
        response.writeHead(200, { 'content-length': 4 }).end('data');
      }, 120);
    });
    const plain = await openRemote(web.url, { baseDirectory: '/', connections: 64 });
    const { remote, levels } = limited(plain, 24);
    await inParallel(
      Array.from({ length: 200 }, (_, index) => index),
      24,
      async (index) => readContent(await remote.get(`packs/${index}`)),
    );
    expect(Math.max(...levels)).toBeGreaterThanOrEqual(12);
    expect(most).toBeLessThanOrEqual(24);
    expect(web.connections()).toBeLessThanOrEqual(24);
    await remote.close();
    await web.stop();
  });
});
