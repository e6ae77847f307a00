import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileSystemError } from '../../core/errors.js';
import { readYamlMapping, YamlProblem } from '../../core/read-yaml.js';
import { readTextFile } from '../../workspace/text-file.js';
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
import { latestPoint, sourceInvalid, statusName } from './values.js';

const META_LIMIT = 1024 * 1024;
const FILE_LIMIT = 64 * 1024 * 1024;
/** Names may hold slashes, which are directories then. */
const LEVELS = 10;
const NAMES = 100_000;

/**
 * MLflow's file store: a directory of experiments with runs in them, and `models` with the registry (`mlruns`). It is read
 * as it is; paths in it are those of the machine that wrote it, and are looked for below it and in `also`.
 */
export class MlflowFileStore implements MlflowStore {
  readonly source: string;
  private readonly local: LocalArtifacts;

  /** `root` is absolute. Error: `FOREIGN_INVALID` where it is no file store. */
  constructor(
    private readonly root: string,
    also: readonly string[],
  ) {
    this.source = basename(root);
    this.local = new LocalArtifacts([root, ...also]);
    if (this.experiments().length > 0 || isDirectory(join(root, 'models'))) return;
    throw sourceInvalid(`'${root}' is no file store of MLflow: no directory in it has a meta.yaml of an experiment`);
  }

  async read(wish: MlflowWish): Promise<MlflowFacts> {
    const runs = this.experiments().flatMap(({ path, name }) =>
      this.runsOf(path, name).map((run) => ({ ...run, models: this.loggedModels(path, run.id) })),
    );
    const versions = this.versions();
    const wanted = wish.experiments.length + wish.models.length === 0;
    const byRun = new Map(runs.map((run) => [run.id, run]));
    const chosen = versions.filter(({ model, run }) => {
      if (wanted || wish.models.includes(model)) return true;
      const experiment = run === undefined ? undefined : byRun.get(run)?.experiment;
      return wish.models.length === 0 && experiment !== undefined && wish.experiments.includes(experiment);
    });
    const needed = new Set(chosen.map(({ run }) => run));
    return {
      versions: chosen,
      runs: runs.filter(({ id, experiment }) => wanted || wish.experiments.includes(experiment) || needed.has(id)),
    };
  }

  async history(run: MlflowRun): Promise<ReadonlyMap<string, readonly Point[]>> {
    // Its artifacts are a directory of this store, beside its metrics.
    const metrics = filesBelow(join(dirname(run.artifacts), 'metrics'));
    return new Map(metrics.map(([name, text]) => [name, pointsOf(text)]));
  }

  async list(artifacts: string, below: string): Promise<ArtifactEntry[] | undefined> {
    return this.local.list(artifacts, below);
  }

  async open(artifacts: string, below: string): Promise<ArtifactFile> {
    return this.local.open(artifacts, below);
  }

  close(): void {}

  private experiments(): { path: string; name: string }[] {
    return directoriesIn(this.root).flatMap((folder) => {
      const path = join(this.root, folder);
      const meta = folder === 'models' || folder.startsWith('.') ? undefined : readMeta(path);
      if (!meta || meta.lifecycle_stage === 'deleted') return [];
      const name = textOf(meta, 'name') ?? folder;
      return 'experiment_id' in meta ? [{ path, name }] : [];
    });
  }

  private runsOf(experiment: string, name: string): Omit<MlflowRun, 'models'>[] {
    return directoriesIn(experiment).flatMap((folder) => {
      const path = join(experiment, folder);
      const meta = ['models', 'traces', 'datasets'].includes(folder) ? undefined : readMeta(path);
      const id = meta && (textOf(meta, 'run_id') ?? textOf(meta, 'run_uuid'));
      if (!meta || id === undefined || meta.lifecycle_stage === 'deleted') return [];
      const tags = new Map(filesBelow(join(path, 'tags')));
      const runName = textOf(meta, 'run_name') ?? tags.get('mlflow.runName');
      const user = textOf(meta, 'user_id') ?? tags.get('mlflow.user');
      const metrics = filesBelow(join(path, 'metrics')).map(([key, text]) => [key, lastValue(text)] as const);
      return [
        {
          id,
          experiment: name,
          ...(runName !== undefined && { name: runName }),
          status: statusName(meta.status),
          ...(user !== undefined && { user }),
          ...numberOf('started', meta.start_time),
          ...numberOf('ended', meta.end_time),
          params: new Map(filesBelow(join(path, 'params'))),
          metrics: new Map(metrics),
          tags,
          artifacts: join(path, 'artifacts'),
        },
      ];
    });
  }

  private loggedModels(experiment: string, run: string): { name: string; artifacts: string }[] {
    const models = join(experiment, 'models');
    return directoriesIn(models).flatMap((folder) => {
      const meta = readMeta(join(models, folder));
      if (meta?.source_run_id !== run) return [];
      return [{ name: textOf(meta, 'name') ?? folder, artifacts: join(models, folder, 'artifacts') }];
    });
  }

