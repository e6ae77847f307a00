import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';

/** An emulator of Google Cloud Storage for tests, on loopback. */
export interface GcsServer {
  readonly endpoint: string;
  /** Makes an empty bucket; gives its name. */
  createBucket(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * The emulator to test with: `MLV_TEST_FAKE_GCS`, or fake-gcs-server on the PATH (`.ci/gcs-server.sh` builds it);
 * undefined where there is none.
 */
export function findFakeGcs(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (environment.MLV_TEST_FAKE_GCS) return environment.MLV_TEST_FAKE_GCS;
  const candidates = (environment.PATH ?? '').split(delimiter).map((directory) => join(directory, 'fake-gcs-server'));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts fake-gcs-server. It keeps everything in memory and takes any credentials. */
export async function startGcsServer(): Promise<GcsServer> {
  const program = findFakeGcs();
  if (program === undefined) throw new Error('no fake-gcs-server: see .ci/gcs-server.sh');
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const args = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory'];
  const child = spawn(program, [...args, '-log-level', 'error', '-public-host', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const end = (): void => void child.kill();
  process.once('exit', end);
  await answering(`${endpoint}/storage/v1/b`, () => child.exitCode !== null);
  return {
    endpoint,
    async createBucket() {
      const name = `mlv-test-${randomBytes(6).toString('hex')}`;
      const made = await fetch(`${endpoint}/storage/v1/b?project=test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (!made.ok) throw new Error(`fake-gcs-server made no bucket: ${made.status}`);
      return name;
    },
    async stop() {
      process.off('exit', end);
      end();
      await ended;
    },
  };
}

async function answering(url: string, ended: () => boolean): Promise<void> {
  while (!ended()) {
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await delay(50);
  }
  throw new Error('fake-gcs-server did not start');
}
