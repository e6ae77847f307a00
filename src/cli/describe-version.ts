import { join } from 'node:path';
import type { RepositoryLayout } from '../git/git.js';
import type { Manifest } from '../registry/manifest.js';
import { encodeManifest, MANIFEST_LIMIT } from '../registry/manifest-format.js';
import { ensureRealDirectory } from '../workspace/paths.js';
import { writeTextFile } from '../workspace/pointer-write.js';
import { readTextFile } from '../workspace/text-file.js';

/** Directory with what is known of a restored version, which Git ignores. */
export const ABOUT = '.mlv-version';
const MANIFEST = 'manifest.yaml';

/**
 * Writes what is known of a version into its tree, through no link that its commit may have there. Errors:
 * `POINTER_UNSAFE`, `FILE_SYSTEM`.
 */
export function describeVersion(layout: RepositoryLayout, manifest: Manifest): void {
  const { environment = {} } = manifest;
  const packages = environment.packages ?? [];
  const files = {
    '.gitignore': '*\n',
    'environment.json': `${JSON.stringify(environment, undefined, 2)}\n`,
    ...(packages.length > 0 && { 'requirements.txt': `${packages.join('\n')}\n` }),
    [MANIFEST]: encodeManifest(manifest),
  };
  ensureRealDirectory(layout, ABOUT);
  for (const [name, content] of Object.entries(files)) writeTextFile(layout, `${ABOUT}/${name}`, content);
}

/** True where a version with that very manifest was restored into the directory. */
export function isDescribed(directory: string, manifest: Manifest): boolean {
  const found = readTextFile(join(directory, ABOUT, MANIFEST), MANIFEST_LIMIT * 4);
  return found !== undefined && 'text' in found && found.text === encodeManifest(manifest);
}
