import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Of } from './digest.js';
import type { LoadedModel } from './model-files.js';
import type { ModelState, ModelSummary, PlacedEvent } from './registry.js';

/** Raised whenever what is derived from the registry's files, or how it is kept, changes. */
const FORMAT = 3;
const OBJECT_NAME = /^[0-9a-f]{40,64}$/;

/** What a commit of the branch holds, as far as it is known without Git. */
export interface CachedTip {
  tip: string;
  /** Name of the Git tree of each model's folder. */
  models: [name: string, tree: string][];
}

/** A model's state with what belongs to it. */
export type CachedState = Pick<LoadedModel, 'state' | 'manifests'>;

/**
 * What was derived from the registry's files, kept below the common Git directory. A model's state is kept under the name
 * of the Git tree that it was derived from, so it cannot be stale; a checksum finds what was cut off or damaged, and
 * whatever cannot be read counts as absent. Nothing here is trusted when something is decided (see write.ts): whoever
 * may write below the Git directory could as well move the branch itself.
 */
export class StateCache {
  constructor(private readonly directory: string) {}

  /** The commit that was looked at last. */
  tip(): CachedTip | undefined {
    return this.read<CachedTip>('tip', 'tip');
  }

  /** Keeps what a commit holds, and drops states that belong to no model of it. */
  putTip(tip: CachedTip): void {
    if (!this.write('tip', 'tip', tip)) return;
    const kept = new Set(tip.models.map(([, tree]) => tree));
    for (const name of this.names()) {
      const [tree = '', part] = name.split('.');
      if (OBJECT_NAME.test(tree) && (part === 'state' || part === 'events') && !kept.has(tree)) this.remove(name);
    }
  }

  state(tree: string): CachedState | undefined {
    const found = this.read<PlainModel>(`${tree}.state`, tree);
    if (!found) return undefined;
    const { versions, stages, held, manifests, ...rest } = found;
    const state = { ...rest, versions: new Map(versions), stages: new Map(stages), held: new Map(held) };
    return { state, manifests: new Map(manifests) };
  }

  /** Whether a state is kept; it may turn out to be damaged. */
  has(tree: string): boolean {
    return existsSync(join(this.directory, `${tree}.state`));
  }

  events(tree: string): PlacedEvent[] | undefined {
    return this.read<PlacedEvent[]>(`${tree}.events`, tree);
  }

  putModel(tree: string, { state, events, manifests }: LoadedModel): void {
    const { versions, stages, held, ...rest } = state;
    const maps = { versions: [...versions], stages: [...stages], held: [...held], manifests: [...manifests] };
    if (this.write(`${tree}.events`, tree, events)) this.write(`${tree}.state`, tree, { ...rest, ...maps });
  }

  /** The summaries of a commit's models, where they are those that were asked for last. */
  summaries(tip: string): ModelSummary[] | undefined {
    return this.read<ModelSummary[]>('summaries', tip);
  }

  putSummaries(tip: string, summaries: readonly ModelSummary[]): void {
    this.write('summaries', tip, summaries);
  }

  private read<T>(name: string, key: string): T | undefined {
    try {
      const text = readFileSync(join(this.directory, name), 'utf8');
      const end = text.indexOf('\n');
      const body = text.slice(end + 1);
      return text.slice(0, end) === header(key, body) ? (JSON.parse(body) as T) : undefined;
    } catch {
      // Absent, unreadable, or being replaced at this moment: it is derived again.
      return undefined;
    }
  }

  private write(name: string, key: string, value: unknown): boolean {
    const body = JSON.stringify(value);
    const temporary = join(this.directory, `.${name}.${process.pid}`);
    try {
      mkdirSync(this.directory, { recursive: true });
      writeFileSync(temporary, `${header(key, body)}\n${body}`);
      renameSync(temporary, join(this.directory, name));
      return true;
    } catch {
      // A disk that is full or read-only costs time at the next look, and nothing else.
      this.remove(`.${name}.${process.pid}`);
      return false;
    }
  }

  private names(): string[] {
    try {
      return readdirSync(this.directory);
    } catch {
      return [];
    }
  }

  private remove(name: string): void {
    try {
      rmSync(join(this.directory, name), { force: true });
    } catch {
      // It stays, and is never read again.
    }
  }
}

type PlainModel = Pick<ModelState, 'name' | 'meta'> & {
  versions: [string, NonNullable<ReturnType<ModelState['versions']['get']>>][];
  stages: [string, NonNullable<ReturnType<ModelState['stages']['get']>>][];
  held: [string, NonNullable<ReturnType<ModelState['held']['get']>>][];
  manifests: [string, string][];
};

function header(key: string, body: string): string {
  return `mlv registry cache ${FORMAT} ${key} ${sha256Of(body)}`;
}
