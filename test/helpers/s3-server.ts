import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Options } from '../../src/remotes/s3-options.js';

/** An S3 server for tests, on loopback. */
export interface S3Server {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** True for a server that checks signatures and preconditions and orders lists as AWS does. */
  readonly strict: boolean;
  /** Makes an empty bucket; gives its name, which no other test has. */
  createBucket(): Promise<string>;
  /** Ends a server that was started here; removes the buckets that were made on one that was not. */
  stop(): Promise<void>;
}

/** What opens a bucket of a server as a remote. */
export function optionsFor(server: S3Server, bucket: string): S3Options {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return { bucket, endpoint, region, accessKeyId, secretAccessKey };
}

/**
 * Starts the emulator that `npm ci` brings, in a process of its own that cannot outlive this one. It keeps everything
 * in memory, on a free port, and takes any credentials.
 */
export async function startS3Server(): Promise<S3Server> {
  const script = fileURLToPath(new URL('s3-emulator.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [port] = (await Promise.race([
    once(lines, 'line'),
    ended.then(() => Promise.reject(new Error('the S3 emulator did not start'))),
  ])) as [string];
  const server = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKeyId: 'test',
    secretAccessKey: 'test',
    strict: false,
  };
  const buckets = new Buckets(server);
  return {
    ...server,
    createBucket: () => buckets.create(),
    async stop() {
      buckets.close();
      child.stdin.end();
      await ended;
    },
  };
}

/** The server that the environment names (`.ci/s3-server.sh` starts one), or undefined where it names none. */
export function externalS3Server(environment: NodeJS.ProcessEnv = process.env): S3Server | undefined {
  const { MLV_TEST_S3_ENDPOINT: endpoint } = environment;
  if (!endpoint) return undefined;
  const server = {
    endpoint,
    region: 'us-east-1',
    accessKeyId: environment.MLV_TEST_S3_ACCESS_KEY ?? '',
    secretAccessKey: environment.MLV_TEST_S3_SECRET_KEY ?? '',
    strict: environment.MLV_TEST_S3_STRICT === '1',
  };
  const buckets = new Buckets(server);
  return { ...server, createBucket: () => buckets.create(), stop: () => buckets.removeAll() };
}

class Buckets {
  private readonly made: string[] = [];
  private readonly client: S3Client;

  constructor({ endpoint, region, ...credentials }: Omit<S3Server, 'strict' | 'createBucket' | 'stop'>) {
    this.client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  }

  async create(): Promise<string> {
    const Bucket = `mlv-test-${randomBytes(6).toString('hex')}`;
    await this.client.send(new CreateBucketCommand({ Bucket }));
    this.made.push(Bucket);
    return Bucket;
  }

  async removeAll(): Promise<void> {
    for (const Bucket of this.made.splice(0)) {
      await this.empty(Bucket);
      await this.client.send(new DeleteBucketCommand({ Bucket }));
    }
  }

  close(): void {
    this.client.destroy();
  }

  private async empty(Bucket: string): Promise<void> {
    for (;;) {
      const { Contents = [] } = await this.client.send(new ListObjectsV2Command({ Bucket }));
      if (Contents.length === 0) return;
      const Objects = Contents.map(({ Key }) => ({ Key: Key ?? '' }));
      await this.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    }
  }
}
