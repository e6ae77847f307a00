import { isAbsolute, join } from 'node:path';

/** The levels that are files, from the weakest to the strongest. */
export const FILE_LEVELS = ['system', 'user', 'project', 'local'] as const;
export type FileLevel = (typeof FILE_LEVELS)[number];

/** Every level, from the weakest to the strongest. */
export type Level = 'default' | FileLevel | 'environment' | 'flags';

/** Where the files of the levels are, all absolute. */
export interface ConfigPaths {
  system: string;
  user: string;
  /** `mlv.yaml`; undefined outside of a repository. */
  project?: string;
  /** In the common Git directory; undefined outside of a repository. */
  local?: string;
  /** Where the cache is when no level says otherwise. */
  cache: string;
  /** The user's home directory, for `~/` in paths. */
  home: string;
}

/** What the paths of the levels follow from. */
export interface ConfigSurroundings {
  env: NodeJS.ProcessEnv;
  home: string;
  /** The repository, where there is one: a RepositoryLayout will do. */
  repository?: { worktree: string; commonDir: string };
}

/** Name of the committed file at the top of the working tree. */
export const PROJECT_FILE = 'mlv.yaml';

/** The places of the levels by the rules of the system: XDG directories (relative ones are ignored, as XDG asks). */
export function configPaths({ env, home, repository }: ConfigSurroundings): ConfigPaths {
  const user = join(xdg(env.XDG_CONFIG_HOME, join(home, '.config')), 'mlv', 'config.yaml');
  const common = { system: join('/etc', 'mlv', 'config.yaml'), user, home };
  if (!repository) return { ...common, cache: join(xdg(env.XDG_CACHE_HOME, join(home, '.cache')), 'mlv') };
  const cache = join(repository.commonDir, 'mlv');
  return { ...common, project: join(repository.worktree, PROJECT_FILE), local: join(cache, 'config.yaml'), cache };
}

function xdg(value: string | undefined, otherwise: string): string {
  return value && isAbsolute(value) ? value : otherwise;
}
