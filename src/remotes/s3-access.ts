import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isMlvError } from '../core/errors.js';
import { checkInterrupted, interruption } from './interrupted.js';
import { beginAttempt } from './keys.js';
import type { Attempt, Operation } from './remote-error.js';
import type { S3Connection } from './s3-client.js';
import type { S3Credentials } from './s3-credentials.js';
import { type S3Context, s3Error } from './s3-errors.js';
import { readFailure } from './s3-failure.js';

const HTTP_RANGE_REFUSED = 416;

/** One call of a remote's method: what its messages say, and what ends it. */
export interface S3Call {
  attempt: Attempt;
  signal: AbortSignal | undefined;
}

interface Parts {
  bucket: string;
  /** Without slashes at its ends; may be empty. */
  prefix: string;
  credentials: S3Credentials;
  connection: S3Connection;
}

/** Requests to one prefix of one bucket, with failures translated: what the operations of the S3 remote share. */
export class S3Access {
  readonly bucket: string;
  private readonly root: string;
  private bucketSeen = false;

  constructor(
    readonly url: string,
    private readonly parts: Parts,
  ) {
    this.bucket = parts.bucket;
    this.root = parts.prefix === '' ? '' : `${parts.prefix}/`;
  }

  /** What error messages need to know. */
  get context(): S3Context {
    const { credentials, connection, bucket } = this.parts;
    const { source, advice } = credentials;
    return { bucket, endpoint: connection.endpoint, source, advice };
  }

  get connection(): S3Connection {
    return this.parts.connection;
  }

  /** The name in the bucket of a key, or of a prefix. */
  fullKey(key: string): string {
    return this.root + key;
  }

  address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.fullKey(key) };
  }

  /** Starts a call. Errors: `REMOTE_PERMANENT` for a key that is none, the interruption of an aborted signal. */
  begin(operation: Operation, key: string, signal: AbortSignal | undefined): S3Call {
    return { attempt: beginAttempt({ operation, url: this.url, key }, signal), signal };
  }

  /** Makes a request; `work` may be called twice (see S3Connection.run). Errors: those of Remote. */
  async request<T>({ attempt, signal }: S3Call, work: (client: S3Client) => Promise<T>): Promise<T> {
    checkInterrupted(signal);
    try {
      const answer = await this.connection.run(work);
      this.bucketSeen = true;
      return answer;
    } catch (error) {
      if (signal?.aborted) throw interruption(signal);
      const known = attempt.operation === 'stat' ? await this.explainHead(error, { attempt, signal }) : error;
      throw s3Error(known, attempt, this.context);
    }
  }

  /**
   * A HEAD answers a missing bucket, and on some servers an unknown user, as it answers a missing key. Tells them apart,
   * once. Errors: `REMOTE_NOT_FOUND` for the bucket, those of Remote for whatever else is wrong.
   */
  async requireBucket({ attempt, signal }: S3Call): Promise<void> {
    if (this.bucketSeen) return;
    const error = await this.whyNot(attempt.key ?? '', signal);
    const problem = error === undefined ? undefined : s3Error(error, attempt, this.context);
    if (problem && problem.data.missing !== 'key' && problem.data.status !== HTTP_RANGE_REFUSED) throw problem;
    this.bucketSeen = true;
  }

  /**
   * Some servers close the connection on an upload that they refuse, before the refusal can be read. Gives the error
   * that tells of refused credentials or a missing bucket, where that is what is wrong, or else the failure itself.
   */
  async explainBrokenUpload(failure: unknown, { attempt, signal }: S3Call): Promise<unknown> {
    if (!isMlvError(failure, 'REMOTE_TRANSIENT') || failure.data.status !== undefined) return failure;
    const error = await this.whyNot(attempt.key ?? '', signal);
    const problem = error === undefined ? undefined : s3Error(error, attempt, this.context);
    // Who may write need not be allowed to read, so that a denied read says nothing of the upload.
    return problem?.data.refused === 'credentials' || problem?.data.missing === 'bucket' ? problem : failure;
  }

  /** The answer to a HEAD has a status but no body; a GET of the same key says what is wrong. */
  private async explainHead(error: unknown, { attempt, signal }: S3Call): Promise<unknown> {
    const { status, region } = readFailure(error);
    if (region !== undefined || (status !== 400 && status !== 401 && status !== 403)) return error;
    const explained = await this.whyNot(attempt.key ?? '', signal);
    return readFailure(explained).status === status ? explained : error;
  }

  /** The SDK's error for a GET of the key's first byte, or undefined where that works. */
  private async whyNot(key: string, signal: AbortSignal | undefined): Promise<unknown> {
    const command = new GetObjectCommand({ ...this.address(key), Range: 'bytes=0-0' });
    try {
      const answer = await this.connection.run((client) => client.send(command, abortable(signal)));
      (answer.Body as Readable).on('error', () => undefined).destroy();
      return undefined;
    } catch (error) {
      if (signal?.aborted) throw interruption(signal);
      return error;
    }
  }
}

/** The SDK's option for a signal that may be absent. */
export function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}
