import type { Git } from '../git/git.js';
import type { Registry } from '../registry/registry.js';
import { openRegistry } from '../registry/store.js';
import { noRepository, openConfig, type Surroundings } from './context.js';
import type { Session } from './session.js';

/** The registry of the current directory's repository, with what a verb needs beside it. */
export interface OpenRegistry extends Surroundings {
  git: Git;
  registry: Registry;
}

/**
 * Opens the registry of the current directory's repository; `mlv init` need not have been run. Errors:
 * `NOT_A_GIT_REPOSITORY`, `WORKTREE_MISSING` in a bare one, those of openConfig.
 */
export async function openRegistryHere(session: Session): Promise<OpenRegistry> {
  const surroundings = await openConfig(session);
  const { git } = surroundings;
  if (!git) throw await noRepository(session, 'change to a directory of a clone: the registry is a branch of it');
  return { ...surroundings, git, registry: registryOf(session, surroundings.config.registry.remote, git) };
}

/** The registry of a repository that is open already. `remote` is the setting `registry.remote`. */
export function registryOf(session: Session, remote: string | undefined, git: Git): Registry {
  // Off a terminal, and with --json, nobody is there to answer a question for a password.
  const interactive = !session.globals.json && process.stdin.isTTY === true;
  return openRegistry({ git, remote, interactive });
}
