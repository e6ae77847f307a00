import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { isMlvError, MlvError } from '../core/errors.js';
import { S3Access, type S3Call } from './s3-access.js';
import { announcedSize } from './s3-answers.js';
import { S3Connection } from './s3-client.js';
import { S3Credentials } from './s3-credentials.js';
import { s3Error } from './s3-errors.js';
import {
  invalidSource,
  type SourceOptions,
  type SourceState,
  sourceUnreached,
  type UrlSource,
} from './source-types.js';
import { incomingBody } from './stream-body.js';

interface Address {
  Bucket: string;
  Key: string;
  VersionId?: string;
}

/** An object of a bucket. Errors: `REMOTE_URL_INVALID`, `CONFIG_INVALID`. */
export async function openS3Source(given: string, options: SourceOptions): Promise<UrlSource> {
  const [, bucket = '', key = '', version] =
    /^s3:\/\/([A-Za-z0-9._-]{3,255})\/([^?]+?)(?:\?versionId=([^&]+))?$/.exec(given) ?? [];
  if (bucket !== '' && key.endsWith('/')) throw severalObjects(given);
  if (bucket === '' || key === '') throw invalidSource(given, 'it is not s3://bucket/key');
  const environment = options.environment;
  const endpoint =
    options.s3?.endpoint ?? (environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || undefined);
  const settings = { ...options.s3, ...(endpoint !== undefined && { endpoint }), bucket, environment };
  const credentials = new S3Credentials(settings, `s3://${bucket}`);
  const connection = await S3Connection.open(settings, credentials);
  const access = new S3Access(`s3://${bucket}`, { bucket, prefix: '', credentials, connection });
  const address = { Bucket: bucket, Key: key, ...(version !== undefined && { VersionId: version }) };
  return new S3Source(given, { access, address, connection, signal: options.signal });
}

interface Parts {
  access: S3Access;
  address: Address;
  connection: S3Connection;
  signal: AbortSignal | undefined;
}

class S3Source implements UrlSource {
  readonly secret = false;
  readonly name: string;

  constructor(
    readonly url: string,
    private readonly parts: Parts,
  ) {
    this.name = parts.address.Key.split('/').at(-1) ?? '';
  }

  async stat(): Promise<SourceState> {
    const { access, address, signal } = this.parts;
    const call = this.call('stat');
    const command = new HeadObjectCommand(address);
    const answer = await this.asked(access.request(call, (client) => client.send(command, abortedBy(signal))));
    return stateOf(answer, announcedSize({ ...answer, ContentType: undefined }, call.attempt, access.context));
  }

  async read(from: number): Promise<{ state: SourceState; start: number; body: AsyncIterable<Uint8Array> }> {
    const { access, address, signal } = this.parts;
    const call = this.call('get');
    const command = new GetObjectCommand({ ...address, ...(from > 0 && { Range: `bytes=${from}-` }) });
    const answer = await this.asked(access.request(call, (client) => client.send(command, abortedBy(signal))));
    const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '');
    const stream = answer.Body as Readable;
    const size = announcedSize({ ...answer, ContentType: undefined }, call.attempt, access.context);
    const translate = (error: unknown): Error => unreached(s3Error(error, call.attempt, access.context));
    const body = incomingBody({ stream, size, attempt: call.attempt, signal, translate });
    const start = match ? Number(match[1]) : 0;
    return { state: stateOf(answer, match ? Number(match[2]) : size), start, body };
  }

  close(): void {
    this.parts.connection.close();
  }

  private asked<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw this.explained(error);
    });
  }

  private explained(error: unknown): unknown {
    if (!isMlvError(error)) return error;
    const isPrefix = error.code === 'REMOTE_NOT_FOUND' && error.data.missing === 'key';
    if (!isPrefix) return unreached(error);
    const { code, message, cause, data } = error;
    return new MlvError(code, message, { hint: `check the key; ${SEVERAL}`, cause, data });
  }

  private call(operation: 'stat' | 'get'): S3Call {
    const { access, address, signal } = this.parts;
    return { attempt: { operation, url: access.url, key: address.Key }, signal };
  }
}

/** A pointer remembers one entity tag: what it takes to see that several objects changed has no place in it. */
const SEVERAL = 'of a prefix, copy the objects (aws s3 cp --recursive), then: mlv add <directory>';

function severalObjects(given: string): MlvError {
  return new MlvError('REMOTE_URL_INVALID', `'${given}' cannot be imported: it names a prefix, and not one object`, {
    hint: `import-url takes one object; ${SEVERAL}`,
    data: { url: given },
  });
}

function unreached(error: Error): Error {
  return sourceUnreached(error, ', the endpoint (AWS_ENDPOINT_URL_S3, or that of --remote)');
}

function abortedBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}

interface Answer {
  ETag?: string | undefined;
  VersionId?: string | undefined;
  LastModified?: Date | undefined;
}

function stateOf({ ETag, VersionId, LastModified }: Answer, size: number): SourceState {
  return {
    size,
    ...(ETag !== undefined && { etag: ETag }),
    ...(VersionId !== undefined && VersionId !== 'null' && { version: VersionId }),
    ...(LastModified && { modified: LastModified.toISOString() }),
  };
}
