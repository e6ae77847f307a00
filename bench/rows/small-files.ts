import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, forget, makeRepository, must, type Row, removeTree } from '../context.js';
import { writeSmallFiles } from '../data.js';
import { type Contestant, contest } from '../measure.js';
import { type Line, ratioLine } from '../report.js';

/** Many small files: into the cache, out of it, and looked at again. */
export const smallFiles: Row = {
  id: 'small-files',
  job: 'add, status and checkout of 100,000 files of 4 KiB',
  async run(context) {
    const repository = makeRepository(context, 'repository');
    writeSmallFiles(join(repository, 'data'), context.sizes.smallFiles, context.sizes.smallFileBytes);
    const added = await adding(context, repository);
    return [...added, ...(await looking(context, repository)), ...(await checkingOut(context, repository))];
  },
};

async function adding(context: Context, repository: string): Promise<Line[]> {
  const copy = join(context.directory, 'copy');
  const prepare = (): void => {
    removeTree(copy);
    removeTree(otherGit(context));
    forget(repository);
    must(context.program(context.directory, ['git', 'init', '--quiet', '--bare', otherGit(context)]));
  };
  const contestants: Contestant[] = [
    { name: 'cp -r', prepare, command: context.program(repository, ['cp', '-r', 'data', copy]) },
    { name: 'mlv', prepare, command: context.mlv(repository, ['add', 'data']) },
    { name: 'git add', prepare, command: git(context, repository, ['add', 'data']) },
  ];
  const dvc = context.find('dvc') === undefined ? [] : [dvcAdd(context, repository, prepare)];
  const samples = await contest(contestants, context.runs(3));
  for (const [name, taken] of await contest(dvc, 1)) samples.set(name, taken);
  prepare();
  removeTree(join(repository, '.dvc'));
  rmSync(join(repository, 'data.dvc'), { force: true });
  const line = (name: string, limit: { limit?: number }): Line =>
    ratioLine(
      { row: 'small-files', job: 'add 100,000 × 4 KiB', ...limit },
      { name: 'mlv add', samples: samples.get('mlv') ?? [] },
      { name, samples: samples.get(name) ?? [] },
    );
  return [
    line('cp -r', context.limit(1.5)),
    line('git add', context.limit(1)),
    ...dvc.map(({ name }) => line(name, {})),
  ];
}

/** Both have seen the tree once, so that both compare with what they recorded. */
async function looking(context: Context, repository: string): Promise<Line[]> {
  must(git(context, repository, ['add', 'data']));
  must(git(context, repository, ['commit', '--quiet', '--message', 'data']));
  must(context.mlv(repository, ['add', 'data']));
  const status = git(context, repository, ['status']);
  const ours = context.mlv(repository, ['status']);
  for (const command of [status, ours, status, ours]) must(command);
  const samples = await contest(
    [
      { name: 'git', command: status },
      { name: 'mlv', command: ours },
    ],
    context.runs(11),
  );
  return [
    ratioLine(
      { row: 'small-files', job: 'status, nothing changed, 100,000 files', ...context.limit(4) },
      { name: 'mlv status', samples: samples.get('mlv') ?? [] },
      { name: 'git status', samples: samples.get('git') ?? [] },
    ),
  ];
}

async function checkingOut(context: Context, repository: string): Promise<Line[]> {
  const original = join(context.directory, 'original');
  const copy = join(context.directory, 'copy');
  must(context.program(repository, ['cp', '-r', 'data', original]));
  const prepare = (): void => {
    removeTree(copy);
    removeTree(join(repository, 'data'));
  };
  const samples = await contest(
    [
      { name: 'cp', prepare, command: context.program(repository, ['cp', '-r', original, copy]) },
      { name: 'mlv', prepare, command: context.mlv(repository, ['checkout']) },
    ],
    context.runs(3),
  );
  return [
    ratioLine(
      { row: 'small-files', job: 'checkout 100,000 × 4 KiB', note: 'no budget in the design' },
      { name: 'mlv checkout', samples: samples.get('mlv') ?? [] },
      { name: 'cp -r', samples: samples.get('cp') ?? [] },
    ),
  ];
}

function dvcAdd(context: Context, repository: string, prepare: () => void): Contestant {
  const site = join(context.directory, 'dvc');
  return {
    name: 'dvc add',
    prepare: () => {
      prepare();
      mkdirSync(site, { recursive: true });
      must(context.program(repository, ['dvc', 'init', '--quiet']));
    },
    command: context.program(repository, ['dvc', 'add', '--quiet', 'data'], { DVC_SITE_CACHE_DIR: site }),
  };
}

/** The same files for Git, under a Git directory of its own: to mlv they must not be tracked by Git. */
function git(context: Context, repository: string, args: readonly string[]): ReturnType<Context['program']> {
  return context.program(repository, ['git', '-c', 'core.bare=false', '-c', 'gc.auto=0', ...args], {
    GIT_DIR: otherGit(context),
    GIT_WORK_TREE: repository,
  });
}

function otherGit(context: Context): string {
  return join(context.directory, 'other.git');
}
