import { MlvError } from '../core/errors.js';
import type { RegistryContext } from './context.js';
import { REGISTRY_BRANCH, trackingRef } from './layout.js';

/**
 * Asks the Git remote for its registry's branch. A remote without one is no error: what is known of it stays as it is.
 * Error: `GIT_FAILED` where the remote cannot be reached.
 */
export async function fetchRegistry(
  { plumbing, interactive }: Pick<RegistryContext, 'plumbing' | 'interactive'>,
  remote: string,
): Promise<void> {
  // A pattern may match nothing, where a plain name that is not there would be an error that nothing tells from others.
  const refspec = `+refs/heads/${REGISTRY_BRANCH}*:${trackingRef(remote)}*`;
  const { done, said } = await plumbing.fetch({ remote, refspecs: [refspec], interactive });
  if (done) return;
  throw new MlvError('GIT_FAILED', `the Git remote '${remote}' cannot be asked for the registry: ${said}`, {
    hint: `see whether Git can: git fetch ${remote}`,
    data: { remote, stderr: said },
  });
}
