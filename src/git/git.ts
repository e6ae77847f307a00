import type { ChainEntry, GitPlumbing } from './plumbing.js';
import type { GitRewriting } from './rewriting.js';
import type { Signatures } from './signed-object.js';

/** Where a Git repository keeps its parts. All paths are absolute and real (symlinks resolved). */
export interface RepositoryLayout {
  /** Top of the working tree. */
  worktree: string;
  /** This worktree's own Git directory (`.git`, or `.git/worktrees/<name>` for a linked one). */
  gitDir: string;
  /** The Git directory shared by all linked worktrees. */
  commonDir: string;
  /** The caller's directory relative to `worktree`, `/`-separated, empty at the top, without a trailing slash. */
  prefix: string;
}

/** Where a repository has its hooks. */
export interface HookPlace {
  /** Absolute path of the directory in which a hook's file is looked for. */
  directory: string;
  /** Whose it is: Git's own, one that `core.hooksPath` names, or husky's, which calls these files. */
  kind: 'git' | 'hooks-path' | 'husky';
  /** True where the directory is in the working tree, so that its files are committed for everyone. */
  shared: boolean;
}

/** A file that a commit or the index names. */
export interface GitFile {
  /** `/`-separated, relative to the top of the working tree. */
  path: string;
  /** Object name of the blob, hex. */
  blob: string;
  /** `100644`, `100755`, `120000`. */
  mode: string;
}

/** A file that the index holds in conflict: the blobs of its sides, hex; undefined where a side has no file there. */
export interface GitConflict {
  path: string;
  base?: string;
  ours?: string;
  theirs?: string;
}

/** A branch, tag or remote-tracking branch. */
export interface GitRef {
  /** Full name, such as `refs/heads/main`. */
  name: string;
  /** Commit it points to (tags are peeled), hex. */
  commit: string;
}

/** Everything that a repository could still bring back of files with one suffix; see Git.reachableFiles. */
export interface ReachableFiles {
  /**
   * Each blob once, with one of the paths it had, and a commit that brought it, unless only an index has it; its size in
   * bytes where Git tells it.
   */
  versions: { path: string; blob: string; size: number | undefined; commit?: string }[];
  /** Files in working trees: the top of the tree (absolute), and the path from there. */
  files: { top: string; path: string }[];
  /** Locked working trees whose directory is not there, and whose files could not be looked at. */
  missing: string[];
}

/** What else Git.reachableFiles looks at, and what it leaves out. */
export interface ReachableOptions {
  /** Commits that lead to more. */
  also?: readonly string[];
  /** Full names of refs that lead to nothing, tags say; what another ref leads to, too, counts all the same. */
  without?: readonly string[];
}

/** Some commits and all that lead to them. */
export interface CommitGraph {
  /** By name, with the committer's date in seconds since 1970. */
  commits: Map<string, { parents: string[]; time: number }>;
  /** The commits that the stash is made of, those of index and untracked files included. */
  stashed: string[];
}

/** What the working trees of a repository hold of files with one suffix; see Git.worktreeStates. */
export interface WorktreeStates extends ReachableFiles {
  /** The commits that a working tree stands on or may come back to. */
  commits: string[];
}

/** A branch or tag of a Git remote, as it is there. */
export interface RemoteTip {
  remote: string;
  /** Full name there, such as `refs/heads/main`. */
  ref: string;
  /** What it leads to (tags are peeled), hex. */
  object: string;
  /** Whether this clone has that object. */
  known: boolean;
}

/** A file that Git would see in the working tree, as it stands there. */
export interface WorkingFile {
  path: string;
  /** Name of the blob that `git add` would make of it, hex. */
  blob: string;
}

/** What a working tree has beyond its commit. */
export interface WorkingDifference {
  /** For `git apply`, binary files included; undefined where it would be longer than 64 MiB. */
  patch: Buffer | undefined;
  /** Files that differ from HEAD or that HEAD does not have, sorted; ignored ones are not looked at. */
  paths: string[];
  /** Of those, untracked files that are not in the patch: above 1 MiB, or with a name that secrets have. */
  leftOut: string[];
}

