import type { MlvError } from '../core/errors.js';
import type { RemoteBody } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';

export interface BodyObserver {
  /** Called with the length of every part. */
  bytes?(count: number): void;
  /** Called once, when the body is read, broken (with the error) or given back. */
  end?(error?: unknown): void;
}

/**
 * The same bytes, watched. Unlike a generator it also notices a body that is given back before its first byte was
 * asked for.
 */
export function observeBody(body: AsyncIterable<Uint8Array>, observer: BodyObserver): AsyncIterable<Uint8Array> {
  let ended = false;
  const end = (error?: unknown): void => {
    if (!ended) observer.end?.(error);
    ended = true;
  };
  return {
    [Symbol.asyncIterator]() {
      const source = body[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await source.next();
            if (result.done) end();
            else observer.bytes?.(result.value.byteLength);
            return result;
          } catch (error) {
            end(error);
            throw error;
          }
        },
        async return() {
          end();
          await source.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/**
 * The body's bytes, which are exactly `body.size`: more or fewer are the caller's mistake and must not be stored.
 * Error: `REMOTE_PERMANENT`, when the stream ends, or before a byte too many is given on.
 */
export function openBody(body: RemoteBody, attempt: Attempt): Uint8Array | AsyncIterable<Uint8Array> {
  const opened = body.open();
  if (!(opened instanceof Uint8Array)) return exactly(opened, body.size, attempt);
  if (opened.byteLength !== body.size) throw wrongLength(opened.byteLength, body.size, attempt);
  return opened;
}

async function* exactly(parts: AsyncIterable<Uint8Array>, size: number, attempt: Attempt): AsyncGenerator<Uint8Array> {
  let given = 0;
  let held: Uint8Array | undefined;
  for await (const part of parts) {
    given += part.byteLength;
    if (given > size) throw wrongLength(given, size, attempt);
    if (held) yield held;
    // With the last byte the transport takes the body for whole, so that byte waits for the end of the source.
    held = part;
  }
  if (given !== size) throw wrongLength(given, size, attempt);
  if (held) yield held;
}

function wrongLength(got: number, size: number, attempt: Attempt): MlvError {
  const reason = `its source gave ${got} bytes, and ${size} were announced`;
  return remoteError(attempt, { code: 'REMOTE_PERMANENT', reason });
}
