import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv } from '../helpers/cli.js';
import { gitWithMlv, tryGit } from '../helpers/git-with-mlv.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { makeRepository } from '../helpers/repository.js';
import { Member } from '../helpers/team.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** One person: a clone of each of the two bare repositories, with hooks in that of mlv. */
async function cloneFor(origins: readonly [string, string], name: string): Promise<Member> {
  const member = new Member(join(temporaryDirectory(name), 'work'), join(temporaryDirectory(name), 'work'));
  for (const [at, cwd] of [member.mlv, member.plain].entries()) {
    gitWithMlv(dirname(cwd), 'clone', '-q', origins[at] as string, basename(cwd));
  }
  await mlv(['hooks', 'install', '-q'], { cwd: member.mlv });
  return member;
}

/** A bare repository. */
function bare(name: string): string {
  const path = temporaryDirectory(name);
  gitWithMlv(path, 'init', '-q', '--bare', '-b', 'main');
  return path;
}

describe('a week of a team of three, with hooks, beside the same week in plain Git', () => {
  it('ends with the bytes of everybody right, on every branch', async () => {
    const origins = [bare('origin'), bare('plain-origin')] as const;
    const objects = temporaryDirectory('objects');

    // Monday: Ana begins, the others clone.
    const ana = new Member(await makeMlvRepository(), makeRepository());
    await mlv(['hooks', 'install', '-q'], { cwd: ana.mlv });
    await mlv(['remote', 'add', 'store', objects], { cwd: ana.mlv });
    ana.write({
      'data/a': 'a1',
      'data/b': 'b1',
      'data/labels': 'l1',
      'extra/images/i1': 'i1',
      score: '50',
      'code/x': 'x',
    });
    await ana.add('data', 'extra/images', 'score');
    ana.git('add', '--all');
    ana.git('commit', '-qm', 'begin');
    for (const [at, cwd] of [ana.mlv, ana.plain].entries()) {
      gitWithMlv(cwd, 'remote', 'add', 'origin', origins[at] as string);
      gitWithMlv(cwd, 'push', '-qu', 'origin', 'HEAD:main');
      gitWithMlv(cwd, 'branch', '-qM', 'main');
      gitWithMlv(cwd, 'branch', '-q', '--set-upstream-to=origin/main');
    }
    const ben = await cloneFor(origins, 'ben');
    const cleo = await cloneFor(origins, 'cleo');
    await ben.pull();
    await cleo.pull();

    // Tuesday: a branch and main go on; both change other files of one directory.
    ben.git('switch', '-qc', 'more-data');
    await ben.save('more', { 'data/c': 'c1', 'data/sub/d': 'd1', 'data/a': 'a2', 'extra/images/i2': 'i2' });
    ben.git('push', '-q', 'origin', 'more-data');
    await ana.save('clean', { 'data/b': undefined, 'data/e': 'e1', 'extra/images/i3': 'i3' });
    ana.git('push', '-q');
    ben.git('fetch', '-q');
    ben.git('merge', '-q', '--no-edit', 'origin/main');
    await ben.pull();
    ben.git('push', '-q', 'origin', 'more-data');
    ana.git('fetch', '-q');
    ana.git('merge', '-q', 'origin/more-data');
    await ana.pull();
    ana.git('push', '-q');

    // Both change one file: a conflict, settled by the other side.
    cleo.git('switch', '-qc', 'labels');
    await cleo.save('labels of cleo', { 'data/labels': 'l-cleo', 'data/f': 'f1' });
    await ana.save('labels of ana', { 'data/labels': 'l-ana', 'data/g': 'g1' });
    ana.git('push', '-q');
    cleo.git('fetch', '-q');
    cleo.conflict('merge', '--no-edit', 'origin/main');
    await mlv(['pull'], { cwd: cleo.mlv });
    await mlv(['resolve-conflict', '--theirs', '--stage', 'data'], { cwd: cleo.mlv });
    gitWithMlv(cleo.plain, 'checkout', '-q', '--theirs', 'data/labels');
    gitWithMlv(cleo.plain, 'add', 'data/labels');
    cleo.git('commit', '-qm', 'merged');
    await cleo.pull();
    cleo.git('push', '-q', 'origin', 'labels');

    // Wednesday: a rebase and a force-push, which Ben follows; a cherry-pick and a revert.
    cleo.git('switch', '-qc', 'tidy', 'main');
    await cleo.save('tidy', { 'data/t': 't1' });
    await cleo.save('tidy more', { 'data/t2': 't2', 'data/t': 't1b' });
    cleo.git('push', '-q', 'origin', 'tidy');
    ben.git('fetch', '-q');
    ben.git('switch', '-q', 'tidy');
    await ben.pull();
    cleo.git('rebase', '-q', 'origin/main');
    await cleo.pull();
    cleo.git('push', '-q', '--force-with-lease', 'origin', 'tidy');
    ben.git('fetch', '-q');
    ben.git('reset', '-q', '--hard', 'origin/tidy');
    await ben.pull();
    ben.git('switch', '-qc', 'hotfix', 'origin/labels~1');
    await ben.pull();
    ben.git('cherry-pick', 'origin/tidy~1');
    await ben.pull();
    ben.git('revert', '--no-edit', 'HEAD~1');
    await ben.pull();
    ben.git('push', '-q', 'origin', 'hotfix');

    // Thursday: a linked working tree, and a stash.
    ben.git('switch', '-q', 'more-data');
    await ben.same();
    ben.git('worktree', 'add', '-q', '-b', 'experiment', '../experiment', 'origin/main');
    const experiment = ben.at('../experiment', '../experiment');
    await experiment.pull();
    await experiment.save('experiment', { 'data/x': 'x1', 'data/a': 'a-experiment' });
    await experiment.same();
    await ben.same();
    ben.write({ 'data/stashed': 's1' });
    await ben.add();
    gitWithMlv(ben.plain, 'add', '--all');
    ben.git('stash', '-q');
    await mlv(['checkout'], { cwd: ben.mlv });
    await ben.same();
    ben.git('merge', '-q', '--no-edit', 'experiment');
    await ben.same();
    ben.git('stash', 'pop', '-q');
    await mlv(['checkout'], { cwd: ben.mlv });
    await ben.same();
    await ben.save('stashed', {});
    ben.git('worktree', 'remove', '--force', '../experiment');
    ben.git('push', '-q', 'origin', 'more-data', 'experiment');

    // Friday: which commit made the figure fall? The file that tells it is tracked by mlv.
    ana.git('switch', '-qc', 'figures');
    for (const [at, score] of ['91', '92', '93', '80', '81', '82'].entries()) {
      await ana.save(`score ${at}`, { score, 'data/series': `${at}` });
    }
    ana.git('bisect', 'start', 'HEAD', 'HEAD~5');
    const found = gitWithMlv(ana.mlv, 'bisect', 'run', 'sh', '-c', 'test "$(cat score)" -ge 90');
    const expected = gitWithMlv(ana.plain, 'bisect', 'run', 'sh', '-c', 'test "$(cat score)" -ge 90');
    for (const said of [found, expected]) expect(said).toMatch(/is the first bad commit[\s\S]*score 3/);
    ana.git('bisect', 'reset');
    await ana.same();
    ana.git('push', '-q', 'origin', 'figures');

    // A repository with mlv inside one with mlv.
    const shared = await makeMlvRepository({ 'weights/w': 'w1' });
    await mlv(['remote', 'add', 'store', temporaryDirectory('shared-objects')], { cwd: shared });
    await mlv(['add', '-q', 'weights'], { cwd: shared });
    gitWithMlv(shared, 'add', '--all');
    gitWithMlv(shared, 'commit', '-qm', 'shared');
    await mlv(['push'], { cwd: shared });
    ana.git('switch', '-q', 'main');
    ana.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', shared, 'libs/shared');
    await mlv(['hooks', 'install', '-q'], { cwd: join(ana.mlv, 'libs/shared') });
    await mlv(['pull'], { cwd: join(ana.mlv, 'libs/shared') });
    writeFiles(join(ana.mlv, 'libs/shared'), { 'weights/w2': 'w2' });
    await mlv(['add', '-q', 'weights'], { cwd: join(ana.mlv, 'libs/shared') });
    gitWithMlv(join(ana.mlv, 'libs/shared'), 'switch', '-qc', 'team');
    gitWithMlv(join(ana.mlv, 'libs/shared'), 'add', '--all');
    gitWithMlv(join(ana.mlv, 'libs/shared'), 'commit', '-qm', 'w2');
    gitWithMlv(join(ana.mlv, 'libs/shared'), 'push', '-q', 'origin', 'team');
    await ana.save('shared weights', {});
    await ana.same();
    ana.git('push', '-q');

    // Cleo works on the code alone, with a sparse working tree, while main goes on.
    cleo.git('switch', '-q', 'main');
    cleo.git('sparse-checkout', 'set', 'code');
    cleo.git('pull', '-q', '--no-rebase');
    cleo.write({ 'code/y': 'y' });
    cleo.git('add', 'code/y');
    cleo.git('commit', '-qm', 'code');
    cleo.git('merge', '-q', '--no-edit', 'labels');
    cleo.git('sparse-checkout', 'disable');
    await cleo.pull();
    cleo.git('push', '-q', 'origin', 'main');

    // At the end everybody looks at everything; a fourth clones.
    const dora = await cloneFor(origins, 'dora');
    await dora.pull();
    for (const member of [ana, ben, cleo, dora]) {
      member.git('fetch', '-q');
      for (const branch of ['main', 'more-data', 'labels', 'tidy', 'hotfix', 'experiment', 'figures']) {
        member.git('checkout', '-q', '--detach', `origin/${branch}`);
        await member.pull();
      }
    }
    ben.git('switch', '-q', 'main');
    ben.git('pull', '-q');
    gitWithMlv(ben.mlv, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    const inner = join(ben.mlv, 'libs/shared');
    await mlv(['pull'], { cwd: inner });
    expect(['w', 'w2'].map((name) => readFileSync(join(inner, 'weights', name), 'utf8'))).toEqual(['w1', 'w2']);
    const checked = JSON.parse(await mlv(['fsck', '--remote', '--json'], { cwd: ben.mlv })) as {
      cache: { damaged: unknown[] };
      remotes: { findings: unknown[] }[];
    };
    expect([checked.cache.damaged, checked.remotes.map(({ findings }) => findings)]).toEqual([[], [[]]]);
    expect(tryGit(ben.mlv, ['status', '--porcelain']).stdout).toBe('');
  }, 1_200_000);
});