  private versions(): MlflowVersion[] {
    const models = join(this.root, 'models');
    return directoriesIn(models).flatMap((folder) => {
      const meta = readMeta(join(models, folder));
      if (!meta) return [];
      const model = textOf(meta, 'name') ?? folder;
      const aliases = new Map<string, string[]>();
      for (const [alias, version] of filesBelow(join(models, folder, 'aliases'))) {
        aliases.set(version.trim(), [...(aliases.get(version.trim()) ?? []), alias]);
      }
      return directoriesIn(join(models, folder))
        .filter((name) => name.startsWith('version-'))
        .flatMap((name) => this.version(join(models, folder, name), { model, aliases }));
    });
  }

  private version(
    path: string,
    { model, aliases }: { model: string; aliases: ReadonlyMap<string, string[]> },
  ): MlflowVersion[] {
    const meta = readMeta(path);
    const version = meta && String(meta.version ?? '');
    if (!meta || !version || meta.current_stage === 'Deleted_Internal') return [];
    const run = textOf(meta, 'run_id');
    const stage = textOf(meta, 'current_stage');
    const description = textOf(meta, 'description');
    const user = textOf(meta, 'user_id');
    return [
      {
        model,
        version,
        ...numberOf('created', meta.creation_timestamp),
        ...(description !== undefined && { description }),
        ...(stage !== undefined && stage !== 'None' && { stage }),
        aliases: aliases.get(version) ?? [],
        tags: new Map(filesBelow(join(path, 'tags'))),
        status: textOf(meta, 'status') ?? 'READY',
        ...(user !== undefined && { user }),
        ...(run !== undefined && { run }),
        artifacts: this.resolve(
          textOf(meta, 'storage_location') ?? textOf(meta, 'source') ?? '',
          textOf(meta, 'model_id'),
        ),
      },
    ];
  }

  /** `runs:/…` and `models:/m-…` as paths of this store. */
  private resolve(uri: string, modelId: string | undefined): string {
    const run = /^runs:\/+([0-9a-f]{32})(\/.*)?$/.exec(uri);
    const logged = /^models:\/+(m-[0-9a-f]{32})$/.exec(uri)?.[1] ?? (uri === '' ? modelId : undefined);
    for (const { path } of this.experiments()) {
      if (run && isDirectory(join(path, run[1] as string))) {
        return `${join(path, run[1] as string, 'artifacts')}${run[2] ?? ''}`;
      }
      if (logged !== undefined && isDirectory(join(path, 'models', logged))) {
        return join(path, 'models', logged, 'artifacts');
      }
    }
    return uri;
  }
}

/** The meta.yaml of a directory; undefined where there is none. Error: `FOREIGN_INVALID`. */
function readMeta(directory: string): Record<string, unknown> | undefined {
  const path = join(directory, 'meta.yaml');
  const found = readTextFile(path, META_LIMIT + 1);
  if (!found || 'link' in found) return undefined;
  try {
    return readYamlMapping(found.text, META_LIMIT);
  } catch (error) {
    if (error instanceof YamlProblem) throw sourceInvalid(`'${path}' cannot be read: ${error.message}`, error);
    throw error;
  }
}

function textOf(meta: Record<string, unknown>, key: string): string | undefined {
  const value = meta[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf<K extends string>(key: K, value: unknown): { [P in K]?: number } {
  return typeof value === 'number' && Number.isFinite(value) ? ({ [key]: value } as { [P in K]?: number }) : {};
}

function lastValue(text: string): number {
  return latestPoint(pointsOf(text))?.value ?? Number.NaN;
}

/** Lines of `<time> <value> <step>`. */
function pointsOf(text: string): Point[] {
  return text.split('\n').flatMap((line): Point[] => {
    const [time = '', value = '', step = '0'] = line.trim().split(/\s+/);
    return value === '' ? [] : [{ time: Number(time), value: Number(value), step: Number(step) }];
  });
}

/** Names and texts of the files below a directory; no link is followed. */
function filesBelow(directory: string, prefix = '', level = 0): [name: string, text: string][] {
  if (!isDirectory(directory) || level > LEVELS) return [];
  const found: [string, string][] = [];
  for (const entry of namesIn(directory)) {
    const path = join(directory, entry);
    if (isDirectory(path)) found.push(...filesBelow(path, `${prefix}${entry}/`, level + 1));
    else {
      const read = readTextFile(path, FILE_LIMIT);
      if (read && 'text' in read) found.push([`${prefix}${entry}`, read.text.replace(/\n$/, '')]);
    }
    if (found.length > NAMES) throw sourceInvalid(`'${directory}' has more than ${NAMES} names in it`);
  }
  return found;
}

function directoriesIn(directory: string): string[] {
  if (!isDirectory(directory)) return [];
  return namesIn(directory).filter((name) => isDirectory(join(directory, name)));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    throw fileSystemError('list', directory, error);
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
