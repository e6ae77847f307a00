import { MlvError } from '../core/errors.js';
import type { Manifest, ManifestComponent } from './manifest.js';
import type { RegistryView } from './registry.js';

/** Most versions that one version may consist of, directly and through others. */
const MAX_CLOSURE = 1000;

/** A version, and the versions it consists of. */
export interface ClosureMember {
  manifest: Manifest;
  /** `sha256:<hex>` of the manifest's bytes. */
  digest: string;
}

/**
 * A version with everything that it consists of, directly and through its components, each once, the version itself first.
 * A component is held by the digest of its manifest: another content under its number is an error. Errors:
 * `VERSION_UNKNOWN`, `REGISTRY_INVALID`.
 */
export async function versionClosure(
  view: RegistryView,
  root: { model: string; version: string },
): Promise<ClosureMember[]> {
  const found = new Map<string, ClosureMember>();
  const queue: { model: string; version: string; heldBy?: { name: string; component: ManifestComponent } }[] = [root];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const name = `${next.model}@${next.version}`;
    const digest = (await view.model(next.model))?.versions.get(next.version)?.manifest;
    if (next.heldBy && digest !== next.heldBy.component.manifest) throw otherComponent(next.heldBy, digest);
    if (found.has(name)) continue;
    const manifest = await view.manifest(next.model, next.version);
    found.set(name, { manifest, digest: digest ?? '' });
    if (found.size > MAX_CLOSURE) throw tooMany(root);
    for (const component of manifest.components ?? []) queue.push({ ...component, heldBy: { name, component } });
  }
  return [...found.values()];
}

function otherComponent(
  { name, component }: { name: string; component: ManifestComponent },
  digest: string | undefined,
): MlvError {
  const part = `${component.model}@${component.version}`;
  const what = digest === undefined ? 'is not in the registry' : 'is registered with another manifest';
  return new MlvError('REGISTRY_INVALID', `${name} consists of ${part}, which ${what}`, {
    hint: 'see what happened to the registry: mlv audit',
    data: { version: name, component: part, expected: component.manifest, ...(digest && { found: digest }) },
  });
}

function tooMany({ model, version }: { model: string; version: string }): MlvError {
  return new MlvError('REGISTRY_INVALID', `${model}@${version} consists of more than ${MAX_CLOSURE} versions`);
}
