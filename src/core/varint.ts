import { type ErrorCode, MlvError } from './errors.js';

/** Longest encoding of a number up to 2^53 - 1. */
export const MAX_VARINT_BYTES = 8;

/** Bytes that `value` (an integer from 0 to 2^53 - 1) takes as unsigned LEB128. */
export function varintLength(value: number): number {
  let length = 1;
  let rest = value;
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80);
    length++;
  }
  return length;
}

/** Writes `value` (an integer from 0 to 2^53 - 1) at `offset` as unsigned LEB128; gives the offset behind it. */
export function writeVarint(target: Uint8Array, value: number, offset: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

/**
 * Reads bytes in order and refuses what is not canonical. Every failure is an MlvError of the given code that names
 * what was read and at which offset, so that a decoder never has to check lengths itself.
 */
export class ByteReader {
  offset: number;

  constructor(
    readonly bytes: Buffer,
    private readonly failure: { code: ErrorCode; what: string },
    start = 0,
  ) {
    this.offset = start;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  /** Raises the reader's error: `<what>: <reason> at byte <offset>`. */
  fail(reason: string): never {
    throw new MlvError(this.failure.code, `${this.failure.what}: ${reason} at byte ${this.offset}`);
  }

  byte(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) this.fail('it ends too early');
    this.offset++;
    return value;
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number): Buffer {
    if (length > this.remaining) this.fail('it ends too early');
    const view = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return view;
  }

  /** Reads an unsigned LEB128 number up to 2^53 - 1; only the shortest encoding is accepted. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const part = this.byte();
      value += (part & 0x7f) * factor;
      if (part < 0x80) {
        if (part === 0 && index > 0) this.fail('a number is not in its shortest form');
        if (!Number.isSafeInteger(value)) this.fail('a number is too large');
        return value;
      }
      factor *= 0x80;
    }
    this.fail('a number is too large');
  }
}
