import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { freePort } from '../helpers/free-port.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { PYTHON, pythonLacks } from '../helpers/python.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const fixture = fileURLToPath(new URL('../../fixtures/mlflow/mlruns', import.meta.url));
const maker = fileURLToPath(new URL('../../fixtures/make/mlflow_store.py', import.meta.url));
const lacks = pythonLacks('mlflow');

/** A repository with a Git remote and an object remote. */
async function shared(): Promise<{ cwd: string; upstream: string; objects: string }> {
  const cwd = await makeMlvRepository({ 'README.md': 'ours\n' });
  const upstream = makeRepository({ name: 'upstream', bare: true });
  const objects = temporaryDirectory('objects');
  git(cwd, 'remote', 'add', 'origin', upstream);
  await mlv(['remote', 'add', 'origin', objects, '-q'], { cwd });
  commitAll(cwd);
  git(cwd, 'push', '--quiet', '--set-upstream', 'origin', 'main');
  return { cwd, upstream, objects };
}

/** Every file below a directory with the digest of its bytes. */
function digests(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const entries = files.map((each) => {
    const path = join(each.parentPath, each.name);
    return [relative(directory, path), createHash('sha256').update(readFileSync(path)).digest('hex')] as const;
  });
  return Object.fromEntries(entries.sort());
}

const artifactsOf = (store: string, experiment: string, run: string): string => {
  const found = readdirSync(store).find((each) => {
    const meta = join(store, each, 'meta.yaml');
    return existsSync(meta) && readFileSync(meta, 'utf8').includes(`name: ${experiment}\n`);
  });
  const runs = join(store, found ?? '');
  const id = readdirSync(runs).find((each) => {
    const name = join(runs, each, 'tags/mlflow.runName');
    return existsSync(name) && readFileSync(name, 'utf8') === run;
  });
  return join(runs, id ?? '', 'artifacts');
};

const VERSIONS = [
  'churn-study@0.1.0',
  'churn-study@0.2.0',
  'churn-study@0.3.0',
  'fraud-model@1.0.0',
  'fraud-model@2.0.0',
  'fraud-model@3.0.0',
  'other-things@0.1.0',
];

