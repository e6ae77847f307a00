/**
 * What keeps files on a branch without a checkout: no method touches a working tree, an index or HEAD, and no hook of
 * the user's is run. Errors everywhere: `GIT_FAILED`, `GIT_NOT_FOUND`.
 */
export interface GitPlumbing {
  /** Refs by pattern (a full name, or with `*`), as they are: tags are not peeled. One process. */
  currentRefs(patterns: readonly string[]): Promise<RawRef[]>;
  /** The working tree in which a branch is checked out; undefined where it is in none, or not there. */
  checkedOutAt(branch: string): Promise<string | undefined>;
  /** All files below some paths of a commit or tree (all where there are none); nothing for a path that is not there. */
  listTree(treeish: string, paths: readonly string[]): Promise<TreeFile[]>;
  /** The directories in a directory of a commit, with the names of their trees; none where it is not there. */
  listFolders(treeish: string, path: string): Promise<{ path: string; tree: string }[]>;
  /** What differs between two trees below some paths; in no order. */
  diffTrees(from: string, to: string, paths: readonly string[]): Promise<TreeChange[]>;
  /** Writes a tree that is another one with files added or replaced, and gives its name. */
  writeTree(tree: NewTree): Promise<string>;
  /** Makes a commit of a tree and gives its name; no ref moves. `SIGNING_FAILED` where it should be signed and is not. */
  commitTree(request: CommitRequest): Promise<string>;
  /** Makes an annotated tag of a commit and gives its name; no ref moves. */
  makeTag(request: TagRequest): Promise<string>;
  /** Moves refs, all or none, each only from the value expected; false where one had another value or was locked. */
  updateRefs(updates: readonly RefUpdate[]): Promise<boolean>;
  /** Sends refs, all or none; says how each fared. Never forces. */
  push(request: PushRequest): Promise<Pushed>;
  /** Takes refs over from a remote; those that are not there are passed over. */
  fetch(request: FetchRequest): Promise<Fetched>;
  /** True where the one commit is the other, or is among its ancestors. */
  isAncestor(ancestor: string, commit: string): Promise<boolean>;
  /** The commits from (without) one commit to another along first parents, oldest first. All where `from` is undefined. */
  commitsBetween(from: string | undefined, to: string): Promise<ChainCommit[]>;
  /** `Name <mail>` of the user as author. `GIT_FAILED` where Git does not know it. */
  author(): Promise<string>;
  /** Whether the user signs every commit (`commit.gpgSign`). */
  signsCommits(): Promise<boolean>;
  /** Names of the Git remotes, and that which the current branch follows. */
  remotes(): Promise<{ all: string[]; ofBranch: string | undefined }>;
  /**
   * Brings HEAD, index and working tree from the commit that HEAD is on to one that follows it. `GIT_FAILED` where HEAD is
   * elsewhere, or a changed file is in the way; nothing was moved then.
   */
  fastForward(to: string): Promise<void>;
  /** The URL that a Git remote is fetched from, as it is configured: it may hold a password. */
  remoteUrl(name: string): Promise<string | undefined>;
  /** The whole message of a commit, its author as Git's environment variables name one, and whether it is signed. */
  readCommit(commit: string): Promise<CommitFacts>;
}

/** A commit of a chain. */
export interface ChainCommit {
  commit: string;
  parents: string[];
  /** The committer's date, seconds since 1970. */
  time: number;
}

/** What a commit did to one path. */
export interface ChainChange {
  /** `/`-separated; bytes that are no UTF-8 are replaced. */
  path: string;
  kind: 'added' | 'deleted' | 'changed';
  /** Blob and mode that the path has now; undefined where it was deleted. */
  blob?: string;
  mode?: string;
}

/** A commit of a chain with what it did, compared with its first parent. */
export interface ChainEntry {
  commit: string;
  changes: ChainChange[];
}

/** A ref as it is. */
export interface RawRef {
  /** Full name. */
  name: string;
  /** What it names, hex: a commit, or a tag that is not peeled. */
  object: string;
}

/** A ref that moves. */
export interface RefUpdate {
  name: string;
  /** Undefined deletes it. */
  to: string | undefined;
  /** The value that it must have; undefined where it must not exist. */
  from: string | undefined;
}

/** A file of a tree. */
export interface TreeFile {
  /** `/`-separated. */
  path: string;
  /** Object name of the blob, hex. */
  blob: string;
  /** `100644`, `100755`, `120000`, `160000`. */
  mode: string;
}

/** One difference between two trees. */
export interface TreeChange {
  path: string;
  /** Added, deleted, or with other content or mode. */
  kind: 'added' | 'deleted' | 'changed';
  /** Blob and mode in the newer tree; of what was deleted, those of the older one. */
  blob: string;
  mode: string;
}

/** A tree to be written. */
export interface NewTree {
  /** The commit whose tree it begins with; an empty tree where undefined. */
  base: string | undefined;
  /** Files by path, added or replaced; paths of plain ASCII, each below directories or not. */
  files: ReadonlyMap<string, string | Uint8Array>;
}

/** Who made a commit, and when, as Git writes it: seconds and zone. */
export interface CommitAuthor {
  name: string;
  mail: string;
  date: string;
}

/** What is read of a commit. */
export interface CommitFacts {
  message: string;
  author: CommitAuthor;
  signed: boolean;
}

export interface CommitRequest {
  tree: string;
  parents: readonly string[];
  message: string;
  /** In place of the user as author; its date is kept, too. */
  author?: CommitAuthor;
  /** Sign it with the user's signing key, as Git is configured (`gpg.format`, `user.signingKey`). */
  sign: boolean;
}

export interface TagRequest {
  /** Name without `refs/tags/`. */
  name: string;
  /** The commit that it stands on. */
  commit: string;
  message: string;
}

export interface PushRequest {
  /** Name of a Git remote. */
  remote: string;
  /** What is sent: objects by hex name, and the full names of the refs that they become. */
  refs: readonly { object: string; name: string }[];
  /** Whether Git may ask the user for a password. */
  interactive: boolean;
}

export interface FetchRequest {
  /** Name of a Git remote. */
  remote: string;
  refspecs: readonly string[];
  /** Whether Git may ask the user for a password. */
  interactive: boolean;
  /** Commits of each ref that are taken, for a shallow clone; all where undefined. */
  depth?: number;
}

/** How a push ended. */
export interface Pushed {
  /** `done`: all refs are there; `refused`: the remote took none; `failed`: it is not known whether it took them. */
  outcome: 'done' | 'refused' | 'failed';
  /** The refs that the remote named as the reason of a refusal. */
  refused: string[];
  /** What Git said, credentials taken out. */
  said: string;
}

/** How a fetch ended. */
export interface Fetched {
  done: boolean;
  /** What Git said where it is not, credentials taken out. */
  said: string;
}
