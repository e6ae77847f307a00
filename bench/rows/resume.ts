import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Context, makeRepository, must, mustFinish, type Row } from '../context.js';
import { CountingProxy } from '../counting-proxy.js';
import { writeRandomFile } from '../data.js';
import type { Line } from '../report.js';
import { type S3, startS3 } from '../s3.js';

/** Bytes of a pack, and requests at once: mlv's own defaults, the second one set here. */
const PACK_BYTES = 16 * 1024 ** 2;
const JOBS = 8;
/** Shares of the bytes after which the push is killed. */
const MOMENTS = [0.17, 0.42, 0.66, 0.91];

/** A push that is killed, and run again. */
export const resume: Row = {
  id: 'resume',
  job: 'bytes that a killed push of 1 GiB sends a second time',
  async run(context) {
    const repository = makeRepository(context, 'repository');
    writeRandomFile(join(repository, 'model.bin'), [{ seed: 'resume', bytes: context.sizes.editedFile }]);
    must(context.mlv(repository, ['add', 'model.bin']));
    const s3 = await startS3();
    const proxy = await CountingProxy.start(s3.endpoint);
    try {
      const whole = await sent(context, { proxy, repository, env: environment(s3, proxy) });
      const resent: number[] = [];
      for (const moment of context.smoke ? MOMENTS.slice(1, 2) : MOMENTS) {
        await s3.empty();
        const push = { proxy, repository, env: environment(s3, proxy) };
        await killed(context, push, whole * moment);
        resent.push((await sent(context, push)) - whole);
      }
      return [line(context, resent)];
    } finally {
      await proxy.stop();
      await s3.stop();
    }
  },
};

interface Push {
  proxy: CountingProxy;
  repository: string;
  env: NodeJS.ProcessEnv;
}

function environment(s3: S3, proxy: CountingProxy): NodeJS.ProcessEnv {
  return { ...s3.freshRemote(proxy.endpoint), MLV_CORE_JOBS: String(JOBS) };
}

/** The most that was sent twice after any of the kills. */
function line(context: Context, resent: readonly number[]): Line {
  const mebibytes = resent.map((bytes) => Math.round(bytes / 1024 ** 2));
  return {
    row: 'resume',
    job: 'push killed, run again: sent twice',
    figure: Math.max(0, ...resent) / PACK_BYTES / JOBS,
    unit: 'packs a worker',
    note: `killed ${resent.length} times; ${mebibytes.join(', ')} MiB`,
    ...context.limit(2),
  };
}

/** Pushes to the end; gives the bytes that went up since the last call. */
async function sent(context: Context, { proxy, repository, env }: Push): Promise<number> {
  await mustFinish(context.mlv(repository, ['push'], env));
  return proxy.take().bytesUp;
}

/** Starts a push and kills it, without a warning, once so many bytes came. What it sent stays counted. */
async function killed(context: Context, { proxy, repository, env }: Push, bytes: number): Promise<void> {
  const command = context.mlv(repository, ['push'], env);
  const [program = '', ...args] = command.argv;
  const child = spawn(program, args, { cwd: command.cwd, env: command.env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  proxy.onBytesUp = (total) => {
    if (total >= bytes) child.kill('SIGKILL');
  };
  await ended;
  proxy.onBytesUp = () => {};
}
