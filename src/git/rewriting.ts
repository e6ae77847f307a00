/** A path of Git as its bytes, one character each (latin1), because names need not be UTF-8. */
export type BytePath = string;

/** What a commit did to one path, compared with its first parent. */
export interface RewriteChange {
  path: BytePath;
  /** `100644`, `100755`, `120000`, `160000`; undefined where the path was deleted. */
  mode: string | undefined;
  /** Object name, hex; empty where the path was deleted. */
  blob: string;
}

/** A commit and what it changed. */
export interface RewriteCommit {
  /** Hex. */
  commit: string;
  parents: string[];
  changes: RewriteChange[];
}

/** A file of a new commit: a blob that Git has, or a text that becomes one. `undefined` deletes the path. */
export type NewFile = { mode: string; blob: string } | { mode: string; text: string };

/** What a new commit has otherwise than its first parent. */
export interface NewChange {
  path: BytePath;
  file: NewFile | undefined;
}

/** A commit to be written like another one, with other files. */
export interface NewCommit {
  /** The commit whose author, committer, encoding and message it has. Signatures are left out. */
  like: string;
  /** Its parents among the commits written before, by position. */
  parents: number[];
  changes: NewChange[];
}

/** A path that differs between two commits. */
export interface RewriteDifference {
  path: BytePath;
  before: { mode: string; blob: string } | undefined;
  after: { mode: string; blob: string } | undefined;
}

/**
 * What a migration needs of Git: to see whole histories and to write new ones. Nothing here touches the working tree; no
 * filter (such as that of Git LFS) and no hook is run. Errors everywhere: `GIT_FAILED`, `GIT_NOT_FOUND`.
 */
export interface GitRewriting {
  /** Every commit that leads to the tips, parents before children. */
  commits(tips: readonly string[]): Promise<RewriteCommit[]>;
  /** The commits without parents that lead to a commit, sorted. */
  roots(tip: string): Promise<string[]>;
  /** Every file of a commit or tree. */
  files(treeish: string): Promise<{ path: BytePath; mode: string; blob: string }[]>;
  /** Sizes in bytes of blobs, by name; what Git does not have is left out. */
  sizes(blobs: readonly string[]): Promise<Map<string, number>>;
  /** Contents of blobs of at most `limit` bytes; what is missing or larger is left out. */
  smallBlobs(blobs: readonly string[], limit: number): Promise<Map<string, Buffer>>;
  /** Writes commits with one process and gives their names in order. No ref moves. */
  writeCommits(commits: readonly NewCommit[]): Promise<string[]>;
  /** Writes the tree of a commit with some files otherwise, and gives its name. */
  writeTree(base: string, changes: readonly NewChange[]): Promise<string>;
  /** What differs between two commits or trees. */
  difference(from: string, to: string): Promise<RewriteDifference[]>;
  /** What Git's index has at some paths. */
  indexed(paths: ReadonlySet<BytePath>): Promise<Map<BytePath, { mode: string; blob: string }>>;
  /** Brings the index to what `after` says of each path. */
  stageDifference(differences: readonly RewriteDifference[]): Promise<void>;
  /** An annotated tag like another one (hex name of the tag object) on another commit, unsigned. */
  retag(tag: string, commit: string): Promise<string>;
  /** Value of a setting of Git, all of them where there are several. */
  config(key: string): Promise<string[]>;
  /** Values of a setting of Git for a URL, the user's own for other URLs left out (`http.<url>.<name>`). */
  configForUrl(key: string, url: string): Promise<string[]>;
  /** Every setting of Git whose key matches a pattern (see git-config's --get-regexp), in order. */
  configMatching(pattern: string): Promise<[key: string, value: string][]>;
  /** The same of a file in the syntax of Git's configuration, given as its text. */
  configOfText(text: string): Promise<[key: string, value: string][]>;
  /** Asks Git's credential helpers, and where `interactive` the user; undefined where nobody knows. */
  credential(action: 'fill' | 'approve' | 'reject', request: Record<string, string>): Promise<Record<string, string>>;
}
