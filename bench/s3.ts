import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A bucket to push to. */
export interface S3 {
  /** What it is, for the report. */
  name: string;
  endpoint: string;
  /** The environment of an mlv whose default remote is a place in the bucket that nobody used before. */
  freshRemote(endpoint?: string): NodeJS.ProcessEnv;
  /** Frees the memory of the server that holds everything in it. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The server at MLV_BENCH_S3_ENDPOINT (bucket MLV_BENCH_S3_BUCKET, which must be there, credentials from
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or one in memory that is started here.
 */
export async function startS3(env: NodeJS.ProcessEnv = process.env): Promise<S3> {
  const endpoint = env.MLV_BENCH_S3_ENDPOINT;
  if (!endpoint) return startInMemory();
  const credentials = { AWS_ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY };
  return {
    name: 'the S3 server of MLV_BENCH_S3_ENDPOINT',
    endpoint,
    freshRemote: remotes({ endpoint, bucket: env.MLV_BENCH_S3_BUCKET ?? 'mlv-bench', credentials }),
    empty: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}

async function startInMemory(): Promise<S3> {
  const bucket = 'bench';
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('s3-server.ts', import.meta.url)), bucket],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface({ input: child.stdout });
  const endpoint = `http://127.0.0.1:${await nextLine(lines)}`;
  return {
    name: 'fauxqs, in memory',
    endpoint,
    freshRemote: remotes({
      endpoint,
      bucket,
      credentials: { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'not-a-secret' },
    }),
    empty: async () => {
      const answer = nextLine(lines);
      child.stdin.write('empty\n');
      await answer;
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

function remotes(place: { endpoint: string; bucket: string; credentials: NodeJS.ProcessEnv }): S3['freshRemote'] {
  return (endpoint = place.endpoint) => ({
    ...place.credentials,
    MLV_CORE_REMOTE: 'bench',
    MLV_REMOTE_BENCH_URL: `s3://${place.bucket}/${randomBytes(8).toString('hex')}`,
    MLV_REMOTE_BENCH_ENDPOINT: endpoint,
    MLV_REMOTE_BENCH_REGION: 'us-east-1',
    MLV_REMOTE_BENCH_PATH_STYLE: 'true',
  });
}

function nextLine(lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new Error('the S3 server ended'));
    lines.once('close', failed);
    lines.once('line', (line) => {
      lines.off('close', failed);
      resolve(line);
    });
  });
}
