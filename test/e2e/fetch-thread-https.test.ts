import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { randomBytes } from '../helpers/big-data.js';
import { cleanEnvironment } from '../helpers/cli.js';
import { KEPT_OPEN } from '../helpers/kept-open.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const CONTENT = randomBytes(100_000, 5);
const THREAD = new URL('../../dist/cli/fetch-worker.js', import.meta.url).href;

/** Has a thread of its own process bring one range into a file, and prints how many parts it wrote. */
const PROGRAM = `
import { openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
const [thread, url, file, digest, size] = process.argv.slice(1);
const worker = new Worker(new URL(thread), { execArgv: [] });
worker.on('message', (answer) => {
  if (answer.kind !== 'ended') return;
  console.log(answer.written);
  worker.terminate();
});
const job = {
  id: 1,
  get: { url, headers: {} },
  start: 0,
  length: Number(size),
  algorithm: 'blake3',
  preference: 'auto',
  descriptors: [openSync(file, 'wx')],
  copies: [-1],
  parts: Float64Array.of(0, Number(size), Number(size), 0, 0),
  digests: new Uint8Array(Buffer.from(digest, 'hex')),
};
worker.postMessage({ kind: 'range', job });
`;

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A certificate for this machine that nobody signed; undefined where there is nothing to make one with. */
function selfSigned(): { key: string; certificate: string } | undefined {
  const directory = temporaryDirectory('certificate');
  const key = join(directory, 'key.pem');
  const certificate = join(directory, 'certificate.pem');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate], {
      stdio: 'ignore',
    });
    return { key, certificate };
  } catch {
    return undefined;
  }
}

async function serve({ key, certificate }: { key: string; certificate: string }): Promise<string> {
  const tls = { key: readFileSync(key), cert: readFileSync(certificate) };
  const server = createServer({ ...KEPT_OPEN, ...tls }, (_request, response) => {
    const range = `bytes 0-${CONTENT.length - 1}/${CONTENT.length}`;
    response.writeHead(206, { 'content-length': CONTENT.length, 'content-range': range }).end(CONTENT);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/pack`;
}

it('a thread trusts the authorities that the process was told of, and no others', async ({ skip }) => {
  const made = selfSigned() ?? skip('needs openssl');
  const url = await serve(made);
  const { digest } = await loadHash('blake3');
  const directory = temporaryDirectory('files');
  const run = async (file: string, environment: Record<string, string>): Promise<string> => {
    const args = [THREAD, url, join(directory, file), digest(CONTENT).toString('hex'), `${CONTENT.length}`];
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM, ...args], {
      env: cleanEnvironment(environment),
    });
    return stdout.trim();
  };
  expect(await run('trusted', { NODE_EXTRA_CA_CERTS: made.certificate })).toBe('1');
  expect(readFileSync(join(directory, 'trusted')).equals(CONTENT)).toBe(true);
  // It is left to the main thread, which has the words for it.
  expect(await run('unknown', {})).toBe('0');
  expect(readFileSync(join(directory, 'unknown'))).toHaveLength(0);
});
