import { isMapping } from '../core/mapping.js';
import type { RepositoryPath } from '../workspace/paths.js';
import { readYaml } from './dvc-file.js';
import { type DvcOutput, readOutput } from './dvc-output.js';
import { foreignInvalid } from './foreign-id.js';

/** What `dvc.yaml` says of a stage that `dvc.lock` names. */
export interface LockedStage {
  /** What the stage's paths are relative to. */
  directory: RepositoryPath;
  /** Whether DVC keeps the content of an output (its path as it is written), and does not leave it to Git. */
  keeps(path: string): boolean;
}

/** The outputs in a `dvc.lock` (schema 1 and 2) that DVC keeps the content of. Error: `FOREIGN_INVALID`. */
export function parseDvcLock(text: string, file: RepositoryPath, stageOf: (name: string) => LockedStage): DvcOutput[] {
  const value = readYaml(text, file);
  const stages = 'schema' in value ? value.stages : value;
  if (stages === undefined || stages === null) return [];
  if (!isMapping(stages)) throw foreignInvalid(file, "is damaged: 'stages' is not a mapping");
  const outputs: DvcOutput[] = [];
  for (const [name, stage] of Object.entries(stages)) {
    if (!isMapping(stage)) throw foreignInvalid(file, `is damaged: the stage '${name}' is not a mapping`);
    const outs = stage.outs ?? [];
    if (!Array.isArray(outs)) throw foreignInvalid(file, `is damaged: 'outs' of '${name}' is not a list`);
    const { directory, keeps } = stageOf(name);
    for (const each of outs) {
      if (isMapping(each) && typeof each.path === 'string' && !keeps(each.path)) continue;
      const output = readOutput(each, { file, directory });
      if (output) outputs.push(output);
    }
  }
  return outputs;
}
