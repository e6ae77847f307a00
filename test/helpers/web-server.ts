import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import send, { type SendOptions } from 'send';
import { KEPT_OPEN } from './kept-open.js';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server on a free port of loopback. */
export interface WebServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** The requests so far, as `GET /path`. */
  readonly requests: string[];
  /** The `Authorization` header of each request. */
  readonly authorizations: (string | undefined)[];
  /** Connections so far. */
  readonly connections: () => number;
  stop(): Promise<void>;
}

/** Starts a server that answers by `handler`. */
export async function startWebServer(handler: Handler): Promise<WebServer> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer(KEPT_OPEN, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers.authorization);
    handler(request, response);
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    authorizations,
    connections: () => connections,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Serves the files of a directory as Express does: with ranges, a redirect for directories and 404 for the rest. */
export function serveFiles(root: string, options: SendOptions = {}): Handler {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const stream = send(request, pathname, { root, dotfiles: 'allow', index: false, ...options });
    stream.on('error', (error: { status?: number }) => {
      response.writeHead(error.status ?? 500, { 'content-length': 0 }).end();
    });
    stream.pipe(response);
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}