describe('import mlflow', () => {
  it('runs and registered models become versions with the same bytes; the store stays as it was', async () => {
    const { cwd } = await shared();
    const before = digests(fixture);
    const dry = parseDocument(
      'import mlflow',
      await mlv(['import', 'mlflow', fixture, '--dry-run', '--json'], { cwd }),
    );
    expect(dry.versions.map(({ name }) => name).sort()).toEqual(VERSIONS);
    expect(git(cwd, 'log', '--format=%s').trim().split('\n')).toHaveLength(1);
    expect(await mlv(['list'], { cwd })).toBe('');

    const json = parseDocument('import mlflow', await mlv(['import', 'mlflow', fixture, '--json'], { cwd }));
    expect(json.versions.map(({ name }) => name).sort()).toEqual(VERSIONS);
    expect(json).toMatchObject({
      source: 'mlruns',
      proof: { files: 8 },
      pushed: true,
      passedOver: [{ reason: 'its status is FAILED' }],
    });
    expect(json.stages.map(({ name, stage, state }) => `${name} ${stage} ${state}`)).toEqual([
      'fraud-model@1.0.0 archived promoted',
      'fraud-model@2.0.0 production promoted',
      'fraud-model@2.0.0 champion unknown',
      'fraud-model@3.0.0 staging promoted',
    ]);
    expect(digests(fixture)).toEqual(before);
    expect(git(cwd, 'status', '--porcelain')).toBe('');

    const shown = parseDocument('show', await mlv(['show', 'churn-study@0.1.0', '--json'], { cwd }));
    expect(shown.manifest).toMatchObject({
      description: 'The first one.',
      params: { depth: 3, lr: 0.1, balanced: true, note: 'two\nlines', 'model/layers': '[64, 64]' },
      metrics: { auc: { value: 0.85 } },
      origin: {
        tool: 'mlflow',
        source: 'mlruns',
        facts: { experiment: 'Churn study', run_name: 'first', user: 'ada', metrics_without_number: 'val/loss' },
        tags: { team: 'risk' },
      },
    });
    await mlv(['checkout', 'mlflow'], { cwd });
    await mlv(['checkout', 'churn-study@0.1.0'], { cwd });
    const log = readFileSync(join(cwd, 'mlflow/churn-study.metrics.jsonl'), 'utf8').trim().split('\n');
    expect(log.map((line) => JSON.parse(line))).toMatchObject([
      { metric: 'auc', value: 0.7, step: 0 },
      { metric: 'auc', value: 0.9, step: 1 },
      { metric: 'auc', value: 0.85, step: 2 },
    ]);
    expect(digests(join(cwd, 'mlflow/churn-study'))).toEqual(digests(artifactsOf(fixture, 'Churn study', 'first')));
    expect(readFileSync(join(cwd, 'mlflow/fraud-model/net.onnx'), 'utf8')).toBe('weights 3\n');
    expect(readFileSync(join(cwd, 'mlflow/other-things/net/net.onnx'), 'utf8')).toBe('weights 3\n');
    expect(await mlv(['audit'], { cwd })).toBeTruthy();
  });

  it('a colleague with a clone and nothing else has them; repeating it imports only what is new', async () => {
    const { cwd, upstream } = await shared();
    const store = join(temporaryDirectory('store'), 'mlruns');
    cpSync(fixture, store, { recursive: true });
    await mlv(['import', 'mlflow', store, '-q'], { cwd });
    git(cwd, 'push', '--quiet');
    const again = await runMlv(['import', 'mlflow', store], { cwd });
    expect([again.exitCode, again.stdout]).toEqual([0, 'nothing new to import\n']);

    const clone = join(temporaryDirectory('clone'), 'fraud');
    git(cwd, 'clone', '--quiet', upstream, clone);
    expect(await mlv(['resolve', 'fraud-model@production'], { cwd: clone })).toBe('fraud-model@2.0.0\n');
    await mlv(['pull', 'fraud-model@production', '-q'], { cwd: clone });
    expect(readFileSync(join(clone, 'mlflow/fraud-model/weights.bin'), 'utf8')).toBe('weights 2\n');

    const runs = join(artifactsOf(store, 'Churn study', 'second'), '../..');
    const fresh = join(runs, 'f'.repeat(32));
    cpSync(join(artifactsOf(store, 'Churn study', 'second'), '..'), fresh, { recursive: true });
    const meta = readFileSync(join(fresh, 'meta.yaml'), 'utf8').replace(/run_id: .*/, `run_id: ${'f'.repeat(32)}`);
    writeFileSync(join(fresh, 'meta.yaml'), meta.replace(/start_time: .*/, 'start_time: 4000000000000'));
    await mlv(['demote', 'fraud-model@2.0.0', '--from', 'production'], { cwd });
    const more = parseDocument('import mlflow', await mlv(['import', 'mlflow', store, '--json'], { cwd }));
    expect(more.versions).toMatchObject([{ name: 'churn-study@0.4.0', id: `runs:/${'f'.repeat(32)}` }]);
    expect(more.present).toHaveLength(7);
    expect(more.stages).toEqual([]);
  });

  it('one model, one experiment, another directory; what is in the way is refused before anything is written', async () => {
    const cwd = await makeMlvRepository({ 'models/fraud-model': 'mine\n' });
    commitAll(cwd);
    const inTheWay = await runMlv(['import', 'mlflow', fixture, '--tracked-under', 'models'], { cwd });
    expect([inTheWay.exitCode, inTheWay.stderr]).toEqual([1, expect.stringContaining('--tracked-under')]);
    expect(await mlv(['list'], { cwd })).toBe('');
    const model = ['import', 'mlflow', fixture, '--model', 'Fraud Model', '--tracked-under', 'kept/here', '--json'];
    const json = parseDocument('import mlflow', await mlv(model, { cwd }));
    expect(json.versions.map(({ name }) => name)).toEqual([
      'fraud-model@1.0.0',
      'fraud-model@2.0.0',
      'fraud-model@3.0.0',
    ]);
    expect(json.pushed).toBe(false);
    const other = ['import', 'mlflow', fixture, '--experiment', 'Other things', '--json'];
    const second = parseDocument('import mlflow', await mlv(other, { cwd }));
    expect(second.versions.map(({ name }) => name)).toEqual(['other-things@0.1.0']);
    expect(existsSync(join(cwd, 'kept/here/fraud-model.mlv'))).toBe(true);
    const none = await runMlv(['import', 'mlflow', fixture, '--model', 'nothing'], { cwd });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('has nothing of nothing')]);
    for (const store of ['nowhere', 'postgresql://ada:s3cr3t@db/mlflow', 'sqlite:///nowhere.db']) {
      const result = await runMlv(['import', 'mlflow', store], { cwd });
      expect([result.exitCode, result.stdout]).toEqual([2, '']);
      expect(result.stderr).not.toContain('s3cr3t');
    }
    const outside = await runMlv(['import', 'mlflow', fixture, '--tracked-under', '../x'], { cwd });
    expect(outside.exitCode).toBe(2);
  });

  it("an import that was ended between its commits and its versions goes on; what is somebody else's is left", async () => {
    const { cwd } = await shared();
    await mlv(['import', 'mlflow', fixture, '--no-push', '-q'], { cwd });
    // As a kill at the worst moment leaves it: the commits are there, the versions are not.
    for (const name of VERSIONS) git(cwd, 'tag', '-d', name);
    git(cwd, 'update-ref', '-d', 'refs/heads/mlv-registry');
    expect(await mlv(['list'], { cwd })).toBe('');
    const json = parseDocument('import mlflow', await mlv(['import', 'mlflow', fixture, '--json'], { cwd }));
    expect(json.versions.map(({ name }) => name).sort()).toEqual(VERSIONS);
    const other = await makeMlvRepository({ 'mlflow/fraud-model': 'mine\n' });
    await mlv(['add', '-q', 'mlflow/fraud-model'], { cwd: other });
    commitAll(other);
    const refused = await runMlv(['import', 'mlflow', fixture], { cwd: other });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('fraud-model.mlv')]);
    expect(await mlv(['list'], { cwd: other })).toBe('');
  });

  it('artifacts that are gone are said, and the others imported', async () => {
    const cwd = await makeMlvRepository();
    commitAll(cwd);
    const store = join(temporaryDirectory('store'), 'mlruns');
    cpSync(fixture, store, { recursive: true });
    rmSync(join(artifactsOf(store, 'Churn study', 'first'), 'model'), { recursive: true });
    const result = await runMlv(['import', 'mlflow', store, '--model', 'Fraud Model', '--json'], { cwd });
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toContain('models:/Fraud Model/1 was not imported');
    expect(await mlv(['resolve', 'fraud-model@latest'], { cwd })).toBe('fraud-model@3.0.0\n');
  });

  it('a database is read from a copy; its artifacts are found beside it, wherever it was moved', async () => {
    const cwd = await makeMlvRepository();
    commitAll(cwd);
    const home = temporaryDirectory('database');
    const run = 'd'.repeat(32);
    mkdirSync(join(home, `mlruns/1/${run}/artifacts/model`), { recursive: true });
    writeFileSync(join(home, `mlruns/1/${run}/artifacts/model/weights.bin`), 'weights');
    makeDatabase(join(home, 'mlflow.db'), run);
    const before = digests(home);
    const { mtimeMs } = statSync(join(home, 'mlflow.db'));
    const uri = `sqlite:///${join(home, 'mlflow.db')}`;
    const json = parseDocument('import mlflow', await mlv(['import', 'mlflow', uri, '--json'], { cwd }));
    expect(json.versions.map(({ name, files }) => [name, files])).toEqual([
      ['churn@0.1.0', 1],
      ['fraud@1.0.0', 1],
    ]);
    expect(json.stages).toMatchObject([{ stage: 'production', state: 'promoted' }]);
    const { manifest } = parseDocument('show', await mlv(['show', 'fraud@1.0.0', '--json'], { cwd }));
    expect(manifest).toMatchObject({
      params: { depth: 3 },
      metrics: { auc: { value: 0.9 } },
      origin: { tags: { team: 'risk', ok: 'yes' }, facts: { metrics_without_number: 'loss' } },
    });
    const log = await mlv(['cat', 'mlflow/fraud.metrics.jsonl'], { cwd });
    expect(
      log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).value),
    ).toEqual([0.8, 0.9]);
    expect([digests(home), statSync(join(home, 'mlflow.db')).mtimeMs]).toEqual([before, mtimeMs]);
    writeFileSync(join(home, 'broken.db'), 'SQLite format 3\0 and nothing that follows');
    const broken = await runMlv(['import', 'mlflow', `sqlite:///${join(home, 'broken.db')}`], { cwd });
    expect([broken.exitCode, broken.stderr]).toEqual([5, expect.stringContaining('mlflow server --backend-store-uri')]);
  });
});

