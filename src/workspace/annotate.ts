import { isMlvError } from '../core/errors.js';
import type { Annotation, AnnotationChange } from './annotation.js';
import { annotatedText, readAnnotation } from './annotation.js';
import type { RepositoryPath } from './paths.js';
import { writeTextFile } from './pointer-write.js';
import { pointerPathOf, readPointerText, type Target } from './pointers.js';
import type { Repository } from './repository.js';

/** What is said of the origin of a target. Error: `POINTER_INVALID`. */
export function annotationOf({ path, text }: Target): Annotation | undefined {
  return readAnnotation(text, pointerPathOf(path));
}

/** What is said of the origin of targets, by path; pointers that cannot be understood say nothing. */
export function annotationsOf(targets: readonly Target[]): Map<RepositoryPath, Annotation> {
  const found = new Map<RepositoryPath, Annotation>();
  for (const target of targets) {
    try {
      const annotation = annotationOf(target);
      if (annotation) found.set(target.path, annotation);
    } catch (error) {
      if (!isMlvError(error, 'POINTER_INVALID')) throw error;
    }
  }
  return found;
}

/**
 * Changes what pointers say of the origin of their data; those that say it already are left alone. Gives the pointer files
 * that changed, staged where asked. Errors: `POINTER_INVALID`, `DISK_FULL`, `FILE_SYSTEM`.
 */
export async function annotateTargets(
  repository: Repository,
  targets: readonly Target[],
  { stage, ...change }: AnnotationChange & { stage?: boolean },
): Promise<RepositoryPath[]> {
  const files: RepositoryPath[] = [];
  for (const target of targets) {
    const file = pointerPathOf(target.path);
    // As it is at this moment: another process may have written it since it was loaded.
    const before = readPointerText(repository.layout, file) ?? target.text;
    readAnnotation(before, file);
    const text = annotatedText(before, change);
    if (text === before) continue;
    writeTextFile(repository.layout, file, text);
    files.push(file);
  }
  if (files.length > 0 && (stage ?? repository.settings.stage)) await repository.git.stage(files);
  return files;
}
