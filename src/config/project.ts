import { join } from 'node:path';
import type { LevelFile } from './document.js';
import { PROJECT_FILE } from './levels.js';
import type { Project } from './project-format.js';

/** The project of a working tree after createProject. */
export interface CreatedProject {
  project: Project;
  /** False when there was one already, which is then given as it is, whatever was asked for. */
  created: boolean;
}

/**
 * Makes a project of a working tree: writes `mlv.yaml`, or adds to one that has settings but no project yet. Harmless
 * where it was done before, also by another process at the same moment. Errors: `CONFIG_INVALID` with file
 * and line, `FORMAT_TOO_NEW`, `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function createProject(
  worktree: string,
  wanted: Pick<Project, 'repository' | 'hash'>,
): Promise<CreatedProject> {
  const { updateFile } = await import('./write-file.js');
  const { parseFile } = await import('./document.js');
  const { projectOf, withProject } = await import('./project-format.js');
  const file = projectFile(worktree);
  let project: Project | undefined;
  const created = await updateFile(file, (text) => {
    const parsed = text === undefined ? undefined : parseFile(text, file);
    project = parsed && projectOf(parsed);
    if (project) return undefined;
    return { text: withProject(text ?? '', parsed, wanted), secret: false };
  });
  return { project: project ?? { format: 1, ...wanted }, created };
}

function projectFile(worktree: string): LevelFile {
  return { level: 'project', path: join(worktree, PROJECT_FILE) };
}
