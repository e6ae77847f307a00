import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv as runHere, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository, WHOLE } from '../helpers/registered.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const read = (cwd: string, path: string): string => readFileSync(join(cwd, path), 'utf8');

/** Two versions: `model 1` with the first data, `model 2` with more; `pair@1.0.0` consists of the first. */
async function twoVersions(): Promise<RegisteringRepository> {
  const repository = await registeringRepository();
  await repository.mlv('register', 'fraud', ...WHOLE, '--version', '1.0.0');
  await repository.mlv('register', 'pair', '--component', 'fraud@1.0.0');
  await repository.commit({ 'model.pkl': 'model 2', 'data/more.csv': 'more' });
  await repository.mlv('register', 'fraud', ...WHOLE, '--version', '2.0.0');
  return repository;
}

describe('a version in the workspace', () => {
  let repository: RegisteringRepository;
  beforeAll(async () => {
    repository = await twoVersions();
  });

  it('has its bytes and pointers; HEAD, index and code stay', async () => {
    const { cwd, mlv } = repository;
    const head = git(cwd, 'rev-parse', 'HEAD');
    writeFiles(cwd, { 'train.py': 'print("work")\n' });
    const document = parseDocument('checkout', await mlv('checkout', 'fraud@1.0.0', '--json'));
    expect(document.version).toMatchObject({ reference: 'fraud@1.0.0', pointers: ['data.mlv', 'model.pkl.mlv'] });
    expect(read(cwd, 'model.pkl')).toBe('model 1');
    expect(existsSync(join(cwd, 'data/more.csv'))).toBe(false);
    expect(read(cwd, 'model.pkl.mlv')).toBe(git(cwd, 'show', 'fraud@1.0.0:model.pkl.mlv'));
    expect(git(cwd, 'status', '--porcelain').split('\n').slice(0, 3)).toEqual([
      ' M data.mlv',
      ' M model.pkl.mlv',
      ' M train.py',
    ]);
    expect(git(cwd, 'rev-parse', 'HEAD')).toBe(head);
    await mlv('checkout', 'fraud@latest');
    expect(read(cwd, 'model.pkl')).toBe('model 2');
    expect(git(cwd, 'status', '--porcelain')).toBe(' M train.py\n');
    git(cwd, 'checkout', '--', 'train.py');
  });

  it('comes with what it consists of, and without its data where only artifacts are wanted', async () => {
    const { cwd, mlv } = repository;
    await mlv('checkout', 'pair@1.0.0', '--artifacts-only');
    expect(read(cwd, 'model.pkl')).toBe('model 1');
    expect(existsSync(join(cwd, 'data/more.csv'))).toBe(true);
    await mlv('checkout', 'fraud@2.0.0');
  });

  it('never replaces unsaved work, neither content nor pointers', async () => {
    const { cwd, run, mlv } = repository;
    writeFiles(cwd, { 'model.pkl': 'unsaved' });
    const kept = await run('checkout', 'fraud@1.0.0');
    expect(kept.exitCode).toBe(1);
    expect(kept.stderr).toContain('model.pkl');
    expect(read(cwd, 'model.pkl')).toBe('unsaved');
    expect(read(cwd, 'model.pkl.mlv')).toBe(git(cwd, 'show', 'HEAD:model.pkl.mlv'));
    await mlv('add', '-q', 'model.pkl');
    const pointer = read(cwd, 'model.pkl.mlv');
    const refused = await run('pull', 'fraud@1.0.0', '--json');
    expect(refused.exitCode).toBe(1);
    expect(parseDocument('pull', refused.stdout).version?.refusedPointers).toEqual(['model.pkl.mlv']);
    expect([read(cwd, 'model.pkl'), read(cwd, 'model.pkl.mlv')]).toEqual(['unsaved', pointer]);
    await mlv('checkout', 'fraud@1.0.0', '--force');
    expect(read(cwd, 'model.pkl')).toBe('model 1');
    await mlv('checkout', 'fraud@2.0.0');
    expect(git(cwd, 'status', '--porcelain')).toBe('');
  });

  it('is not meant where a path of that name exists, or behind --', async () => {
    const { cwd, run, mlv } = repository;
    writeFiles(cwd, { 'fraud@1.0.0': 'a file' });
    await mlv('add', '-q', 'fraud@1.0.0');
    expect(parseDocument('checkout', await mlv('checkout', 'fraud@1.0.0', '--json')).version).toBeUndefined();
    await mlv('rm', '-q', 'fraud@1.0.0');
    expect((await run('checkout', '--', 'fraud@1.0.0')).exitCode).toBe(2);
    expect((await run('checkout', 'fraud@1.0.0', 'model.pkl')).stderr).toContain('name it alone');
    expect((await run('checkout', 'fraud@9.9.9')).stderr).toContain('fraud has no version 9.9.9');
  });

  it('is looked into, and compared, without being checked out', async () => {
    const { run, mlv } = repository;
    expect(await mlv('ls', '-r', 'fraud@2.0.0', 'data')).toContain('more.csv');
    expect(await mlv('ls', '-r', 'fraud@latest~1', 'data')).not.toContain('more.csv');
    expect(await mlv('cat', 'model.pkl@fraud@^1')).toBe('model 1');
    expect(await mlv('cat', 'model.pkl@fraud@1.0.0')).toBe('model 1');
    const { changes } = parseDocument('diff', await mlv('diff', 'fraud@^1', 'fraud@latest', '--json'));
    expect(changes.map(({ path, kind }) => [path, kind])).toEqual([
      ['data/more.csv', 'added'],
      ['model.pkl', 'modified'],
    ]);
    expect(await mlv('impact', 'data/more.csv@fraud@latest')).toContain('fraud@2.0.0');
    expect((await run('ls', 'fraud@nowhere')).stderr).toContain("there is no stage 'nowhere'");
    expect((await run('ls', 'other@1.0.0')).stderr).toContain('neither a revision nor a path');
  });

  it('is named as the hint says where words stand in the wrong order, or a model stands alone', async () => {
    const { run } = repository;
    const cases: [args: string[], words: string][] = [
      [['pull', 'fraud'], 'mlv pull fraud@latest'],
      [['lineage', 'fraud'], 'fraud@latest'],
      [['list', 'fraud@1.0.0'], 'name the model alone: fraud'],
      [['list', repository.upstream], 'mlv ls'],
      [['get', 'model.pkl', repository.upstream], 'the repository comes first: mlv get'],
      [['restore', 'model.pkl'], 'mlv checkout --force'],
      [['promote', 'staging', 'fraud@1.0.0'], 'mlv promote fraud@1.0.0 staging'],
      [['register', 'model.pkl', 'fraud'], 'mlv register fraud model.pkl'],
      [['remote', 'add', 's3://bucket/prefix', 'nas'], 'mlv remote add nas s3://bucket/prefix'],
    ];
    for (const [args, words] of cases) {
      const { exitCode, stderr } = await run(...args);
      expect([exitCode, stderr], args.join(' ')).toEqual([2, expect.stringContaining(words)]);
    }
  });

  it('comes into a shallow clone of a CI job that has neither branch nor tags', async () => {
    const { upstream } = repository;
    const cwd = cloneRepository(`file://${upstream}`, '--depth=1', '--single-branch', '--no-tags');
    await runHere(['pull', 'fraud@1.0.0', '--artifacts-only'], { cwd });
    expect(read(cwd, 'model.pkl')).toBe('model 1');
    expect(read(cwd, 'model.pkl.mlv')).toBe(git(upstream, 'show', 'fraud@1.0.0:model.pkl.mlv'));
    expect(existsSync(join(cwd, 'data'))).toBe(false);
    expect(git(cwd, 'rev-list', '--count', 'HEAD').trim()).toBe('1');
  });
});

