import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Database } from 'node-sqlite3-wasm';
import { fileSystemError, MlvError } from '../../core/errors.js';
import { LocalArtifacts } from './local-artifacts.js';
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
import { sourceInvalid, statusName } from './values.js';

type Row = Record<string, unknown>;

/**
 * MLflow's SQLite database. A copy is read, so that the database itself is not even locked; SQLite runs as WebAssembly, in
 * a directory of its own. Artifacts are looked for in the given directories.
 */
export class MlflowDatabase implements MlflowStore {
  readonly source: string;

  private constructor(
    private readonly database: Database,
    private readonly scratch: string,
    { path, roots }: { path: string; roots: readonly string[] },
  ) {
    this.source = basename(path);
    this.local = new LocalArtifacts(roots);
  }

  private readonly local: LocalArtifacts;

  /** `path` is absolute. Errors: `FOREIGN_INVALID` where it is no database of MLflow, `FILE_SYSTEM`. */
  static async open(path: string, roots: readonly string[]): Promise<MlflowDatabase> {
    const { default: sqlite } = await import('node-sqlite3-wasm');
    const scratch = copyOf(path);
    try {
      const database = new sqlite.Database(join(scratch, 'copy.db'), { fileMustExist: true });
      database.exec('PRAGMA trusted_schema = OFF; PRAGMA query_only = ON');
      database.get('SELECT run_uuid FROM runs LIMIT 1');
      database.get('SELECT name FROM model_versions LIMIT 1');
      return new MlflowDatabase(database, scratch, { path, roots });
    } catch (error) {
      rmSync(scratch, { recursive: true, force: true });
      throw new MlvError('FOREIGN_INVALID', `'${path}' cannot be read as a database of MLflow: ${String(error)}`, {
        hint: `start a server on it, and import from that: mlflow server --backend-store-uri sqlite:///${path}`,
        data: { path },
        cause: error,
      });
    }
  }

  async read(wish: MlflowWish): Promise<MlflowFacts> {
    const everything = wish.experiments.length + wish.models.length === 0;
    const all = this.runs();
    const experiments = new Map(all.map((run) => [run.id, run.experiment]));
    const versions = this.versions().filter(({ model, run }) => {
      if (everything || wish.models.includes(model)) return true;
      return wish.models.length === 0 && run !== undefined && wish.experiments.includes(experiments.get(run) ?? '');
    });
    const needed = new Set(versions.map(({ run }) => run));
    const runs = all.filter(
      ({ id, experiment }) => everything || wish.experiments.includes(experiment) || needed.has(id),
    );
    return { runs, versions };
  }

  async history(run: MlflowRun): Promise<ReadonlyMap<string, readonly Point[]>> {
    const history = new Map<string, Point[]>();
    const sql = 'SELECT key, value, step, timestamp AS time FROM metrics WHERE run_uuid = ? AND is_nan = 0';
    for (const row of this.rows(sql, [run.id])) {
      const points = history.get(String(row.key)) ?? [];
      points.push({ value: Number(row.value), step: Number(row.step), time: Number(row.time) });
      history.set(String(row.key), points);
    }
    return history;
  }

  async list(artifacts: string, below: string): Promise<ArtifactEntry[] | undefined> {
    return this.local.list(artifacts, below);
  }

  async open(artifacts: string, below: string): Promise<ArtifactFile> {
    return this.local.open(artifacts, below);
  }

