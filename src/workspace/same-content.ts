import { closeSync, openSync, readSync } from 'node:fs';

const PIECE_BYTES = 1024 * 1024;

/** True when two files hold the same bytes. Errors: those of Node's file system. */
export function sameContent(left: string, right: string): boolean {
  const one = openSync(left, 'r');
  try {
    const other = openSync(right, 'r');
    try {
      return same(one, other);
    } finally {
      closeSync(other);
    }
  } finally {
    closeSync(one);
  }
}

function same(left: number, right: number): boolean {
  const one = Buffer.allocUnsafe(PIECE_BYTES);
  const other = Buffer.allocUnsafe(PIECE_BYTES);
  for (;;) {
    const length = fill(left, one);
    if (fill(right, other) !== length) return false;
    if (!one.subarray(0, length).equals(other.subarray(0, length))) return false;
    if (length < PIECE_BYTES) return true;
  }
}

/** Reads until the buffer is full or the file ends: one read may give less. */
function fill(descriptor: number, buffer: Buffer): number {
  let count = 0;
  while (count < buffer.length) {
    const read = readSync(descriptor, buffer, count, buffer.length - count, null);
    if (read === 0) break;
    count += read;
  }
  return count;
}
