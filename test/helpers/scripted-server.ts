import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEPT_OPEN } from './kept-open.js';

/** Answers one request; the body was read unless the step is made by `early`. */
export type Step = (request: Seen, response: ServerResponse) => void;

/** What the server saw of a request. */
export interface Seen {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Port of the client's end: the same port is the same connection. */
  port: number | undefined;
}

export interface ScriptedServer {
  endpoint: string;
  /** Every request so far. */
  seen: Seen[];
  /** Appends answers; a request without one is answered by 500 and an `Unscripted` error. */
  script(...steps: Step[]): void;
  stop(): Promise<void>;
}

const earlySteps = new WeakSet<Step>();

/** A step that begins at the first bytes of the body rather than after the last. */
export function early(step: Step): Step {
  earlySteps.add(step);
  return step;
}

/** An HTTP server on loopback that answers as it is told, in turn: for servers that misbehave on cue. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const script: Step[] = [];
  const server = createServer(KEPT_OPEN, (request, response) => {
    const step = script.shift() ?? error(500, 'Unscripted');
    const parts: Buffer[] = [];
    const { method = '', url = '', headers, socket } = request;
    const entry: Seen = { method, url, headers, body: Buffer.alloc(0), port: socket.remotePort };
    seen.push(entry);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (earlySteps.has(step)) {
      request.once('data', () => step(entry, response));
      return;
    }
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      entry.body = Buffer.concat(parts);
      step(entry, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    script: (...steps) => void script.push(...steps),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer with a status, headers and a body. */
export function answer(status: number, headers: Record<string, string> = {}, body: string | Buffer = ''): Step {
  return (_request, response) => {
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
    response.end(body);
  };
}

/** An error as S3 words it; without a body for the answer to a HEAD. */
export function error(
  status: number,
  code: string,
  extra: { headers?: Record<string, string>; xml?: string } = {},
): Step {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Because of ${code}.</Message>${extra.xml ?? ''}</Error>`;
  return (request, response) => {
    const headers = { 'content-type': 'application/xml', ...extra.headers };
    answer(status, headers, request.method === 'HEAD' ? '' : body)(request, response);
  };
}

/** The answer to a get, or with `range` to one of a range of `total` bytes. */
export function content(bytes: Buffer, range?: { start: number; total: number }): Step {
  const headers = { etag: '"e"', 'content-type': 'application/octet-stream' };
  if (!range) return answer(200, headers, bytes);
  const last = range.start + bytes.length - 1;
  return answer(206, { ...headers, 'content-range': `bytes ${range.start}-${last}/${range.total}` }, bytes);
}

/** An answer that announces `size` bytes and closes the connection after those that it has. */
export function broken(bytes: Buffer, size: number, headers: Record<string, string> = {}): Step {
  return (_request, response) => {
    response.writeHead(200, { etag: '"e"', 'content-length': String(size), ...headers });
    response.write(bytes, () => response.destroy());
  };
}

/** No answer: the connection is closed. */
export const hangUp: Step = (_request, response) => void response.destroy();

/** What a PUT that stored is answered. */
export const stored: Step = answer(200, { etag: '"e"' });

/** One page of a list. */
export function page(keys: readonly string[], next?: string): Step {
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`,
  );
  const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return answer(
    200,
    { 'content-type': 'application/xml' },
    `<ListBucketResult><Name>bucket</Name><IsTruncated>${next !== undefined}</IsTruncated>${contents.join('')}${more}</ListBucketResult>`,
  );
}
