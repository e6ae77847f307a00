import { join } from 'node:path';
import { type Context, makeRepository, must, mustFinish, type Row } from '../context.js';
import { CountingProxy, type Traffic } from '../counting-proxy.js';
import { type Part, writeRandomFile } from '../data.js';
import type { Line } from '../report.js';
import { startS3 } from '../s3.js';

/** What travels when little changed, counted by a proxy between mlv and the server. */
export const traffic: Row = {
  id: 'traffic',
  job: 'bytes and requests of a push and a pull after 1 % was inserted into a file of 1 GiB',
  async run(context) {
    const s3 = await startS3();
    const proxy = await CountingProxy.start(s3.endpoint);
    try {
      return await edited(context, proxy, s3.freshRemote(proxy.endpoint));
    } finally {
      await proxy.stop();
      await s3.stop();
    }
  },
};

async function edited(context: Context, proxy: CountingProxy, env: NodeJS.ProcessEnv): Promise<Line[]> {
  const [ours, theirs] = [makeRepository(context, 'ours'), join(context.directory, 'theirs')];
  const size = context.sizes.editedFile;
  const half = size / 2;
  const first: Part = { seed: 'edited', bytes: half };
  const second: Part = { seed: 'edited', bytes: half, skip: half };
  const inserted: Part = { seed: 'inserted', bytes: Math.round(size / 100) };
  const mlv = (cwd: string, ...args: string[]): Promise<string> => mustFinish(context.mlv(cwd, args, env));
  const record = async (parts: readonly Part[]): Promise<void> => {
    writeRandomFile(join(ours, 'model.bin'), parts);
    await mlv(ours, 'add', '--stage', 'model.bin');
    must(context.program(ours, ['git', 'add', 'mlv.yaml']));
    must(context.program(ours, ['git', 'commit', '--quiet', '--message', 'a version']));
  };
  await record([first, second]);
  await mlv(ours, 'push');
  const pushed = proxy.take();
  must(context.program(context.directory, ['git', 'clone', '--quiet', ours, theirs]));
  await mlv(theirs, 'pull');
  const pulled = proxy.take();
  await mlv(ours, 'push');
  const again = proxy.take();

  await record([first, inserted, second]);
  await mlv(ours, 'push');
  const up = proxy.take();
  must(context.program(theirs, ['git', 'pull', '--quiet']));
  await mlv(theirs, 'pull');
  const down = proxy.take();
  must(context.program(context.directory, ['cmp', join(ours, 'model.bin'), join(theirs, 'model.bin')]));
  return linesOf({ pushed, pulled, again, up, down }, { first: size, second: size + inserted.bytes }, context);
}

interface Travelled {
  pushed: Traffic;
  pulled: Traffic;
  again: Traffic;
  up: Traffic;
  down: Traffic;
}

function linesOf(travelled: Travelled, sizes: { first: number; second: number }, context: Context): Line[] {
  const { pushed, pulled, again, up, down } = travelled;
  const percent = (bytes: number, of: number): number => (bytes / of) * 100;
  const bothWays = ({ bytesUp, bytesDown }: Traffic): number => percent(bytesUp + bytesDown, sizes.second);
  const row = 'traffic';
  return [
    { row, job: 'push 1 GiB, first time', figure: percent(pushed.bytesUp, sizes.first), unit: 'percent' },
    { row, job: 'pull 1 GiB, first time', figure: percent(pulled.bytesDown, sizes.first), unit: 'percent' },
    { row, job: 'push again, nothing changed', figure: again.requests, unit: 'requests a root', ...context.limit(1) },
    { row, job: 'push, 1 % inserted', figure: bothWays(up), unit: 'percent', ...context.limit(3) },
    { row, job: 'pull, 1 % inserted', figure: bothWays(down), unit: 'percent', ...context.limit(3) },
  ];
}
