import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRepository, must, type Row } from '../context.js';
import { writeSmallFiles } from '../data.js';
import { contest } from '../measure.js';
import { summarize } from '../report.js';

/** Bytes of each file: what counts here is how many there are. */
const TINY = 16;
/** What the design calls "seconds". */
const SECONDS = 10;

/** One changed file among a million. */
export const million: Row = {
  id: 'million',
  job: 'status after one file changed in a directory of 1,000,000',
  async run(context) {
    const repository = makeRepository(context, 'repository');
    const { manyFiles } = context.sizes;
    context.say(`writing ${manyFiles.toLocaleString('en')} files`);
    writeSmallFiles(join(repository, 'data'), manyFiles, TINY);
    const first = await contest(
      [{ name: 'mlv add', command: context.mlv(repository, ['add', 'data'], { MLV_CACHE_LINK: 'hardlink' }) }],
      1,
    );
    must(context.mlv(repository, ['status']));
    const changed = join(repository, 'data', 'part-0000', 'sample-0000001.bin');
    const samples = await contest(
      [
        {
          name: 'mlv status',
          prepare: () => {
            must(context.mlv(repository, ['unprotect', 'data/part-0000/sample-0000001.bin']));
            appendFileSync(changed, 'changed');
          },
          command: context.mlv(repository, ['status']),
        },
      ],
      context.runs(3),
    );
    const ours = summarize('mlv status', samples.get('mlv status') ?? []);
    const added = summarize('mlv add', first.get('mlv add') ?? []);
    const job = 'status, one file changed of 1,000,000';
    return [
      { row: 'million', job, figure: ours.seconds, unit: 'seconds', ours, ...context.limit(SECONDS) },
      { row: 'million', job, figure: ours.peakMiB ?? Number.NaN, unit: 'MiB', ours, ...context.limit(700) },
      { row: 'million', job: 'add 1,000,000 × 16 B, hard links', figure: added.seconds, unit: 'seconds', ours: added },
    ];
  },
};
