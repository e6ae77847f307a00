import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { KEPT_OPEN } from './kept-open.js';

export interface ThrottlingProxy {
  readonly endpoint: string;
  /** Requests that were passed on, those that were refused, and the most that were under way at once. */
  readonly counts: { passed: number; refused: number; most: number };
  stop(): Promise<void>;
}

const SLOW_DOWN =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/**
 * An HTTP proxy on loopback that passes requests to a server, each after `latencyMs`, and answers those above `atOnce`
 * by 503 SlowDown, as S3 does.
 */
export async function startThrottlingProxy(
  target: string,
  { atOnce = Number.POSITIVE_INFINITY, latencyMs = 0 }: { atOnce?: number; latencyMs?: number },
): Promise<ThrottlingProxy> {
  const counts = { passed: 0, refused: 0, most: 0 };
  let under = 0;
  const server = createServer(KEPT_OPEN, (incoming, answer) => {
    incoming.on('error', () => undefined);
    under++;
    let over = false;
    const end = (): void => {
      if (!over) under--;
      over = true;
    };
    answer.once('close', end);
    counts.most = Math.max(counts.most, under);
    if (under > atOnce) {
      counts.refused++;
      return refuse(incoming, answer, end);
    }
    counts.passed++;
    void delay(latencyMs).then(() => forward(target, incoming, { answer, end }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(incoming: IncomingMessage, answer: ServerResponse, end: () => void): void {
  incoming.resume();
  incoming.once('end', () => {
    const body = incoming.method === 'HEAD' ? '' : SLOW_DOWN;
    answer.writeHead(503, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
    end();
    answer.end(body);
  });
}

function forward(
  target: string,
  incoming: IncomingMessage,
  { answer, end }: { answer: ServerResponse; end: () => void },
): void {
  const { hostname, port } = new URL(target);
  const { method, url, headers } = incoming;
  const onward = request({ hostname, port, method, path: url, headers, agent: false }, (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('end', () => {
      // Before the client can have the last byte and make its next request.
      end();
      answer.writeHead(response.statusCode ?? 500, response.headers);
      answer.end(Buffer.concat(parts));
    });
    response.on('error', () => answer.destroy());
  });
  onward.on('error', () => answer.destroy());
  incoming.pipe(onward);
}
