import { isMlvError, MlvError } from '../core/errors.js';
import type { Oid } from '../objects/oid.js';
import type { RegistryView, VersionState } from '../registry/registry.js';
import { versionClosure } from '../registry/version-closure.js';
import { missingFromRemote } from '../transfer/remote-status.js';
import type { Root } from '../transfer/roots.js';
import { type OpenRepository, openRepository } from './context.js';
import { defaultRemote, openTransfer } from './open-transfer.js';
import type { Session } from './session.js';

/**
 * Makes sure that a version can be gone back to: its components are what they were, and all artifacts and data of them
 * and of itself are on the default remote, or, where none is configured, in the cache. Errors: `OBJECT_MISSING`,
 * `REGISTRY_INVALID`, those of openTransfer.
 */
export function versionReady(
  session: Session,
  smoke?: (view: RegistryView, version: VersionState) => Promise<void>,
): (view: RegistryView, version: VersionState) => Promise<void> {
  const asked = new Set<string>();
  return async (view, version) => {
    // A lost race decides again, and what was found out of a manifest cannot change.
    if (asked.has(version.manifest)) return;
    const repository = await openRepository(session);
    const members = await versionClosure(view, version);
    const roots = members.flatMap(({ manifest }) => [...manifest.artifacts, ...manifest.data]).map(rootOf);
    const { missing, where } = await missingRoots(session, repository, roots);
    if (missing.length > 0) throw notThere(version, missing, where);
    await smoke?.(view, version);
    asked.add(version.manifest);
  };
}

function rootOf({ oid, files, size, path }: { oid: string; files?: number; size: number; path: string }): Root {
  return { oid: oid as Oid, directory: files !== undefined, size, path };
}

async function missingRoots(
  session: Session,
  repository: OpenRepository,
  roots: readonly Root[],
): Promise<{ missing: Root[]; where: string }> {
  const name = remoteName(repository);
  if (name === undefined) {
    return { missing: roots.filter(({ oid }) => !repository.cache.has(oid)), where: 'in the cache' };
  }
  const open = await openTransfer(session, repository, name);
  try {
    return { missing: [...(await missingFromRemote(open.transfer, roots))], where: `on the remote '${name}'` };
  } finally {
    await open.close();
  }
}

function remoteName(repository: OpenRepository): string | undefined {
  try {
    return defaultRemote(repository);
  } catch (error) {
    if (isMlvError(error, 'REMOTE_NOT_CONFIGURED')) return undefined;
    throw error;
  }
}

function notThere({ model, version }: VersionState, missing: readonly Root[], where: string): MlvError {
  const name = `${model}@${version}`;
  return new MlvError(
    'OBJECT_MISSING',
    `${name} cannot be gone back to: ${missing.length} object(s) of it are not ${where}`,
    {
      hint: `whoever has them: mlv push; or go back further: mlv rollback ${model} <stage> --to <version>`,
      data: { version: name, paths: missing.map(({ path }) => path) },
    },
  );
}