describe('a manifest that someone else wrote', () => {
  it('is not followed out of the repository, nor over files of Git', async () => {
    const { cwd, upstream, mlv } = await registeringRepository();
    await mlv('register', 'fraud', 'model.pkl', '--version', '1.0.0');
    const clone = cloneRepository(upstream);
    for (const [path, code] of [
      ['../outside', 'REGISTRY_INVALID'],
      ['.git/hooks/post-checkout', 'REGISTRY_INVALID'],
      ['train.py', 'TRACKED_BY_GIT'],
      ['.gitattributes', 'PATH_UNSUPPORTED'],
      ['other.mlv', 'TARGET_IS_POINTER'],
    ] as const) {
      const result = await forged(cwd, clone, path);
      expect(result.exitCode, path).not.toBe(0);
      expect(result.stdout, path).toContain(code);
    }
    expect(read(clone, 'train.py')).toBe('print(1)\n');
  });
});

/** Writes the registry anew with another path in the manifest, digests made to fit, and checks the version out. */
async function forged(cwd: string, clone: string, path: string) {
  const worktree = temporaryDirectory('forged');
  git(cwd, 'worktree', 'add', '--quiet', '--force', '--detach', worktree, 'mlv-registry');
  const manifest = join(worktree, 'models/fraud/versions/1.0.0.yaml');
  const text = read(worktree, 'models/fraud/versions/1.0.0.yaml');
  writeFiles(worktree, { 'models/fraud/versions/1.0.0.yaml': text.replace('path: model.pkl', `path: ${path}`) });
  const digest = createHash('sha256').update(readFileSync(manifest)).digest('hex');
  const events = git(worktree, 'ls-files', 'models/fraud/events').trim();
  const event = read(worktree, events).replace(/sha256:[0-9a-f]{64}/, `sha256:${digest}`);
  const id = createHash('sha256').update(event).digest('hex').slice(0, 12);
  git(worktree, 'rm', '--quiet', '--cached', events);
  writeFiles(worktree, { [events.replace(/-[0-9a-f]+\.yaml$/, `-${id}.yaml`)]: event });
  rmSync(join(worktree, events));
  commitAll(worktree, 'forged');
  git(clone, 'fetch', '--quiet', '--update-head-ok', worktree, '+HEAD:refs/heads/mlv-registry');
  git(clone, 'update-ref', 'refs/remotes/origin/mlv-registry', 'refs/heads/mlv-registry');
  return runMlv(['checkout', 'fraud@1.0.0', '--json'], { cwd: clone });
}
