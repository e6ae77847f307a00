import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** The S3 server that all tools talk to, with one bucket. */
export interface CompareServer {
  /** What it is, for the report. */
  name: string;
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Starts the server as CI does, tells where it is, and ends it with standard input. */
const SCRIPT = `
source .ci/s3-server.sh >&2 || exit 1
echo "$MLV_TEST_S3_ENDPOINT $MLV_TEST_S3_ACCESS_KEY $MLV_TEST_S3_SECRET_KEY"
read -r _ || true
kill "$MLV_TEST_S3_PID"`;

/**
 * Starts versitygw, a production server over a directory, as `.ci/s3-server.sh` does: it needs Go. Everything it writes is
 * below `directory`. Throws an Error when it does not start.
 */
export async function startCompareServer(directory: string): Promise<CompareServer> {
  const child = spawn('bash', ['-c', SCRIPT], {
    cwd: ROOT,
    env: { ...process.env, SCRATCH: directory },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('close', () => reject(new Error('the S3 server did not start: it needs Go')));
  });
  const [endpoint = '', accessKeyId = '', secretAccessKey = ''] = line.split(' ');
  const region = 'us-east-1';
  const bucket = `compare-${randomBytes(6).toString('hex')}`;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return {
    name: 'versitygw',
    endpoint,
    region,
    bucket,
    accessKeyId,
    secretAccessKey,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
