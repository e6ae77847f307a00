import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git } from './repository.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Repositories of DVC: the committed ones, and those that CI makes afresh with the real tool. */
export function dvcFixtures(): { name: string; directory: string }[] {
  const fixtures = ['dvc-3', 'dvc-2'].map((name) => ({
    name,
    directory: fileURLToPath(new URL(`../../fixtures/migration/${name}`, import.meta.url)),
  }));
  const fresh = process.env.MLV_TEST_DVC_FRESH;
  return fresh === undefined ? fixtures : [...fixtures, { name: 'made afresh', directory: fresh }];
}

/**
 * A clone of such a repository with its branches. DVC's cache is in it, or (`cache: 'remote'`) where its remote `storage`
 * leads, or nowhere.
 */
export function cloneDvc(directory: string, cache: 'here' | 'remote' | 'nowhere' = 'here'): string {
  const top = temporaryDirectory('dvc');
  mkdirSync(join(top, 'clones'));
  const cwd = join(top, 'clones', 'repository');
  git(top, 'clone', '--quiet', join(directory, 'repository.bundle'), cwd);
  git(cwd, 'branch', '--quiet', 'side', 'origin/side');
  git(cwd, 'config', 'core.autocrlf', 'false');
  const target = cache === 'here' ? join(cwd, '.dvc', 'cache') : join(top, 'dvc-storage');
  if (cache !== 'nowhere') cpSync(join(directory, 'cache'), target, { recursive: true });
  return cwd;
}

/** What DVC's cache has under a name; undefined where nothing is. */
function dvcObject(directory: string, md5: string): Buffer | undefined {
  const rest = join(md5.slice(0, 2), md5.slice(2));
  const path = ['files/md5', ''].map((each) => join(directory, 'cache', each, rest)).find(existsSync);
  return path === undefined ? undefined : readFileSync(path);
}

/** Every file that DVC tracks in a commit, by its path, with the bytes that its cache has of it. */
export function dvcFiles(cwd: string, directory: string, revision: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const add = (path: string, md5: string): void => {
    const object = dvcObject(directory, md5);
    // Figures that DVC leaves to Git are in no cache.
    if (object === undefined) return;
    if (!md5.endsWith('.dir')) files.set(path, object);
    else {
      const entries = JSON.parse(object.toString()) as { md5: string; relpath: string }[];
      for (const entry of entries) add(`${path}/${entry.relpath}`, entry.md5);
    }
  };
  const list = git(cwd, 'ls-tree', '-r', '--name-only', '-z', revision).split('\0');
  for (const file of list.filter((each) => each.endsWith('.dvc') || each === 'dvc.lock')) {
    const text = git(cwd, 'show', `${revision}:${file}`);
    const folder = file.includes('/') ? `${file.slice(0, file.lastIndexOf('/'))}/` : '';
    for (const outs of text.split(/^ *outs:$/m).slice(1)) {
      const mine = outs.split(/^ {2}\S.*:$/m, 1)[0] ?? '';
      for (const entry of mine.split(/^ *- /m).slice(1)) {
        const md5 = /md5: ([0-9a-f]{32}(?:\.dir)?)/.exec(entry)?.[1];
        const path = /path: (.*)/.exec(entry)?.[1];
        if (md5 !== undefined && path !== undefined && path !== 'metrics.json') add(folder + path, md5);
      }
    }
  }
  return files;
}

/** MD5 of bytes, hex. */
export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
