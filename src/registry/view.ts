import { isMlvError, MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import type { TreeFile } from '../git/plumbing.js';
import { sha256Of } from './digest.js';
import { manifestPath, metaPath, modelPath, POLICY_PATH, parseRegistryPath } from './layout.js';
import type { Manifest } from './manifest.js';
import { parseManifest } from './manifest-format.js';
import {
  blobsOf,
  type Earlier,
  filesOf,
  type LoadedModel,
  loadModel,
  type ModelFiles,
  sortModelFiles,
} from './model-files.js';
import { summarizeModel } from './model-summary.js';
import { DEFAULT_POLICY, type Policy } from './policy.js';
import { parsePolicy } from './policy-format.js';
import type { ModelState, ModelSummary, PlacedEvent, RegistryView } from './registry.js';
import { invalidFile } from './shape.js';
import type { CachedState, StateCache } from './state-cache.js';

/** How a view reads. */
export interface ViewOptions {
  git: Git;
  /** Where derived state is kept; absent where every file must be read. */
  cache?: StateCache;
  /** Keep what is read for the next look: for the branch's tip. */
  keep?: boolean;
}

/** The registry as one commit of its branch has it; `undefined` where there is no registry. */
export function registryView(commit: string | undefined, options: ViewOptions): RegistryView {
  return commit === undefined ? EMPTY : new CommitView(commit, options);
}

const EMPTY: RegistryView = {
  tip: undefined,
  models: async () => [],
  model: async () => undefined,
  allModels: async () => [],
  summaries: async () => [],
  manifest: async (model, version) => {
    throw versionUnknown(model, version);
  },
  events: async () => [],
  policy: async () => DEFAULT_POLICY,
  policyText: async () => undefined,
};

class CommitView implements RegistryView {
  private readonly loaded = new Map<string, Promise<LoadedModel | undefined>>();
  private readonly states = new Map<string, CachedState>();
  private ownPolicy: Promise<string | undefined> | undefined;
  private trees: Promise<Map<string, string>> | undefined;

  constructor(
    readonly tip: string,
    private readonly options: ViewOptions,
  ) {}

  async models(): Promise<string[]> {
    return [...(await this.modelTrees()).keys()].sort();
  }

  async model(name: string): Promise<ModelState | undefined> {
    return (await this.state(name))?.state;
  }

  async allModels(): Promise<ModelState[]> {
    const names = await this.models();
    const trees = await this.modelTrees();
    const missing = names.filter((name) => !this.loaded.has(name) && !this.cachedState(name, trees.get(name)));
    if (missing.length > 1) {
      const all = this.load(missing);
      for (const name of missing) {
        this.loaded.set(
          name,
          all.then((models) => models.get(name)),
        );
      }
      await all;
    }
    const states: ModelState[] = [];
    for (const name of names) states.push((await this.model(name)) as ModelState);
    return states;
  }

  async summaries(): Promise<ModelSummary[]> {
    const { cache, keep } = this.options;
    const known = cache?.summaries(this.tip);
    if (known) return known;
    const summaries = (await this.allModels()).map(summarizeModel);
    if (keep) cache?.putSummaries(this.tip, summaries);
    return summaries;
  }

  async manifest(model: string, version: string): Promise<Manifest> {
    const found = await this.state(model);
    const state = found?.state.versions.get(version);
    const blob = found?.manifests.get(version);
    if (!state || blob === undefined) throw versionUnknown(model, version);
    const bytes = (await this.options.git.readBlobs([blob])).get(blob) as Buffer;
    const file = { path: manifestPath(model, version), commit: this.tip };
    if (sha256Of(bytes) !== state.manifest) {
      throw invalidFile({ kind: 'a manifest', ...file }, 'it is not the one that was registered');
    }
    return parseManifest(bytes.toString('utf8'), file);
  }

  async events(name: string): Promise<PlacedEvent[]> {
    const tree = (await this.modelTrees()).get(name);
    if (tree === undefined) return [];
    const cached = this.loaded.has(name) ? undefined : this.options.cache?.events(tree);
    return cached ?? (await this.full(name))?.events ?? [];
  }

  async policy(): Promise<Policy> {
    const text = await this.policyText();
    return text === undefined ? DEFAULT_POLICY : parsePolicy(text, { path: POLICY_PATH, commit: this.tip });
  }

  policyText(): Promise<string | undefined> {
    this.ownPolicy ??= this.readPolicyText();
    return this.ownPolicy;
  }

  private async readPolicyText(): Promise<string | undefined> {
    const { git } = this.options;
    const [file] = await git.plumbing.listTree(this.tip, [POLICY_PATH]);
    if (!file) return undefined;
    if (file.path !== POLICY_PATH || !file.mode.startsWith('100')) {
      const at = { kind: 'a policy', path: POLICY_PATH, commit: this.tip };
      throw invalidFile(at, 'it is a directory, a link or a submodule');
    }
    return (await git.readBlobs([file.blob])).get(file.blob)?.toString('utf8');
  }

  /** The Git tree of each model's folder. */
  private modelTrees(): Promise<Map<string, string>> {
    this.trees ??= this.readTrees();
    return this.trees;
  }

  private async readTrees(): Promise<Map<string, string>> {
    const { cache, git } = this.options;
    const known = cache?.tip();
    if (known?.tip === this.tip) return new Map(known.models);
    const folders = await git.plumbing.listFolders(this.tip, 'models');
    for (const { path } of folders) {
      const found = parseRegistryPath(`${path}/model.yaml`);
      if (found.kind === 'wrong') throw invalidFile({ kind: 'a model', path, commit: this.tip }, found.reason);
    }
    return new Map(folders.map(({ path, tree }) => [path.slice('models/'.length), tree]));
  }

  private async state(name: string): Promise<CachedState | undefined> {
    const trees = await this.modelTrees();
    const tree = trees.get(name);
    if (tree === undefined) return undefined;
    if (this.loaded.has(name)) return this.full(name);
    return this.cachedState(name, tree) ?? (await this.full(name));
  }

  private cachedState(name: string, tree: string | undefined): CachedState | undefined {
    const known = this.states.get(name);
    if (known || tree === undefined) return known;
    const found = this.options.cache?.state(tree);
    if (found?.state.name !== name) return undefined;
    this.states.set(name, found);
    return found;
  }

  private full(name: string): Promise<LoadedModel | undefined> {
    const known = this.loaded.get(name) ?? this.load([name]).then((models) => models.get(name));
    this.loaded.set(name, known);
    return known;
  }

  /** Reads models, from what was known of them at an older commit where that is kept. */
  private async load(names: readonly string[]): Promise<Map<string, LoadedModel>> {
    const trees = await this.modelTrees();
    const earlier = this.earlier(names);
    const since = earlier.size > 0 ? await this.filesSince(names, earlier) : new Map<string, ModelFiles>();
    const whole = names.filter((name) => trees.has(name) && !since.has(name));
    const files = whole.length > 0 ? await this.allFiles(whole) : new Map<string, ModelFiles>();
    const wanted = [...since, ...files];
    const blobs = await this.readFiles(wanted.map(([, each]) => each));
    const models = new Map<string, LoadedModel>();
    for (const [name, each] of wanted) {
      const before = since.has(name) ? { earlier: earlier.get(name) } : {};
      models.set(name, loadModel(name, each, { blobs, commit: this.tip, ...before }));
    }
    this.keep(models, trees);
    return models;
  }

  private async readFiles(models: readonly ModelFiles[]): Promise<Map<string, Buffer>> {
    try {
      return await this.options.git.readBlobs(models.flatMap(blobsOf));
    } catch (error) {
      const tooLong = isMlvError(error, 'GIT_FAILED') ? error.data.tooLong : undefined;
      const file = models.flatMap(filesOf).find(({ blob }) => blob === tooLong);
      if (!file) throw error;
      throw invalidFile(
        { kind: 'a file of the registry', path: file.path, commit: this.tip },
        'it is far too long',
        error,
      );
    }
  }

  private keep(models: ReadonlyMap<string, LoadedModel>, trees: ReadonlyMap<string, string>): void {
    const { cache, keep } = this.options;
    if (!cache || !keep) return;
    for (const [name, model] of models) cache.putModel(trees.get(name) as string, model);
    const before = cache.tip();
    if (before?.tip === this.tip) return;
    // A model that was not looked at keeps its older state, from which the next look goes on.
    if (!before || [...trees.values()].every((tree) => cache.has(tree)))
      cache.putTip({ tip: this.tip, models: [...trees] });
  }

  /** What the cache knows of models at an older commit. */
  private earlier(names: readonly string[]): Map<string, LoadedModel> {
    const { cache } = this.options;
    const trees = new Map(cache?.tip()?.models);
    const found = new Map<string, LoadedModel>();
    for (const name of names) {
      const tree = trees.get(name);
      const state = tree === undefined ? undefined : cache?.state(tree);
      const events = tree === undefined ? undefined : cache?.events(tree);
      if (state && events && state.state.name === name) found.set(name, { ...state, events });
    }
    return found;
  }

  /** The files that came since an older commit, for those models to which files were only added. */
  private async filesSince(
    names: readonly string[],
    earlier: ReadonlyMap<string, NonNullable<Earlier>>,
  ): Promise<Map<string, ModelFiles>> {
    const from = this.options.cache?.tip()?.tip as string;
    const paths = names.length === 1 ? names.map(modelPath) : ['models'];
    const changes = await this.options.git.plumbing.diffTrees(from, this.tip, paths).catch((error: unknown) => {
      // The older commit may be gone from Git.
      if (isMlvError(error, 'GIT_FAILED')) return undefined;
      throw error;
    });
    if (!changes) return new Map();
    const rewritten = new Set<string>();
    for (const { path, kind } of changes) {
      const model = path.split('/')[1] as string;
      if (kind !== 'added' && !(kind === 'changed' && path === metaPath(model))) rewritten.add(model);
    }
    const asked = new Set(names.filter((name) => earlier.has(name) && !rewritten.has(name)));
    const files = changes.filter(({ path }) => asked.has(path.split('/')[1] as string));
    const sorted = sortModelFiles(files, this.tip);
    return new Map([...asked].map((name) => [name, sorted.get(name) ?? NO_FILES]));
  }

  private async allFiles(names: readonly string[]): Promise<Map<string, ModelFiles>> {
    const paths = names.length === 1 ? names.map(modelPath) : ['models'];
    const asked = new Set(names);
    const listed: TreeFile[] = await this.options.git.plumbing.listTree(this.tip, paths);
    const files = listed.filter(({ path }) => asked.has(path.split('/')[1] as string));
    const sorted = sortModelFiles(files, this.tip);
    return new Map(names.map((name) => [name, sorted.get(name) ?? NO_FILES]));
  }
}

const NO_FILES: ModelFiles = { meta: undefined, manifests: [], events: [] };

function versionUnknown(model: string, version: string): MlvError {
  return new MlvError('VERSION_UNKNOWN', `the registry has no ${model}@${version}`, {
    hint: `what there is: mlv list ${model}`,
    data: { model, version },
  });
}
