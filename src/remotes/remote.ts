/** One stored thing on a remote. */
export interface RemoteEntry {
  /** Key relative to the remote's root: `/`-separated, no leading slash, ASCII. */
  key: string;
  /** Bytes. */
  size: number;
  /** Last modification in milliseconds since the epoch, by the remote's own clock. */
  modified: number;
}

/** Half-open range of bytes: `start` inclusive, `length` bytes. */
export interface ByteRange {
  start: number;
  length: number;
}

/** What a get delivers. */
export interface RemoteContent {
  /** Exactly how many bytes `body` yields when nothing goes wrong. */
  size: number;
  /**
   * The bytes, once. Ending early without `size` bytes is an error of class transient, never a silent end. A body holds
   * a connection until it is read to its end, its iterator is returned (leaving `for await` does that), or it is given
   * to `discardContent`.
   */
  body: AsyncIterable<Uint8Array>;
}

/** A body that can be opened again, so that a retry needs nothing from its caller. */
export interface RemoteBody {
  /** Bytes. */
  size: number;
  /** Their SHA-256, where the caller knows it: who needs it does not read the bytes for it. */
  sha256?: Uint8Array;
  /** The bytes from the start: a buffer, or a fresh stream of exactly `size` bytes. */
  open(): Uint8Array | AsyncIterable<Uint8Array>;
}

export interface GetOptions {
  /** Which bytes, at least one; the whole by default. A range beyond the end is an error (`REMOTE_PERMANENT`). */
  range?: ByteRange;
  signal?: AbortSignal;
}

/** A ranged GET as anybody can make it who speaks HTTP: without redirects, further tries, or a look at the answer. */
export interface PlainGet {
  /** Of http or https. */
  url: string;
  /** Complete, credentials among them: for this request, and soon. */
  headers: Record<string, string>;
}

/**
 * Makes a request in a remote's place, and tells of the bytes that arrive. False where anything is not as it should be.
 */
export type Carrier = (request: PlainGet, onBytes: (bytes: number) => void) => Promise<boolean>;

export interface PutOptions {
  /**
   * Ask the server to write only where nothing is. An optimisation for servers that support it, never a lock:
   * a server may ignore it, and the result is then `created`.
   */
  ifAbsent?: boolean;
  signal?: AbortSignal;
}

export interface ListOptions {
  /** Only keys that come after this one; that is how an interrupted listing goes on. */
  startAfter?: string;
  signal?: AbortSignal;
}

/** Where a remote's credentials come from. Holds no credential itself. */
export interface CredentialSource {
  /** For messages: `the environment (AWS_ACCESS_KEY_ID)`, `the profile 'ml' (~/.aws/credentials)`. */
  name: string;
  /** When they stop to work, in milliseconds since the epoch; absent for those that do not expire. */
  expires?: number;
}

/**
 * A place that stores immutable bytes by key. Every implementation passes test/conformance/remote.ts.
 *
 * Errors, for every method: `REMOTE_NOT_FOUND` (the key, for get; the bucket or the base directory, for all),
 * `REMOTE_DENIED` (credentials, permissions), `REMOTE_PERMANENT` (trying again cannot help),
 * `REMOTE_TRANSIENT` (trying again may help), `DISK_FULL` (put). Each names operation, URL (redacted), key and cause.
 * `error.data.missing` of a `REMOTE_NOT_FOUND` says what is not there: `key`, `bucket` or `directory`.
 * An aborted signal ends a call with the signal's reason where that is an MlvError, otherwise with `INTERRUPTED`.
 * A key is made of segments of `A-Z a-z 0-9 . _ = @ + -`, joined by `/`; the first segment is never `tmp`, no segment
 * is `.` or `..`. Any other key is a `REMOTE_PERMANENT`.
 */
export interface Remote {
  /** For messages: the URL without credentials. */
  readonly url: string;
  /** The entry at that key, or undefined where there is none. */
  stat(key: string, options?: { signal?: AbortSignal }): Promise<RemoteEntry | undefined>;
  get(key: string, options?: GetOptions): Promise<RemoteContent>;
  /**
   * Has a carrier make the request of a ranged `get` over connections of its own, as a thread does. False where that came to
   * nothing, for whatever reason: then `get` is to be asked, which tries again and has the words for what is wrong. Absent where
   * requests cannot be made by others.
   */
  getBy?(carrier: Carrier, key: string, options: { range: ByteRange; signal?: AbortSignal }): Promise<boolean>;
  /**
   * Stores the body: readers see the old content or the whole new one, never a part. `exists` only where `ifAbsent`
   * was asked for and the server refused because of it.
   */
  put(key: string, body: RemoteBody, options?: PutOptions): Promise<'created' | 'exists'>;
  /** Every entry whose key starts with `prefix` (a plain string prefix), in ascending key order, in pages. */
  list(prefix: string, options?: ListOptions): AsyncIterable<RemoteEntry>;
  /** Removes the keys; a key that is not there is not an error. */
  delete(keys: readonly string[], options?: { signal?: AbortSignal }): Promise<void>;
  /** Closes sockets; the remote is not used afterwards. */
  close(): Promise<void>;
  /**
   * Loads the credentials and says where they come from; absent where a remote needs none.
   * Error: `REMOTE_DENIED` when there are none, with every source that was tried.
   */
  describeCredentials?(): Promise<CredentialSource>;
}

/** A body of bytes that are in memory, with their SHA-256 where it is known. */
export function bytesBody(bytes: Uint8Array, sha256?: Uint8Array): RemoteBody {
  return { size: bytes.byteLength, open: () => bytes, ...(sha256 && { sha256 }) };
}

/** Gives a content back unread, so that its connection is free again. */
export async function discardContent(content: RemoteContent): Promise<void> {
  await content.body[Symbol.asyncIterator]().return?.();
}

/** Reads a whole content into one buffer: for small things such as records. */
export async function readContent(content: RemoteContent): Promise<Buffer> {
  const result = Buffer.allocUnsafe(content.size);
  let offset = 0;
  for await (const part of content.body) {
    result.set(part, offset);
    offset += part.byteLength;
  }
  return offset === content.size ? result : result.subarray(0, offset);
}
