import { closeSync, openSync, readSync } from 'node:fs';

const PIECE_BYTES = 1024 * 1024;

/**
 * The bytes of what stands at a path, also of a pipe or a device, whose size nobody knows; undefined where there are more
 * than `limit`, of which no more are read. Errors: those of Node's file system.
 */
export function readBounded(path: string, limit: number): Buffer | undefined {
  const descriptor = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let size = 0; ; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, limit + 1 - size));
      const length = readSync(descriptor, piece);
      if (length === 0) return Buffer.concat(pieces);
      size += length;
      if (size > limit) return undefined;
      pieces.push(piece.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
}
