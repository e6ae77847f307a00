import { isMlvError } from '../../core/errors.js';
import { isMapping } from '../../core/mapping.js';
import { LocalArtifacts } from './local-artifacts.js';
import { entryOf, type Json, type ModelAlias, optionalAt, runOf, textAt, versionOf } from './server-answers.js';
import { listOf, MlflowClient, type ServerOptions } from './server-client.js';
import type {
  ArtifactEntry,
  ArtifactFile,
  MlflowFacts,
  MlflowRun,
  MlflowStore,
  MlflowVersion,
  MlflowWish,
  Point,
} from './store.js';
import { safeParts, unreachable } from './values.js';

const API = '/api/2.0/mlflow';
const FILES = '/api/2.0/mlflow-artifacts/artifacts';
const PAGE = 1000;
/** Points of one metric come in large pages. */
const METRIC_PAGE = 25_000;
/** Logged models come in smaller pages. */
const SMALL_PAGE = 50;
const PROXIED = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/;

/** A tracking server over HTTP(S). Artifacts come through it, or out of directories of this machine that the user names. */
export class MlflowServer implements MlflowStore {
  readonly source: string;
  private readonly client: MlflowClient;
  private readonly local: LocalArtifacts;

  constructor(url: string, options: ServerOptions & { artifacts: readonly string[] }) {
    this.client = new MlflowClient(url, options);
    this.source = this.client.url;
    this.local = new LocalArtifacts(options.artifacts);
  }

  async read(wish: MlflowWish): Promise<MlflowFacts> {
    const everything = wish.experiments.length + wish.models.length === 0;
    const experiments = new Map((await this.experiments()).map(({ id, name }) => [id, name]));
    const wanted = [...experiments].filter(([, name]) => everything || wish.experiments.includes(name));
    const ids = wanted.map(([id]) => id);
    const logged = await this.loggedModels(ids);
    const runs = new Map(
      (await this.runs(ids)).map((json) => runOf(json, { experiments, logged })).map((run) => [run.id, run]),
    );
    const versions = (await this.versions(wish.models)).filter(({ run }) => {
      return everything || wish.models.length > 0 || (run !== undefined && runs.has(run));
    });
    for (const { run } of versions) {
      if (run === undefined || runs.has(run)) continue;
      const found = await this.oneRun(run);
      if (found) runs.set(run, runOf(found, { experiments, logged }));
    }
    return { runs: [...runs.values()], versions };
  }

  async history(run: MlflowRun): Promise<ReadonlyMap<string, readonly Point[]>> {
    const history = new Map<string, Point[]>();
    for (const key of run.metrics.keys()) {
      const ask = (token: string): Promise<Json> =>
        this.client.get(`${API}/metrics/get-history`, {
          run_id: run.id,
          metric_key: key,
          max_results: String(METRIC_PAGE),
          ...(token && { page_token: token }),
        });
      const points = (await this.client.pages(ask, 'metrics')).map(({ value, step, timestamp }) => ({
        value: Number(value),
        step: Number(step ?? 0),
        time: Number(timestamp ?? Number.NaN),
      }));
      history.set(key, points);
    }
    return history;
  }

  async list(artifacts: string, below: string): Promise<ArtifactEntry[] | undefined> {
    const root = proxied(artifacts);
    if (root === undefined) return this.elsewhere(artifacts, () => this.local.list(artifacts, below));
    const path = [...root, ...safeParts(below)].join('/');
    const files = listOf(await this.client.get(FILES, { path }), 'files').map(entryOf);
    // A file is listed as nothing, and so is a directory that is not there.
    if (files.length > 0) return files;
    return (await this.isFile(path)) ? undefined : [];
  }

  async open(artifacts: string, below: string): Promise<ArtifactFile> {
    const root = proxied(artifacts);
    if (root === undefined) return this.elsewhere(artifacts, () => this.local.open(artifacts, below));
    const parts = [...root, ...safeParts(below)].map(encodeURIComponent);
    return this.client.body(`${FILES}/${parts.join('/')}`);
  }

  close(): void {}

  private async isFile(path: string): Promise<boolean> {
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const name = path.slice(path.lastIndexOf('/') + 1);
    const beside = listOf(await this.client.get(FILES, parent === '' ? {} : { path: parent }), 'files').map(entryOf);
    return beside.some((entry) => entry.name === name && !entry.directory);
  }

  private elsewhere<T>(artifacts: string, read: () => T): T {
    if (!/^[a-z][a-z0-9+.-]+:/i.test(artifacts) || artifacts.startsWith('file:')) return read();
    throw unreachable(artifacts, 'the server does not pass them on', {
      hint: 'start it with: mlflow server --serve-artifacts --artifacts-destination <where they are>',
    });
  }