  close(): void {
    this.database.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private rows(sql: string, values: string[] = []): Row[] {
    try {
      return this.database.all(sql, values) as Row[];
    } catch (error) {
      throw sourceInvalid(`${this.source} is no database of a known MLflow: ${String(error)}`, error);
    }
  }

  private hasTable(name: string): boolean {
    return this.rows("SELECT name FROM sqlite_master WHERE type = 'table'").some((row) => row.name === name);
  }

  private runs(): MlflowRun[] {
    const params = this.grouped('SELECT run_uuid AS id, key, value FROM params');
    const tags = this.grouped('SELECT run_uuid AS id, key, value FROM tags');
    const metrics = this.grouped(
      "SELECT run_uuid AS id, key, CASE is_nan WHEN 1 THEN 'NaN' ELSE value END AS value FROM latest_metrics",
    );
    const models = this.loggedModels();
    const rows = this.rows(
      'SELECT runs.*, experiments.name AS experiment FROM runs JOIN experiments USING (experiment_id) ' +
        "WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'",
    );
    return rows.map((row) => {
      const id = text(row, 'run_uuid');
      const own = tags.get(id) ?? new Map();
      const name = optional(row, 'name') ?? own.get('mlflow.runName');
      const user = optional(row, 'user_id');
      return {
        id,
        experiment: text(row, 'experiment'),
        ...(name !== undefined && { name }),
        status: statusName(row.status),
        ...(user !== undefined && { user }),
        ...time('started', row.start_time),
        ...time('ended', row.end_time),
        params: params.get(id) ?? new Map(),
        metrics: new Map([...(metrics.get(id) ?? [])].map(([key, value]) => [key, Number(value)])),
        tags: own,
        artifacts: text(row, 'artifact_uri'),
        models: models.get(id) ?? [],
      };
    });
  }

  private loggedModels(): Map<string, { name: string; artifacts: string }[]> {
    const byRun = new Map<string, { name: string; artifacts: string }[]>();
    if (!this.hasTable('logged_models')) return byRun;
    for (const row of this.rows('SELECT * FROM logged_models ORDER BY creation_timestamp_ms, model_id')) {
      const run = optional(row, 'source_run_id');
      if (run === undefined || row.lifecycle_stage === 'deleted') continue;
      const model = { name: text(row, 'name'), artifacts: text(row, 'artifact_location') };
      byRun.set(run, [...(byRun.get(run) ?? []), model]);
    }
    return byRun;
  }

  private versions(): MlflowVersion[] {
    const key = "name || '/' || CAST(version AS TEXT) AS id";
    const tags = this.grouped(`SELECT ${key}, key, value FROM model_version_tags`);
    const aliases = this.hasTable('registered_model_aliases')
      ? this.grouped(`SELECT ${key}, alias AS key, '' AS value FROM registered_model_aliases`)
      : new Map<string, Map<string, string>>();
    const rows = this.rows("SELECT * FROM model_versions WHERE current_stage <> 'Deleted_Internal'");
    return rows.map((row) => {
      const model = text(row, 'name');
      const version = String(row.version);
      const id = `${model}/${version}`;
      const stage = optional(row, 'current_stage');
      const description = optional(row, 'description');
      const user = optional(row, 'user_id');
      const run = optional(row, 'run_id');
      return {
        model,
        version,
        ...time('created', row.creation_time),
        ...(description !== undefined && { description }),
        ...(stage !== undefined && stage !== 'None' && { stage }),
        aliases: [...(aliases.get(id)?.keys() ?? [])],
        tags: tags.get(id) ?? new Map(),
        status: optional(row, 'status') ?? 'READY',
        ...(user !== undefined && { user }),
        ...(run !== undefined && { run }),
        artifacts: this.resolve(optional(row, 'storage_location') ?? optional(row, 'source') ?? ''),
      };
    });
  }

  /** `runs:/…` and `models:/m-…` as where the artifacts really are. */
  private resolve(uri: string): string {
    const run = /^runs:\/+([0-9a-f]{32})(\/.*)?$/.exec(uri);
    if (run) {
      const [row] = this.rows('SELECT artifact_uri FROM runs WHERE run_uuid = ?', [run[1] as string]);
      return row ? `${text(row, 'artifact_uri')}${run[2] ?? ''}` : uri;
    }
    const logged = /^models:\/+(m-[0-9a-f]{32})$/.exec(uri)?.[1];
    if (logged === undefined || !this.hasTable('logged_models')) return uri;
    const [row] = this.database.all('SELECT artifact_location FROM logged_models WHERE model_id = ?', [
      logged,
    ]) as Row[];
    return row ? text(row, 'artifact_location') : uri;
  }

  /** Rows of `id`, `key`, `value` as texts by key, by id. */
  private grouped(sql: string): Map<string, Map<string, string>> {
    const groups = new Map<string, Map<string, string>>();
    for (const row of this.rows(sql)) {
      const id = String(row.id);
      const group = groups.get(id) ?? new Map<string, string>();
      group.set(String(row.key), String(row.value ?? ''));
      groups.set(id, group);
    }
    return groups;
  }
}

/** A copy with what SQLite keeps beside the file while somebody writes to it. */
function copyOf(path: string): string {
  let scratch: string | undefined;
  try {
    scratch = mkdtempSync(join(tmpdir(), 'mlv-mlflow-'));
    for (const end of ['', '-journal', '-wal']) {
      if (end === '' || existsSync(`${path}${end}`)) copyFileSync(`${path}${end}`, join(scratch, `copy.db${end}`));
    }
    return scratch;
  } catch (error) {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
    throw fileSystemError('copy', path, error);
  }
}

function text(row: Row, key: string): string {
  const value = row[key];
  if (typeof value === 'string') return value;
  throw sourceInvalid(`the column '${key}' of the database is no text`);
}

function optional(row: Row, key: string): string | undefined {
  const value = row[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function time<K extends string>(key: K, value: unknown): { [P in K]?: number } {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? ({ [key]: number } as { [P in K]?: number }) : {};
}
