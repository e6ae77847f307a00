import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { isMlvError, type MlvError } from '../core/errors.js';
import { checkRange, rangeBeyondEnd } from './keys.js';
import type {
  ByteRange,
  Carrier,
  CredentialSource,
  GetOptions,
  ListOptions,
  PutOptions,
  Remote,
  RemoteBody,
  RemoteContent,
  RemoteEntry,
} from './remote.js';
import { abortable, S3Access, type S3Call } from './s3-access.js';
import { announcedSize, checkRangeAnswer } from './s3-answers.js';
import { S3Connection } from './s3-client.js';
import { S3Credentials } from './s3-credentials.js';
import { S3Remover } from './s3-delete.js';
import { s3Error } from './s3-errors.js';
import { listObjects } from './s3-list.js';
import type { S3Options } from './s3-options.js';
import { S3Uploader } from './s3-put.js';
import { incomingBody } from './stream-body.js';

/** Opens a bucket. No request is made yet. Errors: `CONFIG_INVALID` for half a pair of keys or an unusable endpoint. */
export async function openS3Remote(options: S3Options): Promise<Remote> {
  const { bucket } = options;
  const prefix = (options.prefix ?? '').replace(/^\/+|\/+$/g, '');
  const url = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  const credentials = new S3Credentials(options, url);
  const connection = await S3Connection.open(options, credentials);
  const access = new S3Access(url, { bucket, prefix, credentials, connection });
  return new S3Remote(access, { uploader: new S3Uploader(access, options), connection, credentials });
}

interface Parts {
  uploader: S3Uploader;
  connection: S3Connection;
  credentials: S3Credentials;
}

/** A remote in a bucket of S3, or of a server that speaks it. */
class S3Remote implements Remote {
  readonly url: string;
  private readonly remover: S3Remover;

  constructor(
    private readonly access: S3Access,
    private readonly parts: Parts,
  ) {
    this.url = access.url;
    this.remover = new S3Remover(access);
  }

  async stat(key: string, options: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    const { access } = this;
    const call = access.begin('stat', key, options.signal);
    const command = new HeadObjectCommand(access.address(key));
    try {
      const answer = await access.request(call, (client) => client.send(command, abortable(call.signal)));
      const size = announcedSize(answer, call.attempt, access.context);
      return { key, size, modified: answer.LastModified?.getTime() ?? 0 };
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND') || error.data.missing !== 'key') throw error;
      await access.requireBucket(call);
      return undefined;
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<RemoteContent> {
    const { range, signal } = options;
    const call = this.access.begin('get', key, signal);
    checkRange(call.attempt, range);
    const Range = range && `bytes=${range.start}-${range.start + range.length - 1}`;
    const command = new GetObjectCommand({ ...this.access.address(key), ...(Range && { Range }) });
    try {
      const answer = await this.access.request(call, (client) => client.send(command, abortable(signal)));
      return this.receive(answer, call, range);
    } catch (error) {
      throw range && isRangeRefused(error) ? rangeBeyondEnd(call.attempt, range, { cause: error.cause }) : error;
    }
  }

  async getBy(carrier: Carrier, key: string, options: { range: ByteRange; signal?: AbortSignal }): Promise<boolean> {
    const { range, signal } = options;
    const call = this.access.begin('get', key, signal);
    checkRange(call.attempt, range);
    const Range = `bytes=${range.start}-${range.start + range.length - 1}`;
    const command = new GetObjectCommand({ ...this.access.address(key), Range });
    const request = await this.parts.connection.signed(command).catch(() => undefined);
    return request ? carrier(request, () => undefined) : false;
  }

  async put(key: string, body: RemoteBody, options: PutOptions = {}): Promise<'created' | 'exists'> {
    return this.parts.uploader.put(this.access.begin('put', key, options.signal), body, options.ifAbsent ?? false);
  }

  list(prefix: string, options: ListOptions = {}): AsyncIterable<RemoteEntry> {
    return listObjects(this.access, prefix, options);
  }

  delete(keys: readonly string[], options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.remover.delete(keys, options.signal);
  }

  async close(): Promise<void> {
    this.parts.connection.close();
  }

  describeCredentials(): Promise<CredentialSource> {
    return this.parts.credentials.describe();
  }

  private receive(
    answer: Parameters<typeof announcedSize>[0] & { Body?: unknown },
    { attempt, signal }: S3Call,
    range: ByteRange | undefined,
  ): RemoteContent {
    const stream = answer.Body as Readable;
    const where = this.access.context;
    try {
      const size = announcedSize(answer, attempt, where);
      if (range) checkRangeAnswer(answer, range, { attempt, where });
      const translate = (error: unknown): Error => s3Error(error, attempt, this.access.context);
      return { size, body: incomingBody({ stream, size, attempt, signal, translate }) };
    } catch (error) {
      stream.on('error', () => undefined).destroy();
      throw error;
    }
  }
}

function isRangeRefused(error: unknown): error is MlvError {
  return isMlvError(error, 'REMOTE_PERMANENT') && (error.data.status === 416 || error.data.s3Code === 'InvalidRange');
}
