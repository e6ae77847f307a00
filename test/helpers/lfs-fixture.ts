import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git } from './repository.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Repositories of Git LFS: the committed one, and that which CI makes afresh with the real tool. */
export function lfsFixtures(): { name: string; directory: string }[] {
  const directory = fileURLToPath(new URL('../../fixtures/migration/lfs', import.meta.url));
  const fresh = process.env.MLV_TEST_LFS_FRESH;
  return [{ name: 'lfs', directory }, ...(fresh === undefined ? [] : [{ name: 'made afresh', directory: fresh }])];
}

/** A clone of such a repository with its branches, and, unless told otherwise, with the objects in `.git/lfs`. */
export function cloneLfs(directory: string, options: { objects?: boolean } = {}): string {
  const cwd = temporaryDirectory('lfs');
  git(cwd, 'clone', '--quiet', join(directory, 'repository.bundle'), '.');
  git(cwd, 'branch', '--quiet', 'side', 'origin/side');
  git(cwd, 'config', 'core.autocrlf', 'false');
  if (options.objects === false) return cwd;
  mkdirSync(join(cwd, '.git', 'lfs'));
  cpSync(join(directory, 'objects'), join(cwd, '.git', 'lfs', 'objects'), { recursive: true });
  return cwd;
}

/** Every file of a revision whose blob is a pointer of an object that there is, with the object. */
export function lfsFiles(cwd: string, directory: string, revision: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const path of git(cwd, 'ls-tree', '-r', '--name-only', '-z', revision).split('\0').filter(Boolean)) {
    const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(git(cwd, 'show', `${revision}:${path}`))?.[1];
    if (oid === undefined || path.endsWith('.pointer')) continue;
    const object = join(directory, 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    if (existsSync(object)) files.set(path, readFileSync(object));
  }
  return files;
}