/** The tables of MLflow 3 as far as they are read, with one run and one version. */
function makeDatabase(path: string, run: string): void {
  const { Database } = createRequire(import.meta.url)('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm');
  const database = new Database(path);
  const away = `/home/ada/mlruns/1/${run}/artifacts`;
  database.exec(`
    CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
    CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
      lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
    CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
    CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
    CREATE TABLE latest_metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid TEXT);
    CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid TEXT);
    CREATE TABLE model_versions (name TEXT, version INTEGER, creation_time BIGINT, description TEXT, user_id TEXT,
      current_stage TEXT, source TEXT, run_id TEXT, status TEXT, storage_location TEXT);
    CREATE TABLE model_version_tags (key TEXT, value TEXT, name TEXT, version INTEGER);
    CREATE TABLE registered_model_aliases (alias TEXT, version INTEGER, name TEXT);
    INSERT INTO experiments VALUES (1, 'churn', '/home/ada/mlruns/1', 'active');
    INSERT INTO runs VALUES ('${run}', 'first', 'ada', 'FINISHED', 1000, 2000, 'active', '${away}', 1);
    INSERT INTO params VALUES ('depth', '3', '${run}');
    INSERT INTO tags VALUES ('team', 'risk', '${run}');
    INSERT INTO latest_metrics VALUES ('auc', 0.9, 1, 1, 0, '${run}'), ('loss', 0, 1, 1, 1, '${run}');
    INSERT INTO metrics VALUES ('auc', 0.9, 1000, 1, 0, '${run}'), ('auc', 0.8, 1000, 0, 0, '${run}'), ('loss', 0, 1, 1, 1, '${run}');
    INSERT INTO model_versions VALUES ('fraud', 1, 9000, NULL, NULL, 'None', '${away}/model', '${run}', 'READY', '${away}/model');
    INSERT INTO model_version_tags VALUES ('ok', 'yes', 'fraud', 1);
    INSERT INTO registered_model_aliases VALUES ('production', 1, 'fraud');
  `);
  database.close();
}

