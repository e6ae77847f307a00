import type { Config } from '../config/config.js';
import { type ConfigPaths, configPaths } from '../config/levels.js';
import { loadConfig } from '../config/load.js';
import { isMlvError, MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import { openGit } from '../git/open.js';
import { ObjectCache } from '../objects/cache.js';
import { loadHash } from '../objects/hash.js';
import { cacheMoved, movedTo } from '../workspace/cache-moved.js';
import { CacheUse } from '../workspace/cache-use.js';
import type { Repository } from '../workspace/repository.js';
import { StatIndex } from '../workspace/stat-index.js';
import type { Session } from './session.js';

/** The configuration in force, with the repository where there is one. */
export interface Surroundings {
  git: Git | undefined;
  config: Config;
  paths: ConfigPaths;
}

/** A repository in which `mlv init` was run, open. */
export interface OpenRepository extends Repository {
  readonly config: Config;
  readonly paths: ConfigPaths;
  readonly use: CacheUse;
}

/**
 * Opens the repository of the current directory. Errors: `NOT_INITIALISED`, those of openGit, of loadConfig and of
 * loadHash.
 */
export async function openRepository(
  session: Session,
  flags: Record<string, string | undefined> = {},
): Promise<OpenRepository> {
  const git = await openGit(session.cwd, { env: session.env });
  const { use, config, paths } = await configureCache(session, { git, flags });
  if (!config.project) {
    throw new MlvError('NOT_INITIALISED', `mlv is not in use yet in '${git.layout.worktree}'`, {
      hint: 'start with: mlv init',
      data: { worktree: git.layout.worktree },
    });
  }
  const hash = await loadHash(config.project.hash, config.core.hashImplementation);
  return {
    layout: git.layout,
    git,
    hash,
    cache: new ObjectCache(config.cache.dir, hash),
    index: new StatIndex(git.layout.gitDir, hash),
    settings: { linkModes: config.cache.link, verify: config.core.verify, stage: config.core.stage },
    config,
    paths,
    use,
  };
}

/**
 * The configuration with the cache that it names, which is in use from here on to the end of the verb. Read once more
 * where the cache was moved before that. Error: `CACHE_MOVED`.
 */
async function configureCache(
  session: Session,
  where: { git: Git; flags: Record<string, string | undefined> },
): Promise<{ use: CacheUse; config: Config; paths: ConfigPaths }> {
  for (let attempt = 0; ; attempt++) {
    const configured = await configure(session, where);
    const use = new CacheUse(configured.config.cache.dir);
    session.atEnd(() => use.end());
    await use.begin(() => session.reporter.note('waiting for a collection of the cache to end'));
    const moved = movedTo(use.directory);
    if (moved === undefined) return { use, ...configured };
    use.end();
    if (attempt > 0) throw cacheMoved(use.directory, moved);
  }
}

/** The configuration of the current directory, inside a repository or not, initialised or not. Errors as loadConfig. */
export async function openConfig(session: Session): Promise<Surroundings> {
  const git = await openGit(session.cwd, { env: session.env }).catch((error: unknown) => {
    if (isMlvError(error, 'NOT_A_GIT_REPOSITORY') || isMlvError(error, 'WORKTREE_MISSING')) return undefined;
    throw error;
  });
  return { git, ...(await configure(session, { git, flags: {} })) };
}

async function configure(
  session: Session,
  { git, flags }: { git: Git | undefined; flags: Record<string, string | undefined> },
): Promise<{ config: Config; paths: ConfigPaths }> {
  const { env, home, globals } = session;
  const paths = configPaths({ env, home, ...(git && { repository: git.layout }) });
  const config = await loadConfig({ paths, environment: env, flags: { ...globals.settings, ...flags } });
  return { config, paths };
}