  private async experiments(): Promise<{ id: string; name: string }[]> {
    const found = await this.client.pages(
      (token) =>
        this.client.post(`${API}/experiments/search`, { max_results: PAGE, ...(token && { page_token: token }) }),
      'experiments',
    );
    return found.map((each) => ({ id: textAt(each, 'experiment_id'), name: textAt(each, 'name') }));
  }

  private async runs(experiments: readonly string[]): Promise<Json[]> {
    const found: Json[] = [];
    for (const id of experiments) {
      const ask = (token: string): Promise<Json> =>
        this.client.post(`${API}/runs/search`, {
          experiment_ids: [id],
          max_results: PAGE,
          run_view_type: 'ACTIVE_ONLY',
          ...(token && { page_token: token }),
        });
      found.push(...(await this.client.pages(ask, 'runs')));
    }
    return found;
  }

  private async oneRun(id: string): Promise<Json | undefined> {
    try {
      const { run } = await this.client.get(`${API}/runs/get`, { run_id: id });
      return isMapping(run) ? run : undefined;
    } catch (error) {
      if (isMlvError(error, 'REMOTE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** Models by the run that logged them. A server before MLflow 3 does not know the question. */
  private async loggedModels(
    experiments: readonly string[],
  ): Promise<Map<string, { name: string; artifacts: string }[]>> {
    const byRun = new Map<string, { name: string; artifacts: string }[]>();
    for (const id of experiments) {
      const ask = (token: string): Promise<Json> =>
        this.client.post(`${API}/logged-models/search`, {
          experiment_ids: [id],
          max_results: SMALL_PAGE,
          ...(token && { page_token: token }),
        });
      const found = await this.client.pages(ask, 'models').catch((error: unknown) => {
        if (isMlvError(error, 'REMOTE_NOT_FOUND')) return undefined;
        throw error;
      });
      if (!found) return byRun;
      for (const { info } of found) {
        const run = isMapping(info) ? optionalAt(info, 'source_run_id') : undefined;
        if (!isMapping(info) || run === undefined) continue;
        const model = { name: textAt(info, 'name'), artifacts: textAt(info, 'artifact_uri') };
        byRun.set(run, [...(byRun.get(run) ?? []), model]);
      }
    }
    return byRun;
  }

  private async versions(names: readonly string[]): Promise<MlflowVersion[]> {
    const models = await this.client.pages(
      (token) =>
        this.client.get(`${API}/registered-models/search`, {
          max_results: String(PAGE),
          ...(token && { page_token: token }),
        }),
      'registered_models',
    );
    const found: MlflowVersion[] = [];
    for (const model of models) {
      const name = textAt(model, 'name');
      if (names.length > 0 && !names.includes(name)) continue;
      const aliases = listOf(model, 'aliases').map((each) => ({
        alias: textAt(each, 'alias'),
        version: String(each.version),
      }));
      const filter = `name='${name.replaceAll("'", "\\'")}'`;
      const ask = (token: string): Promise<Json> =>
        this.client.get(`${API}/model-versions/search`, {
          filter,
          max_results: String(PAGE),
          ...(token && { page_token: token }),
        });
      for (const json of await this.client.pages(ask, 'model_versions')) {
        if (json.name === name) found.push(await this.version(json, aliases));
      }
    }
    return found;
  }

  private async version(json: Json, aliases: readonly ModelAlias[]): Promise<MlflowVersion> {
    const { artifact_uri: uri } = await this.client.get(`${API}/model-versions/get-download-uri`, {
      name: textAt(json, 'name'),
      version: String(json.version ?? ''),
    });
    return versionOf(json, { aliases, artifacts: await this.resolve(typeof uri === 'string' ? uri : '') });
  }

  /** `runs:/…` and `models:/m-…` as where the artifacts really are. */
  private async resolve(uri: string): Promise<string> {
    const run = /^runs:\/+([0-9a-f]{32})(\/.*)?$/.exec(uri);
    if (run) {
      const info = (await this.oneRun(run[1] as string))?.info;
      return isMapping(info) ? `${textAt(info, 'artifact_uri')}${run[2] ?? ''}` : uri;
    }
    const logged = /^models:\/+(m-[0-9a-f]{32})$/.exec(uri)?.[1];
    if (logged === undefined) return uri;
    const { model } = await this.client.get(`${API}/logged-models/${logged}`);
    const info = isMapping(model) ? model.info : undefined;
    return isMapping(info) ? textAt(info, 'artifact_uri') : uri;
  }
}

function proxied(artifacts: string): string[] | undefined {
  const path = PROXIED.exec(artifacts)?.[1];
  return path === undefined ? undefined : safeParts(path);
}
