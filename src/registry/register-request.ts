import type { Params } from '../provenance/params.js';
import type { Metrics } from '../provenance/parse-metrics.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { NumberWish } from './next-version.js';

/** What is to be registered, as the user said it. */
export interface RegisterRequest {
  model: string;
  /** Tracked files and directories; those of the version before where none is given. */
  artifacts: readonly RepositoryPath[];
  data: readonly RepositoryPath[];
  params: Params;
  metrics: Metrics;
  /** Files that parameters and metrics were read from. */
  read: readonly RepositoryPath[];
  /** Takes parameters, metrics, data and environment from the runs that made the artifacts, where they are not given. */
  fromRuns: boolean;
  number: NumberWish;
  /** Reference to the version that it came from. */
  parent?: string;
  /** References to versions of other models. */
  components: readonly string[];
  licence?: string;
  description?: string;
  owners?: readonly string[];
  /** A day: `2028-12-31`. */
  retainUntil?: string;
  /** Only what passes is registered. */
  condition?: string;
  allowDirty: boolean;
  /** Bring objects that no remote has to theirs, instead of refusing. */
  pushObjects: boolean;
}
