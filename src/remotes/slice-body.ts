import type { ByteRange } from './remote.js';

/**
 * The bytes of a range of a body. What comes before is read and dropped; once the range is complete, the body is given
 * back unread. Like the body, it is used once.
 */
export function sliceBody(body: AsyncIterable<Uint8Array>, range: ByteRange): AsyncIterable<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  let skip = range.start;
  let left = range.length;
  const end = async (): Promise<IteratorResult<Uint8Array>> => {
    await source.return?.();
    return { done: true, value: undefined };
  };
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    while (left > 0) {
      const result = await source.next();
      if (result.done) return result;
      const part = result.value.subarray(skip, skip + left);
      skip = Math.max(0, skip - result.value.byteLength);
      left -= part.byteLength;
      if (part.byteLength > 0) return { done: false, value: part };
    }
    return end();
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}
