import { createHash, randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { type ConfigPaths, configPaths } from '../config/levels.js';
import { loadConfig } from '../config/load.js';
import type { Project } from '../config/project-format.js';
import { isMlvError, MlvError } from '../core/errors.js';
import type { Git } from '../git/git.js';
import { openGit } from '../git/open.js';
import { ObjectCache } from '../objects/cache.js';
import { loadHash } from '../objects/hash.js';
import { cacheMoved, movedTo } from '../workspace/cache-moved.js';
import { registerTenant } from '../workspace/cache-tenants.js';
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

/** Git for the repository of the current directory. Errors: those of openGit. */
function openGitOf({ cwd, env, search }: Session): Promise<Git> {
  return search?.cwd === cwd && search.env === env ? search.git : openGit(cwd, { env });
}

/**
 * Opens the repository of the current directory. Errors: `NOT_INITIALISED`, those of openGit, of loadConfig and of
 * loadHash.
 */
export async function openRepository(
  session: Session,
  flags: Record<string, string | undefined> = {},
): Promise<OpenRepository> {
  const git = await openGitOf(session);
  const { use, config, paths } = await configureCache(session, { git, flags });
  if (!config.project) {
    throw new MlvError('NOT_INITIALISED', `mlv is not in use yet in '${git.layout.worktree}'`, {
      hint: 'start with: mlv init',
      data: { worktree: git.layout.worktree },
    });
  }
  return opened({ git, use, config, paths, hash: config.project.hash });
}

async function opened({
  git,
  use,
  config,
  paths,
  hash: algorithm,
}: {
  git: Git;
  use: CacheUse;
  config: Config;
  paths: ConfigPaths;
  hash: Project['hash'];
}): Promise<OpenRepository> {
  const hash = await loadHash(algorithm, config.core.hashImplementation);
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
    if (moved === undefined) {
      registerTenant(use.directory, where.git.layout);
      return { use, ...configured };
    }
    use.end();
    if (attempt > 0) throw cacheMoved(use.directory, moved);
  }
}

/**
 * As openRepository, but a repository in which mlv is not in use yet is opened, too, with a project that nothing was
 * written of so far: the caller writes it into `mlv.yaml`. Its id follows from the first commits, so that who does the
 * same in another clone gets the same.
 */
export async function openOrBegin(session: Session): Promise<OpenRepository & { project: Project }> {
  const git = await openGitOf(session);
  const { use, config, paths } = await configureCache(session, { git, flags: {} });
  const project = config.project ?? { format: 1, hash: 'blake3', repository: await repositoryIdOf(git) };
  return { ...(await opened({ git, use, config, paths, hash: project.hash })), project };
}

async function repositoryIdOf(git: Git): Promise<string> {
  const head = await git.head();
  const roots = head === undefined ? [] : await (await git.rewriting()).roots(head);
  if (roots.length === 0) return randomUUID();
  const hex = createHash('sha256')
    .update(`mlv repository\n${roots.join('\n')}`)
    .digest('hex');
  // Version 8 of RFC 9562: made of what the program likes.
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** The configuration of the current directory, inside a repository or not, initialised or not. Errors as loadConfig. */
export async function openConfig(session: Session): Promise<Surroundings> {
  const git = await openGitOf(session).catch((error: unknown) => {
    if (isMlvError(error, 'NOT_A_GIT_REPOSITORY') || isMlvError(error, 'WORKTREE_MISSING')) return undefined;
    throw error;
  });
  return { git, ...(await configure(session, { git, flags: {} })) };
}

/** What to tell where openConfig found no repository and one is needed; `hint` says what for. */
export async function noRepository(session: Session, hint: string): Promise<MlvError> {
  const error: unknown = await openGitOf(session).catch((reason: unknown) => reason);
  // A bare repository is one, but nothing that could be worked in.
  if (isMlvError(error, 'WORKTREE_MISSING')) return error;
  const { cwd } = session;
  const message = `'${cwd}' is not inside a Git repository`;
  return new MlvError('NOT_A_GIT_REPOSITORY', message, { hint, data: { path: cwd } });
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
