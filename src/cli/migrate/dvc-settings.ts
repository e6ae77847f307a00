import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { type DvcConfig, mergeDvcConfigs, parseDvcConfig } from '../../interop/dvc-config.js';
import type { RepositoryPath } from '../../workspace/paths.js';
import type { Session } from '../session.js';

/** DVC's configuration as it is in force here, and as it is committed. */
export interface DvcSettings {
  merged: DvcConfig;
  committed: DvcConfig;
  /** Absolute directory of `.dvc`. */
  directory: string;
}

/** DVC's configuration for each of its directories: that of the user, the committed and the local one. */
export function dvcSettings({ env, home }: Session, worktree: string, roots: readonly RepositoryPath[]): DvcSettings[] {
  const user = readConfig(join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'dvc', 'config'));
  return roots.map((root) => {
    const directory = join(worktree, root, '.dvc');
    const committed = readConfig(join(directory, 'config'));
    const local = readConfig(join(directory, 'config.local'));
    return { merged: mergeDvcConfigs([user, committed, local]), committed, directory };
  });
}

/** Where DVC has its cache for one of its directories, absolute. */
export function cacheDirectories({ merged, directory }: DvcSettings): string[] {
  const { cacheDirectory } = merged;
  if (cacheDirectory === undefined) return [join(directory, 'cache')];
  return [isAbsolute(cacheDirectory) ? cacheDirectory : resolve(directory, cacheDirectory)];
}

function readConfig(path: string): DvcConfig {
  const stat = statSync(path, { throwIfNoEntry: false });
  return parseDvcConfig(stat?.isFile() ? readFileSync(path, 'utf8') : '', path);
}
