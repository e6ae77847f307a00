import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentReporter } from '../../src/core/reporter.js';
import { MlflowFileStore } from '../../src/interop/mlflow/file-store.js';
import { proveArtifacts, takeArtifacts } from '../../src/interop/mlflow/intake.js';
import { MlflowServer } from '../../src/interop/mlflow/server.js';
import type { MlflowRun, MlflowStore } from '../../src/interop/mlflow/store.js';
import { metricLog } from '../../src/interop/mlflow/values.js';
import { ObjectCache } from '../../src/objects/cache.js';
import { loadHash } from '../../src/objects/hash.js';
import { decodeTree } from '../../src/objects/tree-format.js';
import { type MlflowContent, startMlflowServer } from '../helpers/mlflow-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const RUN = 'a'.repeat(32);
const EVERYTHING = { experiments: [], models: [] };
const { signal } = new AbortController();
const phase = silentReporter.phase('x');
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function content(more: Partial<MlflowContent> = {}): MlflowContent {
  const run = (id: string, experiment: string) => ({
    info: {
      run_id: id,
      experiment_id: experiment,
      status: 'FINISHED',
      start_time: 1000,
      artifact_uri: `mlflow-artifacts:/${experiment}/${id}/artifacts`,
    },
    data: {
      params: [{ key: 'depth', value: '3' }],
      metrics: [{ key: 'auc', value: 0.9, step: 1 }],
      tags: [{ key: 'team', value: 'risk' }],
    },
  });
  return {
    experiments: [
      { experiment_id: '1', name: 'Churn' },
      { experiment_id: '2', name: 'Other' },
    ],
    runs: [run(RUN, '1'), run('b'.repeat(32), '1'), run('c'.repeat(32), '2')],
    models: [{ name: 'fraud', aliases: [{ alias: 'champion', version: '2' }] }, { name: 'ranker' }],
    versions: ['1', '2'].map((version) => ({
      name: 'fraud',
      version,
      uri: `mlflow-artifacts:/1/${RUN}/artifacts/model`,
      run_id: RUN,
      creation_timestamp: 5000,
      current_stage: 'None',
    })),
    files: new Map([
      [`1/${RUN}/artifacts/model/deep/weights #1.bin`, Buffer.from('weights')],
      [`1/${RUN}/artifacts/model/MLmodel`, Buffer.alloc(100_000, 1)],
    ]),
    ...more,
  };
}

async function serverWith(
  more: Partial<MlflowContent> = {},
  credentials: { username?: string; password?: string; token?: string } = {},
): Promise<{ store: MlflowStore; asked: string[] }> {
  const { url, asked, stop } = await startMlflowServer(content(more));
  stops.push(stop);
  return { store: new MlflowServer(url, { credentials, signal, pause: 1, artifacts: [] }), asked };
}

async function cacheHere(): Promise<ObjectCache> {
  return new ObjectCache(temporaryDirectory('cache'), await loadHash('blake3'));
}

