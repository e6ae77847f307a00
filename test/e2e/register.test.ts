import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from '../helpers/json-schemas.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository, WHOLE } from '../helpers/registered.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

describe('mlv register', () => {
  it('writes manifest and tag, sends them, and does nothing the second time', async () => {
    const { cwd, upstream, mlv } = await registeringRepository();
    const args = ['register', 'fraud', ...WHOLE, '--on', 'data', '--owner', 'ada@example.com', '--licence', 'MIT'];
    const first = parseDocument('register', await mlv(...args, '--retain-until', '2030-01-31', '--json'));
    expect(first).toMatchObject({ state: 'registered', reference: 'fraud@1.0.0', pushed: true });
    const listing = `${sha256('a,b\n3,4\n').slice(7)}  deep/test.csv\n${sha256('a,b\n1,2\n').slice(7)}  train.csv\n`;
    const { manifest } = first;
    expect(manifest).toMatchObject({
      artifacts: [{ path: 'model.pkl', sha256: sha256('model 1'), size: 7 }],
      data: [{ path: 'data', sha256: sha256(listing), files: 2 }],
      params: { seed: 7, 'model.depth': 3 },
      metrics: { accuracy: { value: 0.91, on: 'data' }, loss: { value: 0.4, better: 'lower', on: 'data' } },
      commit: git(cwd, 'rev-parse', 'HEAD').trim(),
      branch: 'main',
      author: 'Test Author <author@example.com>',
      licence: 'MIT',
      owners: ['ada@example.com'],
      retain_until: '2030-01-31',
    });
    expect(manifest.metrics.loss?.on_oid).toBe(manifest.data[0]?.oid);
    expect(git(upstream, 'rev-parse', 'fraud@1.0.0^{commit}').trim()).toBe(manifest.commit);
    expect(git(upstream, 'cat-file', 'tag', 'fraud@1.0.0')).toContain(first.digest);
    const tip = git(upstream, 'rev-parse', 'mlv-registry');
    expect(parseDocument('register', await mlv(...args, '--retain-until', '2030-01-31', '--json'))).toMatchObject({
      state: 'present',
      reference: 'fraud@1.0.0',
      digest: first.digest,
      registryCommit: null,
    });
    expect(git(upstream, 'rev-parse', 'mlv-registry')).toBe(tip);
  });

  it('shows with --dry-run what would be registered and what would refuse it, and writes nothing', async () => {
    const { cwd, store, commit, run, mlv } = await registeringRepository();
    const everything = (): string[] => [
      git(cwd, 'for-each-ref'),
      git(cwd, 'count-objects', '-v'),
      ...readdirSync(store, { recursive: true, encoding: 'utf8' }).sort(),
      ...readdirSync(join(cwd, '.git/mlv/objects'), { recursive: true, encoding: 'utf8' }).sort(),
    ];
    const before = everything();
    const dry = (...args: string[]) => run('register', 'fraud', ...WHOLE, '--dry-run', ...args);
    const text = await dry();
    expect([text.exitCode, text.stderr]).toEqual([0, '']);
    for (const said of ['fraud@1.0.0', 'model.pkl', 'accuracy', 'seed', 'python', 'would be registered'])
      expect(text.stdout).toContain(said);
    const shown = parseDocument('register', (await dry('--json')).stdout);
    expect(shown).toMatchObject({ dryRun: true, state: 'registered', registryCommit: null, refusals: [] });
    expect(everything()).toEqual(before);

    const { dryRun, manifest } = parseDocument('register', await mlv('register', 'fraud', ...WHOLE, '--json'));
    expect(dryRun).toBe(false);
    expect({ ...shown.manifest, created: '' }).toEqual({ ...manifest, created: '' });
    expect((await dry()).stdout).toContain('is there already');

    // A policy that lets nobody register, a condition that is not met, code not committed, an object not sent, a tag in the way.
    const policy = 'mlv: 1\nroles:\n  lead: ["Lead <lead@example.com>"]\nregister:\n  roles: [lead]\n';
    writeFileSync(join(cwd, '.git/policy.yaml'), policy);
    await mlv('policy', 'set', join(cwd, '.git/policy.yaml'));
    await commit({ 'model.pkl': 'model 2' });
    rmSync(join(store, 'objects/records'), { recursive: true });
    writeFiles(cwd, { 'train.py': 'print(3)' });
    git(cwd, 'tag', 'fraud@1.0.1');
    const now = everything();
    const refused = await dry('--if', 'accuracy > 0.99', '--json');
    expect(refused.exitCode).toBe(6);
    const document = parseDocument('register', refused.stdout);
    expect(document.reference).toBe('fraud@1.0.1');
    const codes = document.refusals.map(({ code }) => code);
    expect(codes.sort()).toEqual([
      'CONDITION_FALSE',
      'OBJECT_MISSING',
      'REGISTRY_REFUSED',
      'VERSION_EXISTS',
      'WORKSPACE_DIRTY',
    ]);
    const allowed = await dry('--allow-dirty', '--push');
    expect(allowed.stdout).toContain('fraud@1.0.1');
    expect(allowed.stderr).toMatch(/would be sent first: model.pkl[\s\S]*kept with the version, as a patch/);
    expect(allowed.stderr).not.toContain('not committed:');
    expect(everything()).toEqual(now);
  });

  it('derives the number from what changed, and says why', async () => {
    const { commit, mlv } = await registeringRepository();
    await mlv('register', 'fraud', ...WHOLE);
    await commit({ 'params.yaml': 'seed: 8\n', 'model.pkl': 'model 2' });
    const retrained = await mlv('register', 'fraud', ...WHOLE);
    expect(retrained).toContain('fraud@1.0.1 (after 1.0.0)');
    expect(retrained).toContain('patch: params: model.depth 3 → (none), seed 7 → 8');
    await commit({ 'data/more.csv': 'x\n' });
    expect(await mlv('register', 'fraud', ...WHOLE)).toContain('minor: data: data has other content');
    await commit({ 'train.py': 'print(2)\n' });
    expect(await mlv('register', 'fraud', ...WHOLE)).toContain('minor: code: train.py changed');
    const five = parseDocument(
      'register',
      await mlv('register', 'fraud', ...WHOLE, '--version', '2.0.0.0.0', '--json'),
    );
    expect(five).toMatchObject({ version: '2.0.0.0.0', manifest: { parent: '1.2.0' } });
    await commit({ 'data/even-more.csv': 'x\n' });
    const data = parseDocument('register', await mlv('register', 'fraud', ...WHOLE, '--json'));
    expect(data).toMatchObject({ version: '2.0.0.1.0', manifest: { bump: { part: 'data' } } });
    expect(await mlv('register', 'fraud', ...WHOLE, '--bump', 'major', '-m', 'auc=0.9')).toContain('fraud@3.0.0.0.0');
  });

  it('refuses a version that exists with other content, and says in what', async () => {
    const { run, mlv } = await registeringRepository();
    await mlv('register', 'fraud', ...WHOLE, '--version', '1.0.0');
    const other = await run('register', 'fraud', ...WHOLE, '--version', '1.0.0', '-p', 'seed=9', '--json');
    expect(other.exitCode).toBe(1);
    expect(JSON.parse(other.stdout).error).toMatchObject({ code: 'VERSION_EXISTS', data: { differences: ['params'] } });
  });

  it('refuses a dirty workspace, or keeps what is not committed as an object', async () => {
    const { cwd, store, run, mlv } = await registeringRepository();
    writeFiles(cwd, { 'train.py': 'print(2)', 'params.yaml': 'seed: 8', 'helper.py': '', 'notes.txt': '' });
    git(cwd, 'add', 'params.yaml');
    const refused = await run('register', 'fraud', ...WHOLE);
    expect(refused).toMatchObject({ exitCode: 1 });
    for (const named of ['train.py', 'params.yaml', 'helper.py', '--allow-dirty'])
      expect(refused.stderr).toContain(named);
    const kept = parseDocument('register', await mlv('register', 'fraud', ...WHOLE, '--allow-dirty', '--json'));
    const [algorithm = '', hex = ''] = (kept.manifest.difference ?? '').split(':');
    const place = join(algorithm, hex.slice(0, 2));
    expect(existsSync(join(store, 'objects/records', place, hex))).toBe(true);
    const clone = cloneRepository(cwd);
    git(clone, 'apply', join(cwd, '.git/mlv/objects', place, hex.slice(2)));
    expect(git(clone, 'status', '--porcelain').split('\n')).toEqual(
      expect.arrayContaining([' M params.yaml', ' M train.py', '?? helper.py', '?? notes.txt']),
    );
  });

  it('refuses content that no object has, whatever is allowed', async () => {
    const { cwd, run } = await registeringRepository();
    chmodSync(join(cwd, 'model.pkl'), 0o644);
    writeFileSync(join(cwd, 'model.pkl'), 'unsaved');
    const result = await run('register', 'fraud', ...WHOLE, '--allow-dirty');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('mlv add model.pkl');
  });

  it('refuses pointers that are not committed, and takes them with the difference', async () => {
    const { cwd, run, mlv } = await registeringRepository();
    writeFiles(cwd, { 'model.pkl': 'model 2' });
    await mlv('add', '-q', 'model.pkl');
    const refused = await run('register', 'fraud', ...WHOLE);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('git add model.pkl.mlv');
    const args = ['register', 'fraud', ...WHOLE, '--allow-dirty', '--push', '--json'];
    expect(parseDocument('register', await mlv(...args)).manifest.artifacts[0]?.sha256).toBe(sha256('model 2'));
  });

  it('refuses objects that no remote has, or sends them', async () => {
    const { cwd, run, mlv } = await registeringRepository();
    writeFiles(cwd, { 'model.pkl': 'model 2' });
    await mlv('add', '-q', 'model.pkl');
    commitAll(cwd);
    const refused = await run('register', 'fraud', ...WHOLE);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('mlv push model.pkl');
    await mlv('register', 'fraud', ...WHOLE, '--push-objects', '--no-push');
    expect(JSON.parse(await mlv('status', '--remote', '--json')).remotes[0]).toMatchObject({ missing: [] });
    expect(git(cwd, 'ls-remote', 'origin', 'mlv-registry')).toBe('');
  });

  it('registers only what meets a condition', async () => {
    const { run } = await registeringRepository();
    const refused = await run('register', 'fraud', ...WHOLE, '--if', 'accuracy >= 0.93');
    expect(refused.exitCode).toBe(6);
    expect(refused.stderr).toContain('accuracy is 0.91');
    expect((await run('register', 'fraud', ...WHOLE, '--if', 'accuracy >= 0.9 and params.seed == 7')).exitCode).toBe(0);
    expect((await run('register', 'fraud', ...WHOLE, '--if', 'accuracy >=')).exitCode).toBe(2);
  });

  it('holds components by their manifests, and names artifacts of the version before', async () => {
    const { run, mlv } = await registeringRepository();
    await mlv('register', 'geo', ...WHOLE);
    const ensemble = ['register', 'ensemble', '--component', 'geo@latest', '--json'];
    const made = parseDocument('register', await mlv(...ensemble));
    expect(made.manifest).toMatchObject({ artifacts: [], components: [{ model: 'geo', version: '1.0.0' }] });
    await mlv('register', 'geo', '-m', 'auc=1');
    expect(parseDocument('register', await mlv(...ensemble)).manifest.bump?.reasons).toEqual([
      'code: geo 1.0.0 → 1.1.0',
    ]);
    expect((await run('register', 'ensemble', '--component', 'nothing@1.0.0')).exitCode).toBe(2);
  });

  describe('with operands and options that cannot be', () => {
    let repository: RegisteringRepository;
    beforeAll(async () => {
      repository = await registeringRepository();
    });

    it.each([
      [['Fraud', 'model.pkl'], 2, /fraud/],
      [['fraud', 'model.pkl', '--version', '1.0'], 2, /1\.0\.0/],
      [['fraud', 'model.pkl', '--version', '1.0.0', '--bump', 'major'], 2, /exclude/],
      [['fraud'], 2, /no artifact is named/],
      [['fraud', 'train.py'], 2, /not tracked/],
      [['fraud', 'data/train.csv'], 2, /part of the tracked directory/],
      [['fraud', 'model.pkl', '--data', 'model.pkl'], 2, /as an artifact and as data/],
      [['fraud', 'model.pkl', '--retain-until', '2030-02-31'], 2, /not a day/],
      [['fraud', 'model.pkl', '-m', 'auc=NaN'], 1, /finite/],
      [['fraud', 'model.pkl', '--params', 'no.yaml'], 2, /no\.yaml/],
      [['fraud', 'model.pkl', '--parent', 'fraud@9.9.9'], 2, /nothing is registered/],
    ])('refuses %j', async (args, exitCode, message) => {
      const result = await repository.run('register', ...args);
      expect(result.stderr).toMatch(message);
      expect(result.exitCode).toBe(exitCode);
    });
  });
});

