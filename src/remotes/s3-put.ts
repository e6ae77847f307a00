import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { PutObjectCommand, type PutObjectCommandInput, type PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { isMlvError } from '../core/errors.js';
import { openBody } from './body.js';
import { checkInterrupted } from './interrupted.js';
import type { RemoteBody } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';
import { abortable, type S3Access, type S3Call } from './s3-access.js';
import { checkStored } from './s3-answers.js';
import { ChecksumProof, checksumHeader } from './s3-checksum.js';
import type { S3Options } from './s3-options.js';
import { outgoingBody } from './stream-body.js';

/** What S3 takes in one request. */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** What the request of one body adds to what all have. */
interface PutExtra {
  /** What the signature says of the body: see S3Connection.declareHash. */
  hash: string | undefined;
  ChecksumCRC32?: string;
  IfNoneMatch?: '*';
}

/** Stores objects, each by one request. */
export class S3Uploader {
  private readonly settings: Partial<PutObjectCommandInput>;
  private readonly proof: ChecksumProof;
  /** Keys whose bodies failed without a signature of theirs. */
  private readonly signed = new Set<string>();
  private conditional = true;

  constructor(
    private readonly access: S3Access,
    options: S3Options,
  ) {
    this.proof = new ChecksumProof(access);
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
    if (ifAbsent || !this.mayGoUnsigned(call, body)) return this.sendSigned(call, body, ifAbsent);
    const key = call.attempt.key ?? '';
    try {
      if (await this.sendWithChecksum(call, body)) return 'created';
    } catch (error) {
      // The next try of this body is the most careful one.
      this.signed.add(key);
      if (!isMlvError(error, 'REMOTE_PERMANENT') && !isMlvError(error, 'REMOTE_DENIED')) throw error;
    }
    this.proof.disprove();
    return this.sendSigned(call, body, false);
  }

  private mayGoUnsigned({ attempt }: S3Call, { size, sha256 }: RemoteBody): boolean {
    if (sha256 || !this.access.connection.mayProveChecksums || this.signed.has(attempt.key ?? '')) return false;
    return this.proof.covers(size);
  }

  /** Sends a body whose CRC-32 the server compares; false when its answer does not say that it did. */
  private async sendWithChecksum(call: S3Call, body: RemoteBody): Promise<boolean> {
    let crc = 0;
    await readBody(call, openBody(body, call.attempt), (part) => {
      crc = crc32(part, crc);
    });
    const checksum = checksumHeader(crc);
    const answer = await this.request(call, body, { hash: 'UNSIGNED-PAYLOAD', ChecksumCRC32: checksum });
    return answer.ChecksumCRC32 === checksum;
  }

  private async sendSigned(call: S3Call, body: RemoteBody, ifAbsent: boolean): Promise<'created'> {
    const hash = await this.payloadHash(call, body);
    await this.request(call, body, { hash, ...(ifAbsent && { IfNoneMatch: '*' }) });
    return 'created';
  }

  private async request(call: S3Call, body: RemoteBody, { hash, ...extra }: PutExtra): Promise<PutObjectCommandOutput> {
    const { attempt, signal } = call;
    const { connection } = this.access;
    const settings = {
      ...this.access.address(attempt.key ?? ''),
      ...this.settings,
      ...extra,
      ContentLength: body.size,
    };
    const request = this.access.request(call, async (client) => {
      const outgoing = outgoingBody(await openSmall(body, attempt), signal);
      if (hash !== undefined) connection.declareHash(outgoing.body, hash);
      try {
        const command = new PutObjectCommand({ ...settings, Body: outgoing.body });
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
    return answer;
  }

  /** The SHA-256 for a signature: the caller's, or that of a stream, by reading it once; undefined where the SDK sees to it. */
  private async payloadHash(call: S3Call, body: RemoteBody): Promise<string | undefined> {
    if (!this.access.connection.needsStreamHash || body.size === 0) return undefined;
    if (body.sha256) return Buffer.from(body.sha256).toString('hex');
    const opened = openBody(body, call.attempt);
    if (opened instanceof Uint8Array) return undefined;
    const hash = createHash('sha256');
    await readBody(call, opened, (part) => hash.update(part));
    return hash.digest('hex');
  }
}

/** Gives every part of a body that was opened. Errors: those of its source, the interruption. */
async function readBody(
  { signal }: S3Call,
  opened: ReturnType<typeof openBody>,
  take: (part: Uint8Array) => void,
): Promise<void> {
  if (opened instanceof Uint8Array) return take(opened);
  for await (const part of opened) {
    checkInterrupted(signal);
    take(part);
  }
}

/** As openBody; an empty stream becomes an empty buffer, which every server takes. */
async function openSmall(body: RemoteBody, attempt: Attempt): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const opened = openBody(body, attempt);
  if (body.size > 0 || opened instanceof Uint8Array) return opened;
  for await (const _nothing of opened);
  return new Uint8Array();
}
