import { join } from 'node:path';
import { type Context, makeRepository, must, type Row } from '../context.js';
import { writeRandomFile, writeSmallFiles } from '../data.js';
import { type Contestant, contest } from '../measure.js';
import { ratioLine } from '../report.js';
import { type S3, startS3 } from '../s3.js';

/** Many small files to S3 and back, against one file of the same bytes. */
export const pushSmall: Row = {
  id: 'push-small',
  job: 'push and pull of 20,000 files of 4 KiB, S3',
  async run(context) {
    const { pushedFiles, smallFileBytes } = context.sizes;
    const many = makeRepository(context, 'many');
    writeSmallFiles(join(many, 'data'), pushedFiles, smallFileBytes);
    must(context.mlv(many, ['add', 'data']));
    const one = makeRepository(context, 'one');
    writeRandomFile(join(one, 'data'), [{ seed: 'one file', bytes: pushedFiles * smallFileBytes }]);
    must(context.mlv(one, ['add', 'data']));
    const s3 = await startS3();
    try {
      const contestants = [pushing(context, s3, one), pushing(context, s3, many)];
      const samples = await contest(contestants, context.runs(7));
      return [
        ratioLine(
          { row: 'push-small', job: 'push 20,000 × 4 KiB to S3', note: s3.name, ...context.limit(1.5) },
          { name: 'mlv push', samples: samples.get(many) ?? [] },
          { name: 'mlv push of one file of the same bytes', samples: samples.get(one) ?? [] },
        ),
      ];
    } finally {
      await s3.stop();
    }
  },
};

/** Each run goes to a place that nobody used: nothing is there already, and this machine remembers nothing of it. */
function pushing(context: Context, s3: S3, repository: string): Contestant {
  return {
    name: repository,
    prepare: () => s3.empty(),
    command: () => context.mlv(repository, ['push'], s3.freshRemote()),
  };
}
