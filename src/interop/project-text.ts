import { isMap } from 'yaml';
import type { LevelFile } from '../config/document.js';
import { parseFile, renderDocument } from '../config/document.js';
import { withValue } from '../config/edit.js';
import { PROJECT_FILE } from '../config/levels.js';
import { type Project, projectOf, withProject } from '../config/project-format.js';
import type { MappedStage } from './dvc-stage.js';

/** What a migration writes into `mlv.yaml`. */
export interface ProjectAdditions {
  project: Pick<Project, 'repository' | 'hash'>;
  /** Values of `remote.<name>.<key>` and `core.remote` by dotted key. */
  settings: ReadonlyMap<string, string>;
  stages: ReadonlyMap<string, MappedStage>;
  home: string;
}

const FILE: LevelFile = { level: 'project', path: PROJECT_FILE };

/**
 * The text of an `mlv.yaml` with the project, remotes and stages in it; what stands there already stays as it is. Errors:
 * `CONFIG_INVALID`, `FORMAT_TOO_NEW` for what is there.
 */
export function withAdditions(text: string | undefined, additions: ProjectAdditions): string {
  const { project, settings, stages, home } = additions;
  let result = text ?? '';
  const parsed = text === undefined ? undefined : parseFile(text, FILE);
  if (!parsed || !projectOf(parsed)) result = withProject(result, parsed, project);
  for (const [key, value] of settings) {
    const { document } = parseFile(result, FILE);
    if (document.hasIn(key.split('.'))) continue;
    result = withValue(result, FILE, { key, value, home }).text;
  }
  return stages.size === 0 ? result : withStages(result, stages);
}

function withStages(text: string, stages: ReadonlyMap<string, MappedStage>): string {
  const { document } = parseFile(text, FILE);
  let changed = false;
  for (const [name, stage] of stages) {
    if (document.hasIn(['stages', name])) continue;
    if (!isMap(document.get('stages', true))) document.set('stages', document.createNode({}));
    document.setIn(['stages', name], document.createNode(stage));
    changed = true;
  }
  return changed ? renderDocument(document) : text;
}
