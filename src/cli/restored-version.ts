import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MlvError } from '../core/errors.js';
import { runCommand } from '../provenance/run-command.js';
import { checkoutVersion } from '../registry/checkout-version.js';
import { fetchVersionTags } from '../registry/fetch-version-tags.js';
import type { RegistryView, VersionState } from '../registry/registry.js';
import { versionClosure } from '../registry/version-closure.js';
import { versionTargets } from '../registry/version-targets.js';
import { checkoutErrors } from './checkout-errors.js';
import { openRepository } from './context.js';
import { fetchCollected } from './fetch-selections.js';
import type { OpenRegistry } from './open-registry.js';
import type { Session } from './session.js';

/** Characters of a command's output that are kept. */
const LOG_LIMIT = 256 * 1024;
/** Variables that would lead the command's own Git elsewhere. */
const TIES = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_COMMON_DIR', 'GIT_PREFIX', 'GIT_CEILING_DIRECTORIES'];

/** A version that is to be restored. */
export interface Restored {
  open: OpenRegistry;
  view: RegistryView;
  version: VersionState;
}

/**
 * Restores a version in a temporary linked working tree (its code, its artifacts, its data), calls `work` with that
 * directory, and takes it away again. Errors: `OBJECT_MISSING`, `UNSAVED_CHANGES` for a version whose code was never
 * committed, those of Git and of pull, what `work` throws.
 */
export async function withRestoredVersion<T>(
  session: Session,
  { open, view, version }: Restored,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const { git } = open;
  const name = `${version.model}@${version.version}`;
  const manifest = await view.manifest(version.model, version.version);
  if (manifest.difference !== undefined) {
    throw new MlvError('UNSAVED_CHANGES', `${name} was registered with changes that no commit has`, {
      hint: 'only what was committed can be restored as a whole: register it again from a clean workspace',
    });
  }
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'mlv-version-')));
  const directory = join(parent, version.model);
  try {
    await restoreVersion(session, { open, view, version }, directory);
    return await work(directory);
  } finally {
    await git.removeWorktree(directory).catch(() => {});
    rmSync(parent, { recursive: true, force: true });
  }
}

/**
 * Restores a version in a new linked working tree at `directory`, which must not be there: its commit, detached, its
 * pointers and their content. What was never committed is not brought. Errors: those of Git and of pull.
 */
export async function restoreVersion(session: Session, restored: Restored, directory: string): Promise<void> {
  const { open, view, version } = restored;
  const manifest = await view.manifest(version.model, version.version);
  const { remote } = await open.registry.status();
  if (remote !== undefined) await fetchVersionTags(open.git, [manifest], { remote, interactive: false });
  await open.git.addWorktree(directory, manifest.commit);
  await bring(session, { view, version, directory });
}

/** Fetches what the version needs into the cache that all working trees share, and checks it out in one of them. */
async function bring(
  session: Session,
  { view, version, directory }: Pick<Restored, 'view' | 'version'> & { directory: string },
): Promise<void> {
  const repository = await openRepository(session);
  const targets = await versionTargets(repository, await versionClosure(view, version));
  if (repository.config.remotes.size > 0) {
    const collected = { selections: targets.map((target) => ({ target, below: '' })), problems: [] };
    const { errors } = await fetchCollected(session, repository, { collected, options: {} });
    if (errors[0]) throw errors[0];
  }
  const inside = await openRepository({ ...session, cwd: directory, env: withoutTies(session.env) });
  const report = await checkoutVersion(inside, targets, { isRegistered: () => true, signal: session.signal });
  const [error] = checkoutErrors(report.checkout);
  if (error) throw error;
}

/** Runs a command in a restored version; its output goes to standard error, and its end is given with what it printed. */
export async function runInVersion(
  session: Session,
  restored: Restored,
  { command, stage }: { command: string; stage: string },
): Promise<{ exit: number; log: string }> {
  return withRestoredVersion(session, restored, async (directory) => {
    let log = '';
    const { version } = restored;
    const about = { MLV_MODEL: version.model, MLV_VERSION: version.version, MLV_STAGE: stage };
    const { exitCode } = await runCommand(command, {
      cwd: directory,
      env: { ...withoutTies(session.env), ...about },
      output: (line) => {
        log = `${log}${line}\n`.slice(-LOG_LIMIT);
        if (!session.globals.quiet) process.stderr.write(`${line}\n`);
      },
      onSignals: (listener) => {
        const stop = (): void => listener('SIGTERM');
        session.signal.addEventListener('abort', stop, { once: true });
        return () => session.signal.removeEventListener('abort', stop);
      },
    });
    session.signal.throwIfAborted();
    return { exit: exitCode, log };
  });
}

/** An environment in which Git finds the repository of the directory that it runs in. */
export function withoutTies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !TIES.includes(name)));
}
