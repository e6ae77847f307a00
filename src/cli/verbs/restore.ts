import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isMlvError, MlvError } from '../../core/errors.js';
import { isOid } from '../../objects/oid.js';
import type { Environment } from '../../provenance/environment.js';
import { findRun } from '../../provenance/run-store.js';
import type { Manifest } from '../../registry/manifest.js';
import { resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { type OpenRepository, openRepository } from '../context.js';
import { ABOUT, describeVersion, isDescribed } from '../describe-version.js';
import { environmentError, environmentWords, makeEnvironment } from '../make-environment.js';
import { openRegistryHere } from '../open-registry.js';
import { quotePath } from '../render/quote.js';
import { type Restored, restoreVersion, withoutTies } from '../restored-version.js';
import type { Session } from '../session.js';
import { takeAway } from '../temporary-tree.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/**
 * `mlv restore`: see its declaration. Errors: `TARGET_EXISTS`, `OBJECT_MISSING`, those of resolveReference, pull and
 * makeEnvironment.
 */
export async function run(session: Session, { args: [reference = ''], options }: VerbInput): Promise<Result> {
  const open = await openRegistryHere(session);
  const view = await open.registry.viewOrFetch();
  const resolved = resolveReference(view, reference, { viewAtTime: viewsInTime(open.registry) });
  const { version } = await resolved.catch((error: unknown) => {
    throw existsSync(resolve(session.cwd, reference)) ? fileMeant(error) : error;
  });
  const name = versionName(version);
  const manifest = await view.manifest(version.model, version.version);
  const parent = dirname(open.git.layout.worktree);
  const directory = resolve(session.cwd, textOption(options.to) ?? join(parent, name.replace('@', '-')));
  const wantsEnvironment = options.env === true;
  const restored = { open, view, version };
  const { tree, isNew } = await treeOf(session, restored, { directory, manifest, wantsEnvironment });
  const commit = manifest.commit.slice(0, 10);
  const result: Result & { json: Record<string, unknown> } = {
    done: isNew ? [`restored ${name} in ${quotePath(directory)}, a linked working tree at ${commit}`] : [],
    json: {
      version: name,
      directory,
      commit: manifest.commit,
      difference: manifest.difference !== undefined,
      about: ABOUT,
    },
    notes: [
      `its manifest, environment and packages are described in ${ABOUT}/`,
      `when it is no longer needed: git worktree remove --force ${quotePath(directory)}`,
    ],
  };
  return wantsEnvironment ? withEnvironment(session, { tree, result, manifest, options }) : result;
}

/** `git restore` takes files. */
function fileMeant(error: unknown): unknown {
  if (!isMlvError(error, 'MODEL_UNKNOWN') && !isMlvError(error, 'VERSION_INVALID')) return error;
  const hint = 'it brings versions of models; a file as its pointer says: mlv checkout --force <path>';
  return new MlvError(error.code, error.message, { hint, data: error.data, cause: error });
}

/** The restored tree; one that stands there already and is of this version is taken for its environment. */
async function treeOf(
  session: Session,
  restored: Restored,
  given: { directory: string; manifest: Manifest; wantsEnvironment: boolean },
): Promise<{ tree: OpenRepository; isNew: boolean }> {
  const { directory, manifest, wantsEnvironment } = given;
  const name = `${manifest.model}@${manifest.version}`;
  if (!existsSync(directory)) {
    const tree = await restoreVersion(session, restored, { directory });
    try {
      describeVersion(tree.layout, manifest);
    } catch (error) {
      await takeAway(restored.open.git, directory);
      throw error;
    }
    return { tree, isNew: true };
  }
  const inside = { ...session, cwd: directory, env: withoutTies(session.env) };
  if (wantsEnvironment && isDescribed(directory, manifest)) return { tree: await openRepository(inside), isNew: false };
  if (!isDescribed(directory, manifest) && (await restored.open.git.worktrees()).includes(realpathSync(directory))) {
    const message = `'${directory}' is a linked working tree already, and no restoration of ${name} was finished in it`;
    throw new MlvError('TARGET_EXISTS', message, {
      hint: `one that was interrupted leaves that: if nothing of yours is in it, git worktree remove --force ${quotePath(directory)}, then run the same command again`,
      data: { path: directory },
    });
  }
  throw new MlvError('TARGET_EXISTS', `'${directory}' is there already`, {
    hint: `choose another place: mlv restore ${name} --to <directory>`,
    data: { path: directory },
  });
}

async function withEnvironment(
  session: Session,
  given: {
    tree: OpenRepository;
    result: Result & { json: Record<string, unknown> };
    manifest: Manifest;
    options: VerbInput['options'];
  },
): Promise<Result> {
  const { tree, result, manifest, options } = given;
  const environment = recordedEnvironment(tree, manifest);
  const made = await makeEnvironment(session, tree, { environment, options });
  const words = environmentWords(made);
  const error = environmentError(made);
  return {
    ...result,
    done: [...(result.done ?? []), ...words.done],
    json: { ...result.json, environment: made },
    notes: [...(result.notes ?? []), ...words.notes],
    errors: error ? [error] : [],
  };
}

/** That of the run that made the version, where its record is here; else that of the machine that registered it. */
function recordedEnvironment(tree: OpenRepository, { run, environment = {} }: Manifest): Environment {
  const record = run !== undefined && isOid(run) ? findRun(tree, run)?.record : undefined;
  return record?.environment.python === undefined ? environment : record.environment;
}
