import type { ModelState, ModelSummary } from './registry.js';
import { latestOf } from './version-order.js';

/** What a list of models says of one; archived versions are not told. */
export function summarizeModel(model: ModelState): ModelSummary {
  const { name, meta, versions } = model;
  const latest = latestOf(model)?.version;
  const stages = [...model.stages]
    .filter(([stage, assigned]) => stage !== 'archived' && assigned.length > 0)
    .map(([stage, assigned]) => ({
      stage,
      versions: assigned.map(({ version, traffic, since }) => ({ version, traffic, since })),
    }));
  return {
    model: name,
    versions: versions.size,
    ...(latest !== undefined && { latest }),
    stages,
    ...(meta.description !== undefined && { description: meta.description }),
    ...(meta.owners !== undefined && { owners: meta.owners }),
  };
}