/** Whether Git calls mlv for pointers. */
export interface MergeSetup {
  /** The configuration of this clone names mlv. */
  driver: 'current' | 'outdated' | 'absent';
  /** Attributes give pointers to the driver, and to the textual diff. */
  attributes: boolean;
}

/** `index` means what is staged; anything else is a revision that Git understands. */
export type GitSource = { kind: 'index' } | { kind: 'revision'; revision: string };

/** What Git's configuration says that the disk can keep. */
export interface DiskSettings {
  /** False where the executable bit that a file has on the disk means nothing: FAT, exFAT, SMB, drives of Windows. */
  trustsFileMode(): boolean;
  /**
   * False where a file with the target as its content stands for a symbolic link. Looked at only where the executable bit
   * means nothing, too: file systems lack both.
   */
  makesLinks(): boolean;
}

/**
 * What mlv needs of Git. Paths in and out are `/`-separated and relative to the top of the working tree, and are
 * always taken literally (no pathspec magic). Errors: `GIT_FAILED` with Git's own stderr in the message,
 * `REVISION_UNKNOWN` for a revision that names no commit.
 */
export interface Git extends DiskSettings {
  readonly layout: RepositoryLayout;
  /** Trees, commits and refs without a working tree: what the registry's branch is kept with. */
  readonly plumbing: GitPlumbing;
  /** Git's version, such as `2.39.5`. */
  version(): Promise<string>;
  /** The commit that a revision names, hex. */
  resolve(revision: string): Promise<string>;
  /** The commit of HEAD, or undefined before the first commit. */
  head(): Promise<string | undefined>;
  /** Which of the paths, or files below them, Git's index holds; sorted. The empty path means everything. */
  trackedFiles(paths: readonly string[]): Promise<string[]>;
  /**
   * Which of the paths Git would ignore; what the index holds is never ignored. A directory that does not exist is
   * taken for a directory only when its path ends with a slash.
   */
  ignoredPaths(paths: readonly string[]): Promise<Set<string>>;
  /**
   * Files whose name ends with `suffix`, in the index or untracked and not ignored: what a user sees as the
   * repository's files. Sorted by path; a file that was deleted from the working tree but not from the index is listed.
   */
  listWorkspaceFiles(suffix: string): Promise<string[]>;
  /**
   * Files of a commit or of the index whose name ends with `suffix`. A path in conflict is given once: our side's
   * version, or where that is deleted, theirs.
   */
  listFiles(source: GitSource, suffix: string): Promise<GitFile[]>;
  /**
   * The contents of blobs, by blob name, in one process whatever their number. `GIT_FAILED` names what is missing (a
   * partial clone may lack some); a blob above 16 MiB is refused.
   */
  readBlobs(blobs: readonly string[]): Promise<Map<string, Buffer>>;
  /**
   * For each path, the distinct blobs it had in the commits reachable from `revisions` (all sides of merges), newest
   * first, at most `limit` each; deletions are left out, renames are not followed. Works in a shallow clone (what is
   * there is used).
   */
  pathHistory(
    paths: readonly string[],
    options: { revisions: readonly string[]; limit: number },
  ): Promise<Map<string, string[]>>;
  /** Local branches, tags and remote-tracking branches, as asked; what leads to no commit, and symbolic refs, are left out. */
  refs(kinds: { branches?: boolean; tags?: boolean; remoteBranches?: boolean }): Promise<GitRef[]>;
  /**
   * Every version that files with the suffix have in any commit that anything leads to (every ref, stash, reflog, HEAD
   * and operation under way in every linked working tree, and the commits in `also`) and in every index; and those
   * files of the working trees themselves. Commits that replace others count beside what they replace.
   */
  reachableFiles(suffix: string, options?: ReachableOptions): Promise<ReachableFiles>;
  /**
   * As reachableFiles, but only of the working trees: what their indexes and they themselves hold, and the commits that
   * they stand on (HEAD, and what is under way).
   */
  worktreeStates(suffix: string): Promise<WorktreeStates>;
  /** The commits that lead to some (whole names in hex, or refs), and those of the stash. */
  commitGraph(starts: readonly string[]): Promise<CommitGraph>;
  /** See filesOfCommits. */
  filesOfCommits(
    suffix: string,
    which: { commits: readonly string[]; whole: readonly string[] },
  ): Promise<ReachableFiles['versions']>;
  /** Of the working trees that are there, the caller's first: top, and own Git directory. */
  worktreeDirectories(): Promise<{ top: string; gitDir: string }[]>;
  /** Tops of the working trees that are there, the caller's first. */
  worktrees(): Promise<string[]>;
  /** A commit that brought the blob or took it away; undefined where none that anything leads to does. */
  commitWith(blob: string): Promise<string | undefined>;
  /** Branches and tags of all Git remotes as they are there now: asks each over the network. */
  remoteTips(): Promise<RemoteTip[]>;
  /**
   * Every commit up to one along first parents, oldest first, with what each changed; replacements are left aside. With
   * `paths`, only the commits that touched these, and only what they did there.
   */
  chainLog(tip: string, paths?: readonly string[]): Promise<ChainEntry[]>;
  /** Checks a commit out into a linked working tree of its own, which must not be there yet; runs no hook. */
  addWorktree(path: string, commit: string): Promise<void>;
  /** Applies a patch of `git diff --binary` in a working tree, all of it or nothing. Error: `GIT_FAILED`. */
  applyPatch(directory: string, patch: Uint8Array): Promise<void>;
  /** Takes a linked working tree away, with everything in it. */
  removeWorktree(path: string): Promise<void>;
  /** What a migration from another tool needs: whole histories, and new ones. */
  rewriting(): Promise<GitRewriting>;
  /** Opens a reader of signed commits and tags, which looks at no configuration or key ring of the user. */
  signatures(): Promise<Signatures>;
  /** Files at or below the paths that Git holds, or sees untracked and not ignored; see filesBelow. */
  filesBelow(paths: readonly string[]): Promise<string[]>;
  /** The blobs that `git add` would make of files of the working tree, in their order; nothing is stored. */
  hashFiles(paths: readonly string[]): Promise<WorkingFile[]>;
  /** True for a commit, given whole in hex, that this clone has; nothing is fetched. */
  hasCommit(commit: string): Promise<boolean>;
  /** Paths whose files differ between two commits, of a rename both names; sorted. */
  changedPaths(from: string, to: string): Promise<string[]>;
  /** The commit that two commits (whole names in hex) have in common last; undefined where this clone knows none. */
  mergeBase(one: string, other: string): Promise<string | undefined>;
  /** The commits that lead to `to` and not to `from`, newest first, at most `limit`. */
  commitsSince(range: { from: string; to: string; limit: number }): Promise<string[]>;
  /** The branch that HEAD is on, such as `main`; undefined where it is on none. */
  branch(): Promise<string | undefined>;
  /** Files that differ from HEAD, staged or not, of a rename both names; and files that Git neither has nor ignores. */
  workingChanges(): Promise<{ changed: string[]; untracked: string[] }>;
  /** What the working tree has beyond HEAD, undefined for a clean one; `scratch` is an unused absolute path. */
  workingDifference(scratch: string): Promise<WorkingDifference | undefined>;
  /** The files with that suffix that a merge, rebase, cherry-pick or stash left in conflict; sorted by path. */
  conflicts(suffix: string): Promise<GitConflict[]>;
  /** The commits that a merge or cherry-pick is bringing into HEAD and that are not committed yet, hex. */
  incoming(): string[];
  /** How the merge driver for pointers is set up in this clone. */
  mergeSetup(): Promise<MergeSetup>;
  /** Has Git call mlv to merge and to show pointers, in this clone; gives whether anything changed. */
  installMergeDriver(): Promise<boolean>;
  /** Takes back what installMergeDriver set; gives whether anything changed. */
  removeMergeDriver(): Promise<boolean>;
  /** Where Git looks for this repository's hooks. */
  hookPlace(): Promise<HookPlace>;
  /** True for a clone that lacks history. */
  isShallow(): Promise<boolean>;
  /**
   * Stages files (`git add`), ignored ones only when `force` is set. Waits up to about five seconds for another Git
   * process that holds the index.
   */
  stage(paths: readonly string[], options?: { force?: boolean }): Promise<void>;
  /** Takes paths, and what is below them, out of the index and leaves the working tree alone. */
  unstage(paths: readonly string[]): Promise<void>;
}
