import { closeSync, openSync } from 'node:fs';
import { fileSystemError } from '../core/errors.js';
import type { CacheBatch } from '../objects/cache-batch.js';
import type { HashFunction } from '../objects/hash.js';
import type { Ingester } from '../objects/link-ingest.js';
import { hashStream } from '../objects/stream-copy.js';
import type { ContentSink } from './pending-files.js';

export interface SinkOptions {
  /** Bytes of large files as they are read, for progress. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** Only hashes: for status. */
export function hashingSink(hash: HashFunction, options: SinkOptions = {}): ContentSink {
  return {
    small: (bytes) => hash.digest(bytes),
    large: async (path) => {
      let descriptor: number | undefined;
      try {
        descriptor = openSync(path, 'r');
        return await hashStream(descriptor, { hash, ...options });
      } catch (error) {
        throw fileSystemError('read', path, error);
      } finally {
        if (descriptor !== undefined) closeSync(descriptor);
      }
    },
  };
}

/** Hashes and stores in the same pass: for add. */
export function storingSink(
  parts: { hash: HashFunction; batch: CacheBatch; ingester: Ingester },
  options: SinkOptions = {},
): ContentSink {
  const { hash, batch, ingester } = parts;
  return {
    small: (bytes) => {
      const digest = hash.digest(bytes);
      batch.addBytes(bytes, digest.toString('hex'));
      return digest;
    },
    large: (path, { executable }) => ingester.ingest(path, { executable, ...options }),
    between: () => (batch.full ? batch.commit() : undefined),
  };
}