describe('a tracking server of MLflow', () => {
  it('is asked page by page for experiments, runs, models and versions', async () => {
    const { store } = await serverWith();
    const { runs, versions } = await store.read(EVERYTHING);
    expect(runs.map(({ experiment }) => experiment)).toEqual(['Churn', 'Churn', 'Other']);
    expect([...(runs[0]?.params ?? [])]).toEqual([['depth', '3']]);
    expect([...(runs[0]?.metrics ?? [])]).toEqual([['auc', 0.9]]);
    expect(versions.map(({ version, aliases }) => [version, aliases])).toEqual([
      ['1', []],
      ['2', ['champion']],
    ]);
    const one = await (await serverWith()).store.read({ experiments: ['Other'], models: [] });
    expect([one.runs.length, one.versions.length]).toEqual([1, 0]);
    const model = await (await serverWith()).store.read({ experiments: [], models: ['fraud'] });
    expect([model.runs.map(({ id }) => id), model.versions.length]).toEqual([[RUN], 2]);
  });

  it('tells every step of a metric, page by page', async () => {
    const history = [2, 0, 1].map((step) => ({ key: 'auc', value: 0.5 + step / 10, step, timestamp: 1000 }));
    const { store } = await serverWith({ history });
    const [run] = (await store.read({ experiments: ['Other'], models: [] })).runs;
    const log = metricLog(await store.history(run as MlflowRun))
      .trim()
      .split('\n');
    expect(log.map((line) => JSON.parse(line))).toEqual(
      [0, 1, 2].map((step) => ({ metric: 'auc', value: 0.5 + step / 10, step, time: '1970-01-01T00:00:01Z' })),
    );
  });

  it('gives artifacts through its proxy, which are taken whole and proved', async () => {
    const { store } = await serverWith();
    const cache = await cacheHere();
    const places = [{ from: `mlflow-artifacts:/1/${RUN}/artifacts/model`, below: '' }];
    const taken = await takeArtifacts({ store, cache }, places, { phase, signal });
    expect(taken).toMatchObject({ files: 2, size: 100_007 });
    const names = decodeTree(cache.read(taken.oid as never)).map(({ name, kind }) => [name, kind]);
    expect(names).toEqual([
      ['MLmodel', 'file'],
      ['deep', 'tree'],
    ]);
    expect(await proveArtifacts({ store, cache }, taken.proofs, { phase, signal })).toEqual({
      files: 2,
      bytes: 100_007,
    });
  });

  it('is found out when it changes an artifact meanwhile, or sends less than it said', async () => {
    const files = content().files;
    const { store } = await serverWith({ files });
    const cache = await cacheHere();
    const places = [{ from: `mlflow-artifacts:/1/${RUN}/artifacts/model`, below: '' }];
    const taken = await takeArtifacts({ store, cache }, places, { phase, signal });
    files.set(`1/${RUN}/artifacts/model/MLmodel`, Buffer.alloc(100_000, 2));
    await expect(proveArtifacts({ store, cache }, taken.proofs, { phase, signal })).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    });
    const short = await serverWith({
      intercept: (request, response) => {
        if (!request.url?.endsWith('/MLmodel')) return false;
        response.writeHead(200).end('less');
        return true;
      },
    });
    await expect(takeArtifacts({ store: short.store, cache }, places, { phase, signal })).rejects.toMatchObject({
      code: 'REMOTE_TRANSIENT',
    });
  });

  it.each(['../../etc', '..', 'a/b', 'a\\b', '.git', '', 'x\0y'])('may not name an artifact %j', async (name) => {
    const { store } = await serverWith({
      intercept: (request, response) => {
        if (!request.url?.startsWith('/api/2.0/mlflow-artifacts')) return false;
        response.writeHead(200).end(JSON.stringify({ files: [{ path: name, is_dir: false, file_size: 1 }] }));
        return true;
      },
    });
    const places = [{ from: 'mlflow-artifacts:/1/x', below: '' }];
    const take = takeArtifacts({ store, cache: await cacheHere() }, places, { phase, signal });
    await expect(take).rejects.toMatchObject({ code: 'FOREIGN_INVALID' });
  });

  it('cannot make us read a path of this machine, or go to another server', async () => {
    const { store } = await serverWith();
    const cache = await cacheHere();
    for (const from of ['/etc', 'file:///etc', 's3://bucket/x', 'http://127.0.0.1:1/x']) {
      const take = takeArtifacts({ store, cache }, [{ from, below: '' }], { phase, signal });
      await expect(take).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    }
    const moved = await serverWith({
      intercept: (_, response) => {
        response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
        return true;
      },
    });
    await expect(moved.store.read(EVERYTHING)).rejects.toMatchObject({ code: 'REMOTE_PERMANENT' });
    expect(moved.asked).toHaveLength(1);
  });

  it('that never comes to an end, or answers nonsense, is left', async () => {
    const endless = await serverWith({
      intercept: (_, response) => {
        response.writeHead(200).end(JSON.stringify({ experiments: [], next_page_token: 'again' }));
        return true;
      },
    });
    await expect(endless.store.read(EVERYTHING)).rejects.toMatchObject({ code: 'FOREIGN_INVALID' });
    for (const text of ['<html>', '[]', '{"experiments": 3}', '{"experiments": [{"name": 3}]}']) {
      const { store } = await serverWith({
        intercept: (_, response) => {
          response.writeHead(200).end(text);
          return true;
        },
      });
      await expect(store.read(EVERYTHING)).rejects.toMatchObject({ code: 'FOREIGN_INVALID' });
    }
  });

  it('is asked with the credentials, which no error repeats, and again where it is overloaded', async () => {
    const authorization = `Basic ${Buffer.from('ada:s3cr3t').toString('base64')}`;
    const good = await serverWith({ authorization }, { username: 'ada', password: 's3cr3t' });
    expect((await good.store.read(EVERYTHING)).runs).toHaveLength(3);
    const token = await serverWith({ authorization: 'Bearer t0k3n' }, { token: 't0k3n' });
    expect((await token.store.read(EVERYTHING)).runs).toHaveLength(3);
    const { url, stop } = await startMlflowServer(content({ authorization }));
    stops.push(stop);
    const bad = new MlflowServer(url.replace('http://', 'http://ada:wr0ng@'), {
      credentials: {},
      signal,
      artifacts: [],
    });
    expect(bad.source).toBe(url);
    const error = await bad.read(EVERYTHING).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REMOTE_DENIED', hint: expect.stringContaining('MLFLOW_TRACKING_USERNAME') });
    expect(JSON.stringify(error) + String(error)).not.toContain('wr0ng');
    let failures = 2;
    const busy = await serverWith({
      intercept: (_, response) => {
        if (failures === 0) return false;
        failures -= 1;
        response.writeHead(503).end();
        return true;
      },
    });
    expect((await busy.store.read(EVERYTHING)).runs).toHaveLength(3);
  });
});