describe('of what mlv run made', () => {
  let repository: RegisteringRepository;
  const train = 'cat data/train.csv params.yaml > model.pkl; echo \'{"auc": 0.9}\' > scores.json';
  const run = async (...more: string[]): Promise<void> => {
    const { cwd } = repository;
    await repository.mlv(
      'run',
      '-q',
      '-d',
      'data',
      '-p',
      'params.yaml',
      '-o',
      'model.pkl',
      ...more,
      '--',
      'sh',
      '-c',
      train,
    );
    commitAll(cwd);
    git(cwd, 'push', '--quiet', 'origin', 'main');
    await repository.mlv('push', '-q');
  };
  const registered = async (...args: string[]) =>
    parseDocument('register', await repository.mlv('register', 'fraud', ...args, '--json'));

  beforeAll(async () => {
    repository = await registeringRepository();
    await run('-m', 'scores.json');
  });

  it('takes data, parameters, metrics and environment from its record', async () => {
    const { manifest } = await registered('model.pkl');
    expect(manifest.data.map(({ path }) => path)).toEqual(['data']);
    expect(manifest.params).toEqual({ seed: 7, 'model.depth': 3 });
    expect(Object.entries(manifest.metrics).map(([name, { value }]) => [name, value])).toEqual([['auc', 0.9]]);
    const { runs } = parseDocument('why', await repository.mlv('why', 'model.pkl', '--json'));
    expect(runs.map(({ environment }) => environment)).toEqual([manifest.environment]);
  });

  it('takes what is given instead, and nothing of the record with --no-run', async () => {
    const given = await registered('model.pkl', '-m', 'auc=0.5', '-p', 'seed=1', '--description', 'other');
    expect(given.manifest.params).toEqual({ seed: 1 });
    expect(given.manifest.metrics.auc?.value).toBe(0.5);
    expect(given.manifest.data.map(({ path }) => path)).toEqual(['data']);
    const alone = await registered('model.pkl', '--no-run');
    expect([alone.manifest.params, alone.manifest.metrics, alone.manifest.data]).toEqual([{}, {}, []]);
  });

  it('leaves out data that the run has not read, and says so; its files of parameters are no code', async () => {
    const before = (await registered('model.pkl', '--version', '5.0.0')).manifest;
    writeFiles(repository.cwd, { 'params.yaml': 'seed: 8\nmodel: {depth: 3}\n' });
    await run('-m', 'scores.json');
    const same = await registered('model.pkl');
    expect(same.manifest.parent).toBe(before.version);
    expect(same.manifest.bump?.reasons.join()).not.toContain('code');
    await repository.commit({ 'data/more.csv': 'x\n' });
    const { notes, manifest } = await registered('model.pkl');
    expect(manifest.data).toEqual([]);
    expect(notes.join('\n')).toContain('not what the run read: data');
  });
});

describe('two registrations at once', () => {
  it('both succeed, under numbers of their own', async () => {
    const { upstream, run } = await registeringRepository();
    const results = await Promise.all(
      ['a=1', 'a=2'].map((param) => run('register', 'fraud', ...WHOLE, '-p', param, '--json')),
    );
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const versions = results.map(({ stdout }) => parseDocument('register', stdout).version);
    expect(versions.sort()).toEqual(['1.0.0', '1.0.1']);
    expect(git(upstream, 'tag', '--list').trim().split('\n')).toHaveLength(2);
  });
});
