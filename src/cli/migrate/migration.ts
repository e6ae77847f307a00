import type { MlvError } from '../../core/errors.js';
import type { RewriteCommit } from '../../git/rewriting.js';
import type { StandIn } from '../../interop/fill-workspace.js';
import type { Claim, Proof } from '../../interop/prove.js';
import type { Overlay } from '../../interop/rewrite-commits.js';
import type { MovedRef } from '../../interop/rewrite-refs.js';
import type { IsRelevant, State } from '../../interop/rewrite-state.js';
import type { RepositoryPath } from '../../workspace/paths.js';

/** What became of the files of one commit. */
export interface MigratedState {
  overlay: Overlay;
  pointers: MigratedPointer[];
  /** What stays as it is, with the reason. */
  kept: Kept[];
}

/** A pointer that took the place of something of the other tool. */
export interface MigratedPointer extends Claim {
  /** The file that it takes the place of. */
  file: RepositoryPath;
}

/** A file of the other tool that stays as it is. */
export interface Kept {
  file: RepositoryPath;
  error: MlvError;
}

/** Contents by where they came from, or would. */
export interface TakenFrom {
  files: number;
  here: number;
  remote: number;
  missing: number;
}

/** One tool that a repository can be migrated from. */
export interface Migration {
  /** Reads what the blobs hold that may matter; called once, before anything is asked about states. */
  load(commits: readonly RewriteCommit[], head: readonly { path: string; mode: string; blob: string }[]): Promise<void>;
  isRelevant: IsRelevant;
  /** Takes contents into the cache; `head` is the state that the workspace belongs to. With `dryRun` only looks. */
  take(states: () => Iterable<State>, head: State, dryRun: boolean): Promise<void>;
  convert(state: State): MigratedState;
  /** Brings what conversions made into the cache. */
  settle(): Promise<void>;
  /** Paths that leave Git and stay in the working tree. */
  stays(path: RepositoryPath): boolean;
  /** Files of the working tree that only stand for a content. */
  standIns(head: MigratedState): Iterable<StandIn>;
}

export interface MigrationOptions {
  history: boolean;
  replace: boolean;
  commit: boolean;
  dryRun: boolean;
  keepGoing: boolean;
  message: string;
  /** For the name of the file with the old and new commits. */
  tool: string;
}

/** How a migration ended. */
export interface MigrationOutcome {
  /** Pointers of HEAD, or of what would be. */
  pointers: MigratedPointer[];
  /** What stays as it is, in HEAD or (with `commit`) in an old commit. */
  kept: (Kept & { commit?: string })[];
  /** The commit that was made on HEAD's branch. */
  commit: string | undefined;
  staged: boolean;
  /** Rewritten commits, where histories were. */
  rewritten: { commits: number; changed: number; map: string; refs: MovedRef[] } | undefined;
  proof: Proof | undefined;
  /** Files of the workspace that got their content. */
  filled: number;
  /** Of a dry run: what a real one would be refused for. */
  refusals: MlvError[];
}
