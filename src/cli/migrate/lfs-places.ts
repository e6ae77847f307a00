import { isAbsolute, join, resolve } from 'node:path';
import { MlvError } from '../../core/errors.js';
import type { RepositoryLayout } from '../../git/git.js';
import type { GitRewriting } from '../../git/rewriting.js';
import { type LfsEndpoint, lfsEndpoint } from '../../interop/lfs-endpoint.js';
import type { OpenRepository } from '../context.js';

/** Directories of this machine where Git LFS may have objects, laid out as lfsObjectPath says. */
export async function objectPlaces(
  { commonDir, worktree }: RepositoryLayout,
  git: GitRewriting,
  endpoint: LfsEndpoint | undefined,
): Promise<string[]> {
  const storage = (await git.config('lfs.storage')).at(-1);
  const own = storage === undefined ? join(commonDir, 'lfs') : isAbsolute(storage) ? storage : join(commonDir, storage);
  const places = [join(own, 'objects')];
  if (endpoint?.kind !== 'directory') return places;
  const other = resolve(worktree, endpoint.path);
  return [...places, join(other, 'lfs', 'objects'), join(other, '.git', 'lfs', 'objects'), `${other}.git/lfs/objects`];
}

/**
 * Where the server of Git LFS is; undefined where nothing names one. Git's own configuration counts before `lfsconfig`,
 * the text of the committed `.lfsconfig`; `remote` is the Git remote that the user named. Error: `REMOTE_NOT_CONFIGURED`
 * where Git has no such remote.
 */
export async function endpointOf(
  { git: own }: OpenRepository,
  git: GitRewriting,
  { remote, lfsconfig }: { remote: string | undefined; lfsconfig: string | undefined },
): Promise<LfsEndpoint | undefined> {
  const settings = new Map(await git.configMatching('^(lfs|remote|branch)\\..*'));
  const committed = new Map(lfsconfig === undefined ? [] : await git.configOfText(lfsconfig));
  const branch = await own.branch();
  const names = (await own.plumbing.remotes()).all;
  if (remote !== undefined && !names.includes(remote)) {
    throw new MlvError('REMOTE_NOT_CONFIGURED', `Git has no remote '${remote}'`, {
      hint: 'git remote -v lists them',
    });
  }
  const chosen =
    remote ??
    settings.get(`branch.${branch}.remote`) ??
    settings.get('remote.lfsdefault') ??
    (names.includes('origin') || names.length !== 1 ? 'origin' : names[0]);
  return lfsEndpoint({
    url: settings.get('lfs.url') ?? committed.get('lfs.url'),
    remoteLfsUrl: settings.get(`remote.${chosen}.lfsurl`) ?? committed.get(`remote.${chosen}.lfsurl`),
    remoteUrl: settings.get(`remote.${chosen}.url`),
  });
}
