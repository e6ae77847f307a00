import { isMlvError, MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { S3Options } from './s3-options.js';

/** What a place says of the content that it has. */
export interface SourceState {
  /** Bytes; undefined where the server does not say. */
  size?: number;
  etag?: string;
  /** Version of the object in its bucket. */
  version?: string;
  /** RFC 3339 in UTC. */
  modified?: string;
}

/** One file that somebody else keeps somewhere, to be read. */
export interface UrlSource {
  /** Fit to be printed and stored. */
  readonly url: string;
  /** The name that the file has there. */
  readonly name: string;
  /** True where the URL held credentials, so that `url` cannot be asked again. */
  readonly secret: boolean;
  /** Errors: `REMOTE_NOT_FOUND` and the others of Remote, `FILE_SYSTEM`. */
  stat(): Promise<SourceState>;
  /**
   * The bytes from an offset on, and the state of what they are bytes of; `start` is 0 where the place gives the whole
   * only. Errors as stat.
   */
  read(from: number): Promise<{ state: SourceState; start: number; body: AsyncIterable<Uint8Array> }>;
  close(): void;
}

export interface SourceOptions {
  /** Where relative paths start, absolute. */
  baseDirectory: string;
  environment: NodeJS.ProcessEnv;
  /** Settings for S3 beyond those of the environment. */
  s3?: Omit<S3Options, 'bucket' | 'prefix'>;
  /** `Authorization` for an origin, from the settings of a remote. */
  authorization?: { origin: string; value: string };
  signal?: AbortSignal;
}

/** The `REMOTE_URL_INVALID` error. */
export function invalidSource(given: string, reason: string): MlvError {
  const shown = redactUrl(given.replace(/[\u0000-\u001f\u007f]/g, '?'));
  return new MlvError('REMOTE_URL_INVALID', `'${shown}' cannot be imported: ${reason}`, {
    hint: 'give s3://bucket/key, https://host/path, file:///path or a path',
    data: { url: shown },
  });
}

/**
 * The error of a server that was not reached, with advice for an address that is imported: it is of no remote. `where` names
 * what else says where that is. Any other error as it is.
 */
export function sourceUnreached(error: Error, where = ''): Error {
  if (!isMlvError(error) || typeof error.data.system !== 'string') return error;
  const { code, message, cause, data } = error;
  const unreached = code === 'REMOTE_TRANSIENT' || data.system === 'ENOTFOUND';
  if (!unreached) return error;
  const hint = `check the address${where} and the network, then run the same command again: what arrived is kept`;
  return new MlvError(code, message, { hint, cause, data });
}
