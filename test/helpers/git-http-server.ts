import { execFileSync, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createGunzip } from 'node:zlib';
import { gitTestEnvironment } from './git.js';
import { startWebServer, type WebServer } from './web-server.js';

export interface GitHttpOptions {
  /** `user:password` that it asks for; nothing by default. */
  user?: string;
}

/** Serves the repositories below a directory over HTTP with Git's own `http-backend`. */
export function startGitHttpServer(root: string, { user }: GitHttpOptions = {}): Promise<WebServer> {
  const expected = user && `Basic ${Buffer.from(user).toString('base64')}`;
  return startWebServer((request, response) => {
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"', 'content-length': 0 }).end();
      return;
    }
    answer(root, request, response);
  });
}

function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: gitTestEnvironment({
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
      REMOTE_USER: 'test',
    }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  backend.stdin.on('error', () => {});
  body.pipe(backend.stdin);
  let head: Buffer | undefined = Buffer.alloc(0);
  backend.stdout.on('data', (part: Buffer) => {
    if (!head) return void response.write(part);
    head = Buffer.concat([head, part]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = new Map(
      head
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
    );
    const status = Number.parseInt(headers.get('Status') ?? '200', 10);
    headers.delete('Status');
    response.writeHead(status, Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  backend.on('close', () => response.end());
}

/** Lets a bare repository be read with filters, as the hosts of Git do. */
export function allowFilters(repository: string): void {
  const run = (...args: string[]): void => {
    execFileSync('git', ['--git-dir', repository, 'config', ...args], { env: gitTestEnvironment() });
  };
  run('uploadpack.allowFilter', 'true');
  run('uploadpack.allowAnySHA1InWant', 'true');
}