describe('stores that the real MLflow makes now', () => {
  const servers: ChildProcess[] = [];
  afterAll(() => {
    for (const server of servers) server.kill('SIGKILL');
  });

  function make(uri: string, cwd: string): void {
    const env = { ...process.env, MLFLOW_ALLOW_FILE_STORE: 'true' };
    const { status, stderr } = spawnSync(PYTHON, [maker, uri], { cwd, env, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  }

  async function imported(store: string): Promise<string> {
    const { cwd } = await shared();
    const json = parseDocument('import mlflow', await mlv(['import', 'mlflow', store, '--json'], { cwd }));
    expect(json.versions.map(({ name }) => name).sort()).toEqual(VERSIONS);
    expect(json.proof?.files).toBe(8);
    expect(await mlv(['resolve', 'fraud-model@production'], { cwd })).toBe('fraud-model@2.0.0\n');
    await mlv(['checkout', 'mlflow', '-q'], { cwd });
    expect(readFileSync(join(cwd, 'mlflow/fraud-model/net.onnx'), 'utf8')).toBe('weights 3\n');
    await mlv(['checkout', 'churn-study@0.1.0', '-q'], { cwd });
    return readFileSync(join(cwd, 'mlflow/churn-study/notes/für uns.txt'), 'utf8');
  }

  it('a directory', async ({ skip }) => {
    if (lacks !== undefined) return skip(`needs MLflow: ${lacks}`);
    const home = temporaryDirectory('home');
    make(`file://${join(home, 'mlruns')}`, home);
    expect(await imported(join(home, 'mlruns'))).toBe('hello ☃\n');
  });

  it('a database', async ({ skip }) => {
    if (lacks !== undefined) return skip(`needs MLflow: ${lacks}`);
    const home = temporaryDirectory('home');
    make('sqlite:///mlflow.db', home);
    expect(await imported(`sqlite:///${join(home, 'mlflow.db')}`)).toBe('hello ☃\n');
  });

  it('a server', async ({ skip }) => {
    if (lacks !== undefined) return skip(`needs MLflow: ${lacks}`);
    const home = temporaryDirectory('home');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const store = ['--backend-store-uri', 'sqlite:///server.db', '--artifacts-destination', './artifacts'];
    const args = ['-m', 'mlflow', 'server', ...store, '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
    const server = spawn(PYTHON, args, { cwd: home, stdio: 'ignore', detached: true });
    servers.push(server);
    try {
      while (
        !(await fetch(`${url}/health`).then(
          (each) => each.ok,
          () => false,
        ))
      ) {
        expect(server.exitCode).toBeNull();
        await wait(200);
      }
      make(url, home);
      expect(await imported(url)).toBe('hello ☃\n');
    } finally {
      // Its workers are processes of its group.
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
    }
  });
});
