import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { configPaths } from '../../config/levels.js';
import { loadElsewhereConfig } from '../../config/load.js';
import { isMlvError } from '../../core/errors.js';
import { type ElsewhereGit, openElsewhereGit } from '../../git/elsewhere.js';
import { type ElsewhereAddress, elsewhereAddress } from '../../git/elsewhere-address.js';
import { ObjectCache } from '../../objects/cache.js';
import { loadHash } from '../../objects/hash.js';
import { CacheUse } from '../../workspace/cache-use.js';
import { type CommittedFile, isRegular } from '../../workspace/elsewhere-path.js';
import { StatIndex } from '../../workspace/stat-index.js';
import { type OpenRepository, openConfig } from '../context.js';
import type { Session } from '../session.js';
import { fetchRevision } from './revision.js';

/** What of a repository elsewhere is wanted, before anything of it is known. */
export interface ElsewhereRequest {
  /** As the user typed it. */
  url: string;
  /** Branch, tag or commit, or a version of its registry for its commit; the default branch where undefined. */
  revision: string | undefined;
  /** Whether the registry may be needed. */
  registry: boolean;
  /** Absolute path of a directory that is this command's own. */
  directory: string;
  /** Where relative paths of repositories start, absolute; the current directory by default. */
  base?: string;
  /** Which contents of Git are needed of the commit's files; `mlv.yaml` comes in any case. */
  choose: (files: readonly CommittedFile[]) => readonly CommittedFile[];
  /** The repository whose cache takes the objects where it names them by the same algorithm; else a temporary one does. */
  own?: OpenRepository;
}

/** Somebody else's repository, read at one commit, without a clone. */
export interface ElsewhereRepository extends OpenRepository {
  readonly elsewhere: ElsewhereGit;
  readonly address: ElsewhereAddress;
  readonly commit: string;
  /** Tip of its registry's branch, where it was asked for and is there. */
  readonly registryTip: string | undefined;
  /** All files of the commit. */
  readonly files: readonly CommittedFile[];
  /**
   * Takes a temporary cache away, and nothing where it is somebody's: what was checked out of it by hard links is single
   * then, and need not be copied to be the user's own. Never fails.
   */
  dropCache(): void;
}

const PROJECT_FILE = 'mlv.yaml';

/**
 * Reads as much of a repository elsewhere as a request needs: its commit, the contents chosen, its `mlv.yaml`. Its working
 * tree is an empty directory, `tree` below the request's. Errors: those of elsewhereAddress, fetchRevision, ElsewhereGit and
 * loadElsewhereConfig.
 */
export async function openElsewhere(session: Session, request: ElsewhereRequest): Promise<ElsewhereRepository> {
  const { directory, revision, choose } = request;
  const address = elsewhereAddress(request.url, request.base ?? session.cwd);
  const interactive = !session.globals.json && process.stdin.isTTY === true;
  const elsewhere = await openElsewhereGit(address, {
    env: session.env,
    directory,
    interactive,
    signal: session.signal,
  });
  const phase = session.reporter.phase('Asking Git');
  try {
    const { commit, registry } = await fetchRevision(elsewhere, revision, request);
    const files = await elsewhere.git.plumbing.listTree(commit, []);
    const project = files.find((file) => file.path === PROJECT_FILE && isRegular(file));
    const wanted = [...choose(files), ...(project ? [project] : [])];
    await elsewhere.fetchBlobs(
      commit,
      wanted.map(({ blob }) => blob),
    );
    const text = project && (await elsewhere.git.readBlobs([project.blob])).get(project.blob)?.toString('utf8');
    const repository = await openAs(session, { request, elsewhere, address, text });
    const dropCache = (): void => dropTemporary(repository.cache.directory, directory);
    return { ...repository, elsewhere, address, commit, registryTip: registry, files, dropCache };
  } finally {
    phase.end();
  }
}

async function openAs(
  session: Session,
  {
    request,
    elsewhere,
    address,
    text,
  }: { request: ElsewhereRequest; elsewhere: ElsewhereGit; address: ElsewhereAddress; text: string | undefined },
): Promise<OpenRepository> {
  const { env, home, globals } = session;
  const paths = configPaths({ env, home });
  const config = await loadElsewhereConfig(
    { paths, environment: env, flags: globals.settings },
    {
      text,
      name: `${PROJECT_FILE} of ${address.shown}`,
      base: address.local?.replace(/[/\\]\.git[/\\]?$/, ''),
      trustedEndpoints: await trustedEndpoints(session),
    },
  );
  const hash = await loadHash(config.project?.hash ?? 'blake3', config.core.hashImplementation);
  const own = request.own?.hash.algorithm === hash.algorithm ? request.own : undefined;
  const cache = own?.cache ?? new ObjectCache(temporaryCache(request.directory), hash);
  const layout = { ...elsewhere.git.layout, worktree: join(request.directory, 'tree') };
  return {
    layout,
    git: elsewhere.git,
    hash,
    cache,
    use: own?.use ?? new CacheUse(cache.directory),
    index: new StatIndex(layout.gitDir, hash),
    // A temporary cache goes away: its objects may become the files, which are made writable and single afterwards.
    settings: { linkModes: own ? ['reflink', 'copy'] : ['hardlink', 'copy'], verify: false, stage: false },
    config,
    paths,
  };
}

function temporaryCache(directory: string): string {
  return join(directory, 'cache');
}

function dropTemporary(cache: string, directory: string): void {
  if (cache !== temporaryCache(directory)) return;
  try {
    rmSync(cache, { recursive: true, force: true });
  } catch {
    // What is left is copied, and goes with the directory.
  }
}

/** Endpoints of the user's own: of the repository here, where there is one, and of the environment. */
async function trustedEndpoints(session: Session): Promise<string[]> {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = session.env;
  const endpoints = [AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL];
  try {
    const { config } = await openConfig(session);
    for (const { endpoint } of config.remotes.values()) endpoints.push(endpoint);
  } catch (error) {
    // What is wrong with the repository here is no concern of a command that does not use it.
    if (!isMlvError(error)) throw error;
  }
  return endpoints.filter((each) => each !== undefined && each !== '') as string[];
}

/** Does some work with a directory of its own, which is taken away afterwards. */
export async function withScratch<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