describe('a file store of MLflow that somebody else made', () => {
  function store(source: string, prepare: (root: string) => void = () => {}): MlflowFileStore {
    const root = temporaryDirectory('mlruns');
    mkdirSync(join(root, 'models/fraud/version-1'), { recursive: true });
    writeFileSync(join(root, 'models/fraud/meta.yaml'), 'name: fraud\n');
    writeFileSync(
      join(root, 'models/fraud/version-1/meta.yaml'),
      `name: fraud\nversion: 1\nsource: ${JSON.stringify(source)}\n`,
    );
    prepare(root);
    return new MlflowFileStore(root, []);
  }

  it('cannot make us read outside it: by a path, by dots, or by a link', async () => {
    const outside = temporaryDirectory('outside');
    writeFileSync(join(outside, 'secret'), 'secret');
    const link = (root: string): void => symlinkSync(outside, join(root, 'link'));
    const inside = (root: string): void => {
      mkdirSync(join(root, 'here'));
      symlinkSync(join(outside, 'secret'), join(root, 'here/secret'));
    };
    const cases: [string, (root: string) => void][] = [
      [outside, () => {}],
      [`file://${outside}`, () => {}],
      ['../../outside', () => {}],
      [`1/${RUN}/artifacts/../../../..`, () => {}],
      ['link', link],
      ['here', inside],
    ];
    for (const [source, prepare] of cases) {
      const hostile = store(source, prepare);
      const { versions } = await hostile.read(EVERYTHING);
      const places = [{ from: versions[0]?.artifacts ?? '', below: '' }];
      const take = takeArtifacts({ store: hostile, cache: await cacheHere() }, places, { phase, signal });
      await expect(take, source).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:OBJECT_MISSING|FOREIGN_INVALID)$/),
      });
    }
  });

  it('that holds YAML which expands without end, or is none, is an error', () => {
    for (const text of ['a: &a [1]\nb: *a\n', ': : :', '[1]']) {
      const write = (root: string): void => {
        mkdirSync(join(root, '1'));
        writeFileSync(join(root, '1/meta.yaml'), text);
      };
      expect(() => store('x', write)).toThrow(expect.objectContaining({ code: 'FOREIGN_INVALID' }));
    }
    expect(() => new MlflowFileStore(temporaryDirectory('empty'), [])).toThrow(
      expect.objectContaining({ code: 'FOREIGN_INVALID' }),
    );
  });
});
