import type { Git } from '../git/git.js';
import type { GitPlumbing } from '../git/plumbing.js';
import type { Pause } from './pause.js';
import type { Judge, RegistryView } from './registry.js';

/** What the parts of the registry work with. */
export interface RegistryContext {
  git: Git;
  plumbing: GitPlumbing;
  interactive: boolean;
  judge: Judge;
  pause: Pause;
  /** The Git remote to share through; looked up at the first use. Error: `REMOTE_NOT_CONFIGURED`. */
  remote: () => Promise<string | undefined>;
  /** A view that reads every file that it needs, and keeps nothing. */
  exactView: (commit: string | undefined) => RegistryView;
}
