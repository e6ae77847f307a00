import { DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { isMlvError } from '../core/errors.js';
import { abortable, type S3Access, type S3Call } from './s3-access.js';

/** What S3 takes in one request. */
const BATCH = 1000;
const SINGLE_DELETES_AT_ONCE = 4;

/**
 * Deletes keys in batches. What a server does not say that it deleted, for want of the batch request or of a full
 * answer, is deleted one by one; those requests then report what is wrong. Errors: those of Remote.
 */
export class S3Remover {
  private batches = true;

  constructor(private readonly access: S3Access) {}

  async delete(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const calls = keys.map((key) => this.access.begin('delete', key, signal));
    for (let start = 0; start < calls.length; start += BATCH) {
      const batch = calls.slice(start, start + BATCH);
      const left = batch.length > 1 && this.batches ? await this.deleteBatch(batch) : batch;
      const limit = pLimit(SINGLE_DELETES_AT_ONCE);
      await Promise.all(left.map((call) => limit(() => this.deleteOne(call))));
    }
  }

  /** Gives the calls whose keys may still be there. */
  private async deleteBatch(calls: readonly S3Call[]): Promise<readonly S3Call[]> {
    const byName = new Map(calls.map((call) => [this.nameOf(call), call]));
    const Objects = [...byName.keys()].map((Key) => ({ Key }));
    const command = new DeleteObjectsCommand({ Bucket: this.access.bucket, Delete: { Objects } });
    const [first] = calls;
    if (!first) return [];
    try {
      const answer = await this.access.request(first, (client) => client.send(command, abortable(first.signal)));
      for (const { Key } of answer.Deleted ?? []) byName.delete(Key ?? '');
      return [...byName.values()];
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_PERMANENT')) throw error;
      this.batches = false;
      return calls;
    }
  }

  private async deleteOne(call: S3Call): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.access.bucket, Key: this.nameOf(call) });
    await this.access.request(call, (client) => client.send(command, abortable(call.signal)));
  }

  private nameOf({ attempt }: S3Call): string {
    return this.access.fullKey(attempt.key ?? '');
  }
}
