import type { ContentUse, LineageFacts } from '../provenance/lineage.js';
import { versionName } from './reference-resolve.js';
import type { RegistryView } from './registry.js';

/**
 * All versions of all models as lineage knows them: what they hold, by oid, and where they stand today. Files without a
 * name of their own: the registry's derived state has the oids alone, so that no manifest is read. Error:
 * `REGISTRY_INVALID`.
 */
export async function lineageVersions(view: RegistryView): Promise<LineageFacts['versions']> {
  const models = await view.allModels();
  const byManifest = new Map<string, string>();
  for (const { versions } of models)
    for (const each of versions.values()) byManifest.set(each.manifest, versionName(each));
  return models.flatMap(({ versions }) =>
    [...versions.values()].map((version) => {
      const { artifacts, data, directories = [], components = [] } = version.summary;
      const isDirectory = new Set(directories);
      const use = (id: string): ContentUse => ({ id, path: '', ...(isDirectory.has(id) && { directory: true }) });
      return {
        node: {
          kind: 'version' as const,
          id: versionName(version),
          stages: version.stages,
          deprecated: version.deprecated !== undefined,
        },
        artifacts: artifacts.map(use),
        data: data.map(use),
        components: components.flatMap((digest) => byManifest.get(digest) ?? []),
      };
    }),
  );
}
