import { crc32 } from 'node:zlib';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Access } from './s3-access.js';
import { readFailure } from './s3-failure.js';

/** Smaller bodies are signed in any case: their hash costs less than what is gained. */
const LEAST_BYTES = 1024 * 1024;

/** Bodies of that length that are signed before the server is asked, so that small uploads cost no request more. */
const SIGNED_FIRST = 1;

/** No key of a remote begins with `tmp/`. */
const PROBE_KEY = 'tmp/checksum';
const PROBE = Buffer.from('mlv asked with this upload whether the server compares checksums. It can be deleted.\n');

/** How servers call a body that is not what its checksum says. */
const MISMATCH = new Set(['BadDigest', 'InvalidDigest', 'XAmzContentChecksumMismatch']);

/** The CRC-32 of some bytes as `x-amz-checksum-crc32` has it. */
export function checksumHeader(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

/**
 * Whether a server compares the CRC-32 of a body with the bytes that arrived, so that the body needs no SHA-256 in the
 * signature: either finds what a connection damaged or cut off. Some servers give back whatever they were sent without
 * a look, so an answer proves nothing: only a refused upload with a wrong checksum does. Who asks is one small upload
 * beside the second large one.
 */
export class ChecksumProof {
  private state: 'unasked' | 'asked' | 'compares' | 'ignores' = 'unasked';
  private large = 0;

  constructor(private readonly access: S3Access) {}

  /** True when a body of `size` bytes may go with a checksum instead of a signature; asks the server when it is time to. */
  covers(size: number): boolean {
    if (size < LEAST_BYTES) return false;
    if (this.state === 'unasked' && ++this.large > SIGNED_FIRST) {
      this.state = 'asked';
      void this.ask();
    }
    return this.state === 'compares';
  }

  /** What the server did with a body shows that it cannot be relied on. */
  disprove(): void {
    this.state = 'ignores';
  }

  private async ask(): Promise<void> {
    const verdict = await this.refusesWrong();
    // Nothing that is learned meanwhile is forgotten.
    if (this.state === 'asked') this.state = verdict ? 'compares' : 'ignores';
  }

  /** Never fails: whatever goes wrong is no proof. */
  private async refusesWrong(): Promise<boolean> {
    const { access } = this;
    const address = access.address(PROBE_KEY);
    const Body = Buffer.from(PROBE);
    access.connection.declareHash(Body, 'UNSIGNED-PAYLOAD');
    const ChecksumCRC32 = checksumHeader(~crc32(Body) >>> 0);
    try {
      const command = new PutObjectCommand({ ...address, Body, ContentLength: Body.length, ChecksumCRC32 });
      await access.connection.run((client) => client.send(command));
    } catch (error) {
      const { status, name } = readFailure(error);
      return status === 400 && MISMATCH.has(name);
    }
    const command = new DeleteObjectCommand(address);
    await access.connection.run((client) => client.send(command)).catch(() => undefined);
    return false;
  }
}
