import { MlvError } from '../core/errors.js';
import { isOid, type Oid } from '../objects/oid.js';
import { runCommand } from '../provenance/run-command.js';
import { checkoutVersion } from '../registry/checkout-version.js';
import { fetchVersionTags } from '../registry/fetch-version-tags.js';
import type { Manifest } from '../registry/manifest.js';
import type { RegistryView, VersionState } from '../registry/registry.js';
import { versionClosure } from '../registry/version-closure.js';
import { versionTargets } from '../registry/version-targets.js';
import { UNKNOWN_SIZE } from '../transfer/roots.js';
import { beginEarlyCopies } from '../workspace/early-copies.js';
import { nameOf } from '../workspace/paths.js';
import { loadTargets, type Target } from '../workspace/pointers.js';
import { checkoutErrors } from './checkout-errors.js';
import { type OpenRepository, openRepository } from './context.js';
import { fetchCollected } from './fetch-selections.js';
import type { OpenRegistry } from './open-registry.js';
import type { Session } from './session.js';
import { takeAway, withTemporaryTree } from './temporary-tree.js';

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
async function withRestoredVersion<T>(
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
  return withTemporaryTree(git, version.model, async (directory) => {
    await restoreVersion(session, { open, view, version }, { directory });
    return work(directory);
  });
}

/** How a version is restored. */
export interface RestoreOptions {
  /** Says which of the version's targets are brought; all of them by default. `here` are those that its commit tracks. */
  choose?: (targets: readonly Target[], here: readonly Target[]) => readonly Target[] | Promise<readonly Target[]>;
  /** Another state of the code than the version's commit: a commit that is here, and a patch on top of it. */
  code?: { commit: string; patch: Buffer | undefined };
}

/**
 * Restores a version in a new linked working tree at `directory`, which must not be there: its commit, detached, what
 * the workspace had beyond it, its pointers and their content. Where that fails, the directory is taken away again. Gives
 * the repository as the directory has it. Errors: `OBJECT_MISSING`, those of Git and of pull.
 */
export async function restoreVersion(
  session: Session,
  restored: Restored,
  { directory, choose = (targets) => targets, code }: RestoreOptions & { directory: string },
): Promise<OpenRepository> {
  const { open, view, version } = restored;
  const manifest = await view.manifest(version.model, version.version);
  const patch = code ? code.patch : await differenceOf(session, manifest);
  const { remote } = await open.registry.status();
  if (remote !== undefined) await fetchVersionTags(open.git, [manifest], { remote, interactive: false });
  await open.git.addWorktree(directory, code?.commit ?? manifest.commit);
  try {
    if (patch) await open.git.applyPatch(directory, patch);
    return await bring(session, { view, version, directory, choose });
  } catch (error) {
    await takeAway(open.git, directory);
    throw error;
  }
}

/** What the workspace had beyond the commit when the version was registered, from the cache or a remote. */
async function differenceOf(session: Session, manifest: Manifest): Promise<Buffer | undefined> {
  const { difference, model, version } = manifest;
  if (difference === undefined) return undefined;
  const repository = await openRepository(session);
  const what = `difference of ${model}@${version}`;
  if (isOid(difference)) {
    await bringObjects(session, repository, [{ oid: difference, size: UNKNOWN_SIZE, path: what }]);
    if (repository.cache.has(difference)) return repository.cache.read(difference);
  }
  throw new MlvError(
    'OBJECT_MISSING',
    `what ${model}@${version} had beyond its commit is neither here nor on a remote`,
    {
      hint: `the object is ${difference}: restore in the clone that registered the version, or push from there`,
      data: { oid: difference },
    },
  );
}

/** An object, or a directory with all that is in it, that is wanted in the cache. */
export interface WantedObject {
  oid: Oid;
  /** Bytes, or UNKNOWN_SIZE. */
  size: number;
  /** For a directory. */
  files?: number;
  /** What to call it in messages. */
  path: string;
}

/** Brings objects into the cache, where a remote has them. Errors: those of remotes that fail. */
export async function bringObjects(
  session: Session,
  repository: OpenRepository,
  wanted: readonly WantedObject[],
): Promise<void> {
  const lacking = wanted.filter(({ oid, files }) => files !== undefined || !repository.cache.has(oid));
  if (lacking.length === 0 || repository.config.remotes.size === 0) return;
  const selections = lacking.map(({ path, ...object }) => ({
    target: { path, pointer: { path: nameOf(path), ...object }, text: '' },
    below: '',
  }));
  const collected = { selections, problems: [] };
  const { errors } = await fetchCollected(session, repository, { collected, options: {} });
  const failure = errors.find(({ code }) => code !== 'OBJECT_MISSING');
  if (failure) throw failure;
}

/** Fetches what the version needs into the cache that all working trees share, and checks it out in one of them. */
async function bring(
  session: Session,
  given: Pick<Restored, 'view' | 'version'> & Required<Pick<RestoreOptions, 'choose'>> & { directory: string },
): Promise<OpenRepository> {
  const { view, version, directory, choose } = given;
  const repository = await openRepository(session);
  const inside = await openRepository({ ...session, cwd: directory, env: withoutTies(session.env) });
  const here = await loadTargets(inside);
  const known = new Map(here.targets.map((target) => [target.path, target]));
  const named = await versionTargets(repository, await versionClosure(view, version));
  // A pointer of the difference tells of the run, too, which the manifest does not.
  const all = named.map((target) => {
    const own = known.get(target.path);
    return own?.pointer.oid === target.pointer.oid ? own : target;
  });
  const targets = await choose(all, here.targets);
  const selections = targets.map((target) => ({ target, below: '' }));
  const copies = beginEarlyCopies(inside, selections);
  try {
    if (repository.config.remotes.size > 0 && targets.length > 0) {
      const collected = { selections, problems: [] };
      const { errors } = await fetchCollected(session, repository, { collected, options: {}, copies });
      if (errors[0]) throw errors[0];
    }
    const report = await checkoutVersion(inside, targets, {
      force: true,
      isRegistered: () => true,
      reporter: session.reporter,
      signal: session.signal,
      copies,
    });
    const [error] = checkoutErrors(report.checkout);
    if (error) throw error;
  } finally {
    copies?.end();
  }
  return inside;
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
