import type { IncomingMessage } from 'node:http';
import type { File } from '@google-cloud/storage';
import pLimit from 'p-limit';
import { isMlvError, MlvError } from '../core/errors.js';
import { openBody } from './body.js';
import { rangeFault } from './content-range.js';
import { GcsAccess } from './gcs-credentials.js';
import { bucketMissing, type GcsContext, gcsError, notGcs, refusalOf, refusedError } from './gcs-errors.js';
import { listObjects } from './gcs-list.js';
import { GcsMedia, readAnswer, readRefusal } from './gcs-media.js';
import type { GcsOptions } from './gcs-options.js';
import { checkInterrupted, interruption } from './interrupted.js';
import { beginAttempt, checkRange, rangeBeyondEnd } from './keys.js';
import { bodyFailure } from './network-failure.js';
import { plainCause } from './plain-cause.js';
import type {
  ByteRange,
  CredentialSource,
  GetOptions,
  ListOptions,
  PutOptions,
  Remote,
  RemoteBody,
  RemoteContent,
  RemoteEntry,
} from './remote.js';
import { type Attempt, type Operation, remoteError } from './remote-error.js';
import { incomingBody, outgoingBody } from './stream-body.js';
import { untilAborted } from './until-aborted.js';

const DELETES_AT_ONCE = 16;

/** Opens a bucket. No request is made yet. Errors: those of GcsAccess. */
export function openGcsRemote(options: GcsOptions): Remote {
  return new GcsRemote(options);
}

/** A remote in a bucket of Google Cloud Storage. */
class GcsRemote implements Remote {
  readonly url: string;
  private readonly root: string;
  private readonly access: GcsAccess;
  private readonly media: GcsMedia;
  private bucketSeen = false;

