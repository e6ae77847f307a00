import { createHash } from 'node:crypto';
import { PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { isMlvError } from '../core/errors.js';
import { openBody } from './body.js';
import { checkInterrupted } from './interrupted.js';
import type { RemoteBody } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';
import { abortable, type S3Access, type S3Call } from './s3-access.js';
import { checkStored } from './s3-answers.js';
import type { S3Options } from './s3-options.js';
import { outgoingBody } from './stream-body.js';

/** What S3 takes in one request. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Stores objects, each by one request. */
export class S3Uploader {
  private readonly settings: Partial<PutObjectCommandInput>;
  private conditional = true;

  constructor(
    private readonly access: S3Access,
    options: S3Options,
  ) {
    const { sse, sseKmsKeyId, storageClass } = options;
    this.settings = {
      ContentType: 'application/octet-stream',
      ...(sse && { ServerSideEncryption: sse }),
      ...(sseKmsKeyId && { SSEKMSKeyId: sseKmsKeyId }),
      ...(storageClass && { StorageClass: storageClass as NonNullable<PutObjectCommandInput['StorageClass']> }),
    };
  }

  /** Stores a body; `exists` where `ifAbsent` was asked for and the server has the key. Errors: those of Remote. */
  async put(call: S3Call, body: RemoteBody, ifAbsent: boolean): Promise<'created' | 'exists'> {
    if (body.size > MAX_PUT_BYTES) {
      throw remoteError(call.attempt, { code: 'REMOTE_PERMANENT', reason: 'one request takes 5 GiB at most' });
    }
    if (!ifAbsent || !this.conditional) return this.send(call, body, false);
    try {
      return await this.send(call, body, true);
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_PERMANENT')) throw error;
      if (error.data.status === 412) return 'exists';
      if (error.data.status !== 400 && error.data.status !== 501) throw error;
    }
    // Some servers refuse the condition itself. It is an optimisation, so it is left out from now on.
    const result = await this.send(call, body, false);
    this.conditional = false;
    return result;
  }

  private async send(call: S3Call, body: RemoteBody, ifAbsent: boolean): Promise<'created'> {
    const { attempt, signal } = call;
    const { connection } = this.access;
    const settings = { ...this.access.address(attempt.key ?? ''), ...this.settings, ContentLength: body.size };
    const hash = await this.streamHash(call, body);
    const request = this.access.request(call, async (client) => {
      const outgoing = outgoingBody(await openSmall(body, attempt), signal);
      if (hash !== undefined) connection.declareHash(outgoing.body, hash);
      try {
        const condition = ifAbsent ? { IfNoneMatch: '*' } : {};
        const command = new PutObjectCommand({ ...settings, ...condition, Body: outgoing.body });
        return await client.send(command, abortable(outgoing.signal));
      } catch (error) {
        throw outgoing.failure() ?? error;
      } finally {
        outgoing.close();
      }
    });
    const answer = await request.catch(async (error: unknown) => {
      throw await this.access.explainBrokenUpload(error, call);
    });
    checkStored(answer, attempt, this.access.context);
    return 'created';
  }

  /** The SHA-256 of a stream that has to be signed, by reading it once; undefined where nothing needs it. */
  private async streamHash({ attempt, signal }: S3Call, body: RemoteBody): Promise<string | undefined> {
    if (!this.access.connection.needsStreamHash || body.size === 0) return undefined;
    const opened = openBody(body, attempt);
    if (opened instanceof Uint8Array) return undefined;
    const hash = createHash('sha256');
    for await (const part of opened) {
      checkInterrupted(signal);
      hash.update(part);
    }
    return hash.digest('hex');
  }
}

/** As openBody; an empty stream becomes an empty buffer, which every server takes. */
async function openSmall(body: RemoteBody, attempt: Attempt): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const opened = openBody(body, attempt);
  if (body.size > 0 || opened instanceof Uint8Array) return opened;
  for await (const _nothing of opened);
  return new Uint8Array();
}
