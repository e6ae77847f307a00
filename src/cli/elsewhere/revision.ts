import { isMlvError, MlvError } from '../../core/errors.js';
import type { ElsewhereGit } from '../../git/elsewhere.js';
import { REGISTRY_BRANCH } from '../../registry/layout.js';
import { isExplicitReference } from '../../registry/reference.js';
import { versionName } from '../../registry/reference-resolve.js';
import { resolveElsewhere } from './reference.js';

/** What was fetched: a commit, and the tip of the registry's branch where that was asked for, or needed, and is there. */
export interface FetchedRevision {
  commit: string;
  registry?: string;
}

/**
 * Fetches the commit that a revision names in a repository elsewhere: as Git takes it, or else of a version of its registry
 * (`fraud@production`) the commit that it was registered on. With `registry`, that branch comes in any case.
 * Errors: those of ElsewhereGit.fetchRevision and resolveElsewhere.
 */
export async function fetchRevision(
  elsewhere: ElsewhereGit,
  revision: string | undefined,
  { registry }: { registry: boolean },
): Promise<FetchedRevision> {
  try {
    return await elsewhere.fetchRevision(revision, registry ? REGISTRY_BRANCH : undefined);
  } catch (error) {
    if (revision === undefined || !isMlvError(error, 'REVISION_UNKNOWN') || !isExplicitReference(revision)) throw error;
    const found = await fetchVersionCommit(elsewhere, revision);
    if (found) return found;
    throw error;
  }
}

/** Undefined where nothing is registered, or no such model. */
async function fetchVersionCommit(elsewhere: ElsewhereGit, reference: string): Promise<FetchedRevision | undefined> {
  const { registry } = await elsewhere.fetchRevision(undefined, REGISTRY_BRANCH);
  if (registry === undefined) return undefined;
  try {
    const { version } = await resolveElsewhere({ elsewhere, registryTip: registry }, reference);
    const { commit } = version.summary;
    const name = versionName(version);
    if ((await elsewhere.fetchCommit(commit, name)) && (await elsewhere.git.hasCommit(commit))) {
      return { commit, registry };
    }
    throw noCommit(elsewhere, { reference, name, commit });
  } catch (error) {
    if (isMlvError(error, 'MODEL_UNKNOWN')) return undefined;
    throw error;
  }
}

function noCommit(
  { address }: ElsewhereGit,
  { reference, name, commit }: { reference: string; name: string; commit: string },
): MlvError {
  const message = `'${reference}' is ${name}, but ${address.shown} does not give the commit ${commit.slice(0, 10)} that it was registered on`;
  return new MlvError('REVISION_UNKNOWN', message, {
    hint: 'its owner sends the commit: git push --tags',
    data: { revision: reference, version: name, commit, url: address.shown },
  });
}
