import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, forget, makeRepository, must, type Row } from '../context.js';
import { writeRandomFile } from '../data.js';
import { type Contestant, contest } from '../measure.js';
import { type Line, ratioLine } from '../report.js';

/** One large file into the cache: copied, and by a hard link. */
export const largeFile: Row = {
  id: 'add-large',
  job: 'mlv add of one 2 GiB file',
  async run(context) {
    const repository = makeRepository(context, 'repository');
    const file = join(repository, 'model.bin');
    writeRandomFile(file, [{ seed: 'large file', bytes: context.sizes.largeFile }]);
    return [...(await copied(context, repository)), ...(await linked(context, repository))];
  },
};

async function copied(context: Context, repository: string): Promise<Line[]> {
  const remove = (): void => rmSync(join(repository, 'copy.bin'), { force: true });
  const prepare = (): void => {
    remove();
    fresh(repository);
  };
  const others = otherTools(context, repository);
  const samples = await contest(
    [
      { name: 'cp', prepare, command: context.program(repository, ['cp', 'model.bin', 'copy.bin']) },
      { name: 'mlv', prepare, command: context.mlv(repository, ['add', 'model.bin'], { MLV_CACHE_LINK: 'copy' }) },
      {
        name: 'cp && sync',
        prepare,
        command: context.program(repository, ['sh', '-c', 'cp model.bin copy.bin && sync copy.bin']),
      },
    ],
    context.runs(5),
  );
  prepare();
  const slow = await contest(others, 1);
  const ours = { name: 'mlv add', samples: samples.get('mlv') ?? [] };
  const line = (name: string, extra: { limit?: number; note?: string }): Line => {
    const theirs = { name, samples: samples.get(name) ?? slow.get(name) ?? [] };
    return ratioLine({ row: 'add-large', job: 'add one 2 GiB file, copy', ...extra }, ours, theirs);
  };
  return [
    line('cp', context.limit(1.3)),
    line('cp && sync', { note: 'mlv flushes, cp does not' }),
    ...others.map(({ name }) => line(name, {})),
  ];
}

async function linked(context: Context, repository: string): Promise<Line[]> {
  const job = 'add one 2 GiB file, hard link';
  if (context.find('b3sum') === undefined) {
    context.skip({ row: 'add-large', job, reason: 'b3sum is not installed (cargo install b3sum)' });
    return [];
  }
  const prepare = (): void => fresh(repository);
  const samples = await contest(
    [
      { name: 'b3sum', prepare, command: context.program(repository, ['b3sum', '--num-threads', '1', 'model.bin']) },
      { name: 'mlv', prepare, command: context.mlv(repository, ['add', 'model.bin'], { MLV_CACHE_LINK: 'hardlink' }) },
    ],
    context.runs(7),
  );
  return [
    ratioLine(
      { row: 'add-large', job, ...context.limit(2) },
      { name: 'mlv add', samples: samples.get('mlv') ?? [] },
      { name: 'b3sum --num-threads 1', samples: samples.get('b3sum') ?? [] },
    ),
  ];
}

function fresh(repository: string): void {
  forget(repository);
  chmodSync(join(repository, 'model.bin'), 0o644);
}

function otherTools(context: Context, repository: string): Contestant[] {
  const found: Contestant[] = [];
  if (context.find('dvc') !== undefined) {
    const prepare = (): void => {
      rmSync(join(repository, '.dvc'), { recursive: true, force: true });
      rmSync(join(repository, 'model.bin.dvc'), { force: true });
      fresh(repository);
      must(context.program(repository, ['dvc', 'init', '--quiet']));
    };
    const command = context.program(repository, ['dvc', 'add', '--quiet', 'model.bin'], {
      DVC_SITE_CACHE_DIR: join(context.directory, 'dvc'),
    });
    found.push({ name: 'dvc add', prepare, command });
  }
  if (context.find('git-lfs') !== undefined) {
    const command = context.program(repository, ['sh', '-c', 'git lfs clean < model.bin']);
    found.push({ name: 'git lfs clean', prepare: () => fresh(repository), command });
  }
  return found;
}
