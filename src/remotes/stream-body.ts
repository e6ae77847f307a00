import { Readable } from 'node:stream';
import { interruption } from './interrupted.js';
import { type Attempt, remoteError } from './remote-error.js';

interface Incoming {
  stream: Readable;
  /** Bytes that the answer's headers announced. */
  size: number;
  attempt: Attempt;
  signal: AbortSignal | undefined;
  /** Turns a failure of the connection into the remote's error. */
  translate: (error: unknown) => Error;
}

/**
 * The bytes of an answer, exactly as many as announced: fewer are a `REMOTE_TRANSIENT`. Giving it back unread closes
 * the connection.
 */
export function incomingBody({ stream, size, attempt, signal, translate }: Incoming): AsyncIterable<Uint8Array> {
  // Between two reads nobody listens, and an error that nobody listens to ends the process.
  stream.on('error', () => undefined);
  const source = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let received = 0;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const result = await source.next().catch((error: unknown) => {
      throw signal?.aborted ? interruption(signal) : translate(error);
    });
    if (!result.done) received += result.value.length;
    if (result.done && received !== size) {
      const reason = `the connection ended after ${received} of ${size} bytes`;
      throw remoteError(attempt, { code: 'REMOTE_TRANSIENT', reason });
    }
    return result;
  };
  const end = async (): Promise<IteratorResult<Uint8Array>> => {
    stream.destroy();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

/** A body on its way out, with a signal that ends the request when its source fails. */
export interface Outgoing {
  body: Buffer | Readable;
  signal: AbortSignal | undefined;
  /** The source's own failure, which is what the request really failed of. */
  failure(): unknown;
  close(): void;
}

/** Makes what a RemoteBody opened fit for the SDK: a buffer, or a stream whose failure ends the request. */
export function outgoingBody(opened: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): Outgoing {
  if (opened instanceof Uint8Array) {
    const body = Buffer.from(opened.buffer, opened.byteOffset, opened.byteLength);
    return { body, signal, failure: () => undefined, close: () => undefined };
  }
  const stream = Readable.from(opened, { objectMode: false });
  const broken = new AbortController();
  let failure: unknown;
  stream.on('error', (error) => {
    failure ??= error;
    broken.abort();
  });
  return {
    body: stream,
    signal: signal ? AbortSignal.any([signal, broken.signal]) : broken.signal,
    failure: () => failure,
    close: () => stream.destroy(),
  };
}
