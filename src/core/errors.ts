/** Exit codes of the command line, in one table (documented in docs/exit-codes.md). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  differences: 3,
  missing: 4,
  integrity: 5,
  refused: 6,
  remote: 7,
  interrupted: 130,
} as const;

/** Every error code that mlv raises, with the exit code it ends the command with. */
export const ERROR_CODES = {
  USAGE: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_KEY_UNKNOWN: EXIT.usage,
  CONFIG_NOT_SET: EXIT.failed,
  CREDENTIAL_IN_COMMITTED_CONFIG: EXIT.usage,
  NOT_A_GIT_REPOSITORY: EXIT.failed,
  WORKTREE_MISSING: EXIT.failed,
  NOT_INITIALISED: EXIT.failed,
  GIT_NOT_FOUND: EXIT.failed,
  GIT_FAILED: EXIT.failed,
  REVISION_UNKNOWN: EXIT.usage,
  HISTORY_INCOMPLETE: EXIT.failed,
  FORMAT_TOO_NEW: EXIT.failed,
  PATH_OUTSIDE_REPOSITORY: EXIT.usage,
  PATH_NOT_FOUND: EXIT.usage,
  PATH_NOT_TRACKED: EXIT.usage,
  PATH_UNSUPPORTED: EXIT.usage,
  TRACKED_BY_GIT: EXIT.failed,
  TARGET_IS_POINTER: EXIT.usage,
  TARGETS_OVERLAP: EXIT.usage,
  TARGET_EXISTS: EXIT.failed,
  POINTER_INVALID: EXIT.integrity,
  POINTER_UNSAFE: EXIT.integrity,
  TREE_INVALID: EXIT.integrity,
  PACK_INVALID: EXIT.integrity,
  RECORD_INVALID: EXIT.integrity,
  FOREIGN_INVALID: EXIT.integrity,
  OBJECT_CORRUPT: EXIT.integrity,
  OBJECT_MISSING: EXIT.missing,
  FILE_CHANGED_WHILE_READ: EXIT.failed,
  UNSAVED_CHANGES: EXIT.failed,
  WORKSPACE_BEHIND: EXIT.failed,
  DIFFERENCES: EXIT.differences,
  FILE_SYSTEM: EXIT.failed,
  NAME_REFUSED: EXIT.failed,
  DISK_FULL: EXIT.failed,
  CACHE_BUSY: EXIT.failed,
  CACHE_MOVED: EXIT.failed,
  HASH_UNAVAILABLE: EXIT.failed,
  REMOTE_NOT_CONFIGURED: EXIT.usage,
  REMOTE_EXISTS: EXIT.usage,
  REMOTE_URL_INVALID: EXIT.usage,
  REMOTE_MISMATCH: EXIT.remote,
  REMOTE_BUSY: EXIT.remote,
  REMOTE_NOT_FOUND: EXIT.remote,
  REMOTE_DENIED: EXIT.remote,
  REMOTE_PERMANENT: EXIT.remote,
  REMOTE_TRANSIENT: EXIT.remote,
  MODEL_UNKNOWN: EXIT.usage,
  MODEL_NAME_INVALID: EXIT.usage,
  VERSION_UNKNOWN: EXIT.usage,
  VERSION_INVALID: EXIT.usage,
  VERSION_EXISTS: EXIT.failed,
  STAGE_UNKNOWN: EXIT.usage,
  EXPRESSION_INVALID: EXIT.usage,
  CONDITION_FALSE: EXIT.refused,
  WORKSPACE_DIRTY: EXIT.failed,
  REGISTRY_INVALID: EXIT.integrity,
  REGISTRY_REFUSED: EXIT.refused,
  REGISTRY_RACE: EXIT.failed,
  REGISTRY_DIVERGED: EXIT.failed,
  REGISTRY_REWRITTEN: EXIT.integrity,
  AUDIT_FAILED: EXIT.integrity,
  SIGNING_FAILED: EXIT.failed,
  PARAMS_INVALID: EXIT.failed,
  METRICS_INVALID: EXIT.failed,
  DATA_UNREADABLE: EXIT.failed,
  PIPELINE_INVALID: EXIT.usage,
  RUN_FAILED: EXIT.failed,
  ENVIRONMENT_FAILED: EXIT.failed,
  PACKAGES_MISSING: EXIT.missing,
  CHECK_FAILED: EXIT.failed,
  INTERNAL: EXIT.failed,
  INTERRUPTED: EXIT.interrupted,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface MlvErrorOptions {
  /** The next command to run, or the thing to change, in one sentence. */
  hint?: string;
  /** The error that caused this one; shown with --debug. */
  cause?: unknown;
  /** Facts for `--json`: paths, oids, keys. Never a credential. */
  data?: Record<string, unknown>;
}

/**
 * The one error type that reaches the user. The message says what failed, on which path or URL, and why;
 * callers decide by `code`, never by the text.
 */
export class MlvError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: MlvErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MlvError';
    this.code = code;
    this.hint = options.hint;
    this.data = options.data ?? {};
  }

  /** The exit code of the process that ends with this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code];
  }
}

/** True when `error` is an MlvError, of that code where one is given. */
export function isMlvError(error: unknown, code?: ErrorCode): error is MlvError {
  return error instanceof MlvError && (code === undefined || error.code === code);
}

/** The `code` of a Node system error (`ENOENT`, `EACCES`, ...), or undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : undefined;
}

const SYSTEM_HINTS: Record<string, string> = {
  EMFILE: 'allow more open files (ulimit -n 1024) and run the same command again; what is already stored is kept',
};

const SYSTEM_REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ENAMETOOLONG: 'the name is too long for this file system',
  ELOOP: 'too many symbolic links',
  EBUSY: 'it is in use',
  EIO: 'the disk reported an input/output error',
};

/**
 * Turns a Node file-system error into an MlvError (`DISK_FULL` for a full disk or an exceeded quota, otherwise
 * `FILE_SYSTEM`) that names the operation and the path. An MlvError is given back as it is.
 */
export function fileSystemError(operation: string, path: string, error: unknown): MlvError {
  if (error instanceof MlvError) return error;
  const code = systemErrorCode(error);
  const data = { path, ...(code === undefined ? {} : { system: code }) };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const reason = code === 'EDQUOT' ? 'the disk quota is exceeded' : 'no space is left on the disk';
    return new MlvError('DISK_FULL', `cannot ${operation} '${path}': ${reason}`, {
      cause: error,
      data,
      hint: 'free some space and run the same command again; what is already stored is kept',
    });
  }
  const reason = (code && SYSTEM_REASONS[code]) ?? code ?? String(error);
  const hint = code === undefined ? undefined : SYSTEM_HINTS[code];
  const options = { cause: error, data, ...(hint !== undefined && { hint }) };
  return new MlvError('FILE_SYSTEM', `cannot ${operation} '${path}': ${reason}`, options);
}