  constructor(private readonly options: GcsOptions) {
    const prefix = (options.prefix ?? '').replace(/^\/+|\/+$/g, '');
    this.root = prefix === '' ? '' : `${prefix}/`;
    this.url = `gs://${options.bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.access = new GcsAccess(options, this.url);
    this.media = new GcsMedia(this.access, options.connections);
  }

  async stat(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    const attempt = this.begin('stat', key, signal);
    try {
      const [metadata] = await this.request(attempt, signal, () => this.file(key).getMetadata());
      if (metadata.size === undefined) throw this.strange(attempt, 'no object');
      return { key, size: Number(metadata.size), modified: Date.parse(metadata.updated ?? '') || 0 };
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND')) throw error;
      await this.requireBucket(attempt, signal);
      return undefined;
    }
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<RemoteContent> {
    const attempt = this.begin('get', key, signal);
    checkRange(attempt, range);
    const response = await this.transfer(attempt, signal, () =>
      this.media.download(this.root + key, { range, signal }),
    );
    const { statusCode: status } = response;
    if (status === 200 || status === 206) return this.receive(response, { attempt, range, signal });
    const refusal = await readRefusal(response);
    if (range && status === 416) throw rangeBeyondEnd(attempt, range, {});
    if (status === 404) await this.requireBucket(attempt, signal);
    throw refusedError(refusal, { attempt, context: this.context });
  }

  async put(
    key: string,
    body: RemoteBody,
    { ifAbsent = false, signal }: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    const attempt = this.begin('put', key, signal);
    const outgoing = outgoingBody(openBody(body, attempt), signal);
    try {
      const response = await this.transfer(attempt, signal, () =>
        this.media
          .upload(this.root + key, {
            body: { size: body.size, content: outgoing.body },
            ifAbsent,
            signal: outgoing.signal,
          })
          .catch((error: unknown) => {
            throw outgoing.failure() ?? error;
          }),
      );
      return await this.stored(response, { attempt, ifAbsent, signal });
    } finally {
      outgoing.close();
    }
  }

  list(prefix: string, options: ListOptions = {}): AsyncIterable<RemoteEntry> {
    const attempt: Attempt = { operation: 'list', url: this.url, key: prefix };
    return listObjects({
      bucket: this.access.bucket,
      root: this.root,
      attempt,
      options,
      context: this.context,
      request: (work) => this.request(attempt, options.signal, work),
    });
  }

  async delete(keys: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const attempts = keys.map((key) => this.begin('delete', key, signal));
    const limit = pLimit(DELETES_AT_ONCE);
    await Promise.all(attempts.map((attempt) => limit(() => this.deleteOne(attempt, signal))));
  }

  async close(): Promise<void> {
    this.media.close();
  }

  describeCredentials(): Promise<CredentialSource> {
    return this.access.describe();
  }

  private get context(): GcsContext {
    const { endpoint, source } = this.access;
    return { bucket: this.options.bucket, endpoint, source };
  }

  private begin(operation: Operation, key: string, signal: AbortSignal | undefined): Attempt {
    return beginAttempt({ operation, url: this.url, key }, signal);
  }

  private file(key: string): File {
    return this.access.bucket.file(this.root + key);
  }

  /** A request of the SDK, which knows no signals. */
  private async request<T>(attempt: Attempt, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    checkInterrupted(signal);
    // The SDK would ask for credentials by itself, but say less about their absence.
    await this.access.headers();
    try {
      const answer = await untilAborted(work(), signal);
      this.bucketSeen = true;
      return answer;
    } catch (error) {
      if (attempt.operation === 'list' && refusalOf(error)?.status === 404) {
        throw remoteError(attempt, { ...bucketMissing(this.context), cause: plainCause(error) });
      }
      throw gcsError(error, attempt, this.context);
    }
  }

  private async transfer(
    attempt: Attempt,
    signal: AbortSignal | undefined,
    work: () => Promise<IncomingMessage>,
  ): Promise<IncomingMessage> {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw interruption(signal);
      throw error instanceof MlvError ? error : gcsError(error, attempt, this.context);
    }
  }

  private receive(
    response: IncomingMessage,
    { attempt, range, signal }: { attempt: Attempt; range: ByteRange | undefined; signal: AbortSignal | undefined },
  ): RemoteContent {
    try {
      const { headers } = response;
      const size = Number(headers['content-length'] ?? Number.NaN);
      if (headers['x-goog-generation'] === undefined || Number.isNaN(size)) throw this.strange(attempt, 'no object');
      const given = { contentRange: headers['content-range'], contentLength: size };
      const fault = range && rangeFault(given, range, attempt);
      if (isMlvError(fault)) throw fault;
      if (fault) throw this.strange(attempt, 'another range than asked for');
      this.bucketSeen = true;
      const translate = (error: unknown): Error =>
        remoteError(attempt, { ...bodyFailure(error, this.access.endpoint), cause: error });
      return { size, body: incomingBody({ stream: response, size, attempt, signal, translate }) };
    } catch (error) {
      response.destroy();
      throw error;
    }
  }

  private async stored(
    response: IncomingMessage,
    { attempt, ifAbsent, signal }: { attempt: Attempt; ifAbsent: boolean; signal: AbortSignal | undefined },
  ): Promise<'created' | 'exists'> {
    const { statusCode: status } = response;
    if (status !== 200) {
      const refusal = await readRefusal(response);
      if (ifAbsent && status === 412) return 'exists';
      if (status === 404) await this.requireBucket(attempt, signal);
      throw refusedError(refusal, { attempt, context: this.context });
    }
    const answer = await this.transferred(attempt, signal, response);
    if (!answer.includes('"generation"')) throw this.strange(attempt, 'no generation, so nothing was stored');
    this.bucketSeen = true;
    return 'created';
  }

  private async transferred(
    attempt: Attempt,
    signal: AbortSignal | undefined,
    response: IncomingMessage,
  ): Promise<string> {
    try {
      return await readAnswer(response);
    } catch (error) {
      if (signal?.aborted) throw interruption(signal);
      throw remoteError(attempt, { ...bodyFailure(error, this.access.endpoint), cause: error });
    }
  }

  private async deleteOne(attempt: Attempt, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.request(attempt, signal, () => this.file(attempt.key ?? '').delete());
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND')) throw error;
      await this.requireBucket(attempt, signal);
    }
  }

  /** The server answers a missing bucket as it answers a missing object: tells them apart. */
  private async requireBucket(attempt: Attempt, signal: AbortSignal | undefined): Promise<void> {
    if (this.bucketSeen) return;
    try {
      await untilAborted(this.access.bucket.getMetadata(), signal);
    } catch (error) {
      const status = refusalOf(error)?.status;
      if (status === 404) throw remoteError(attempt, bucketMissing(this.context));
      // Whoever may read objects need not be allowed to ask for the bucket.
      if (status !== 403 && status !== 401) throw gcsError(error, attempt, this.context);
    }
    this.bucketSeen = true;
  }

  private strange(attempt: Attempt, detail: string): Error {
    return remoteError(attempt, notGcs(this.context, detail));
  }
}
