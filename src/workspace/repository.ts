import type { LinkMode } from '../core/link-mode.js';
import type { Git, RepositoryLayout } from '../git/git.js';
import type { ObjectCache } from '../objects/cache.js';
import type { HashFunction } from '../objects/hash.js';
import type { CacheUse } from './cache-use.js';
import type { StatIndex } from './stat-index.js';

/** Settings of the layers at and below the workspace, as the configuration levels leave them. */
export interface WorkspaceSettings {
  linkModes: readonly LinkMode[];
  /** Hash objects on checkout also where they are linked. */
  verify: boolean;
  /** `mlv add` stages pointers in Git without being asked. */
  stage: boolean;
}

/** An open repository: everything that a command of the workspace works on. */
export interface Repository {
  readonly layout: RepositoryLayout;
  readonly git: Git;
  readonly hash: HashFunction;
  readonly cache: ObjectCache;
  readonly index: StatIndex;
  readonly settings: WorkspaceSettings;
  /** This process' word that it works with the cache; absent where nobody collects beside it. */
  readonly use?: CacheUse;
}
