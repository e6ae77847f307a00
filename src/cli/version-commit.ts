import { isMlvError } from '../core/errors.js';
import { isExplicitReference } from '../registry/reference.js';
import { resolveReference, viewsInTime } from '../registry/reference-resolve.js';
import { openRegistry } from '../registry/store.js';
import type { OpenRepository } from './context.js';
import { registryOf } from './open-registry.js';
import type { Session } from './session.js';

/**
 * The commit that the version was registered on which a reference such as `fraud@production` means; undefined for a word
 * that is none, or names no model that there is. Errors: the others of resolveReference.
 */
export async function versionCommit(
  session: Session,
  repository: OpenRepository,
  word: string,
): Promise<string | undefined> {
  if (!isExplicitReference(word)) return undefined;
  const registry = registryOf(session, repository.config.registry.remote, repository.git);
  try {
    const view = await registry.viewOrFetch();
    const { version } = await resolveReference(view, word, { viewAtTime: viewsInTime(registry) });
    return version.summary.commit;
  } catch (error) {
    if (isMlvError(error, 'MODEL_UNKNOWN')) return undefined;
    throw error;
  }
}

/** True for the name of a model that this clone's registry has; no network. False where the registry cannot be read. */
export async function isModel({ git, config }: OpenRepository, name: string): Promise<boolean> {
  try {
    const view = await openRegistry({ git, remote: config.registry.remote, interactive: false }).view();
    return (await view.model(name)) !== undefined;
  } catch (error) {
    if (isMlvError(error)) return false;
    throw error;
  }
}
