import { MlvError } from '../core/errors.js';
import { openGit } from '../git/open.js';
import { retainedRoots } from '../registry/retained-roots.js';
import type { LiveRoot } from '../transfer/collection-mark.js';
import { collectGitRoots } from '../transfer/collection-roots.js';
import { linkedObjects } from '../transfer/drop.js';
import { otherTenants, type Tenant } from '../workspace/cache-tenants.js';
import type { OpenRepository } from './context.js';
import type { Session } from './session.js';
import { today } from './today.js';

/** Variables that tie Git to the repository that this command was called in. */
const TIES = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_OBJECT_DIRECTORY'];

/**
 * Everything that the other repositories need which share this cache: all that their Git and their registries lead to, and
 * what links of their working trees lead to. Error: `HISTORY_INCOMPLETE` where one of them cannot be read in full.
 */
export async function neededByOthers(session: Session, repository: OpenRepository): Promise<LiveRoot[]> {
  const roots: LiveRoot[] = [];
  for (const tenant of otherTenants(repository.cache.directory, repository.layout))
    for (const root of await neededBy(session, repository, tenant)) roots.push(root);
  return roots;
}

async function neededBy(session: Session, { cache }: OpenRepository, tenant: Tenant): Promise<LiveRoot[]> {
  const env = { ...session.env };
  for (const name of TIES) delete env[name];
  try {
    const git = await openGit(tenant.worktree, { env });
    const { layout } = git;
    if (layout.commonDir !== tenant.commonDir) throw new Error(`there is another repository in '${tenant.worktree}'`);
    const retained = () => retainedRoots(git, { remoteTips: [], ignoreUnreadable: false, today: today() });
    const found = await collectGitRoots({ git, layout }, { offline: true, shallow: true, retained });
    const links = linkedObjects(cache, await git.worktrees());
    return [...found.roots, ...links.map((hex) => ({ oid: cache.oid(hex), path: '', directory: false }))];
  } catch (error) {
    throw cannotRead(tenant, error);
  }
}

function cannotRead({ file, worktree }: Tenant, cause: unknown): MlvError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `the repository '${worktree}' shares this cache and cannot be read, so what it needs is not known: ${reason}`;
  return new MlvError('HISTORY_INCOMPLETE', message, {
    hint: `run this as somebody who may read it (Git: safe.directory); where it is gone for good, remove '${file}'`,
    data: { worktree, file },
    cause,
  });
}
