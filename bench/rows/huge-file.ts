import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, makeRepository, must, type Row, removeTree } from '../context.js';
import { writeRandomFile } from '../data.js';
import { run } from '../measure.js';
import { type Line, summarize } from '../report.js';

const MOST_MIB = 250;

/** Memory that a file larger than it needs. */
export const hugeFile: Row = {
  id: 'huge',
  job: 'resident memory of add, status, push and pull of one 10 GiB file, a directory as remote',
  large: true,
  async run(context) {
    const first = makeRepository(context, 'first');
    const env = { MLV_CORE_REMOTE: 'bench', MLV_REMOTE_BENCH_URL: join(context.directory, 'remote') };
    context.say('writing the file');
    writeRandomFile(join(first, 'model.bin'), [{ seed: 'huge', bytes: context.sizes.hugeFile }]);
    const lines = [
      await peak(context, first, ['add', '--stage', 'model.bin'], env),
      await peak(context, first, ['status'], env),
      await peak(context, first, ['push'], env),
    ];
    must(context.program(first, ['git', 'add', 'mlv.yaml']));
    must(context.program(first, ['git', 'commit', '--quiet', '--message', 'the file']));
    const second = join(context.directory, 'second');
    must(context.program(context.directory, ['git', 'clone', '--quiet', first, second]));
    // Room for the next copies.
    rmSync(join(first, 'model.bin'), { force: true });
    removeTree(join(first, '.git', 'mlv'));
    return [...lines, await peak(context, second, ['pull'], env)];
  },
};

async function peak(context: Context, cwd: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Line> {
  const ours = summarize(`mlv ${args[0]}`, [await run(context.mlv(cwd, args, env))]);
  const job = `mlv ${args[0]} of one 10 GiB file`;
  return { row: 'huge', job, figure: ours.peakMiB ?? Number.NaN, unit: 'MiB', ours, ...context.limit(MOST_MIB) };
}
