import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { startWebServer, type WebServer } from './web-server.js';

export interface LfsServerOptions {
  /** `user:password` that the batch API wants. */
  login?: string;
  /** Header that downloads want, and the batch API gives. */
  token?: string;
  /** Address of another server that downloads lead to. */
  storage?: () => string;
  /** The first so many addresses have expired. */
  expired?: number;
  /** The first so many downloads break in the middle. */
  broken?: number;
  /** Answers of this status come first, so many of them. */
  failures?: { status: number; count: number };
  /** What is sent in place of an object, by its oid. */
  instead?: Record<string, string>;
}

/**
 * A server of Git LFS for the objects below a directory (`.git/lfs/objects` of a repository): the batch API with basic
 * transfers, as git-lfs/docs/api has it. The real git-lfs fetches from it in CI.
 */
export async function startLfsServer(directory: string, options: LfsServerOptions = {}): Promise<WebServer> {
  const objects = new Map<string, Buffer>();
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name);
    if (statSync(path).isFile()) objects.set(name.split('/').at(-1) as string, readFileSync(path));
  }
  let { expired = 0, broken = 0 } = options;
  let failures = options.failures?.count ?? 0;
  const server = await startWebServer(async (request, response) => {
    const json = (status: number, value: unknown, headers = {}): void => {
      response
        .writeHead(status, { 'content-type': 'application/vnd.git-lfs+json', ...headers })
        .end(JSON.stringify(value));
    };
    if (failures > 0) {
      failures -= 1;
      return json(options.failures?.status ?? 500, { message: 'not now' });
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', server.url);
    if (request.method === 'POST' && pathname.endsWith('/objects/batch')) {
      const wanted = `Basic ${Buffer.from(options.login ?? '').toString('base64')}`;
      if (options.login !== undefined && request.headers.authorization !== wanted) {
        return json(401, { message: 'credentials are needed' }, { 'lfs-authenticate': 'Basic realm="LFS"' });
      }
      const asked = JSON.parse(await bodyOf(request)) as {
        operation: string;
        objects: { oid: string; size: number }[];
      };
      const base = options.storage?.() ?? server.url;
      const answers = asked.objects.map(({ oid, size }) => {
        if (!objects.has(oid)) return { oid, size, error: { code: 404, message: 'Object does not exist' } };
        const gone = expired > 0;
        if (gone) expired -= 1;
        const download = {
          href: `${base}/storage/${oid}${gone ? '?expired=1' : ''}`,
          header: options.token === undefined ? {} : { Authorization: options.token },
          ...(gone ? { expires_at: '2020-01-01T00:00:00Z' } : { expires_in: 600 }),
        };
        return { oid, size, authenticated: true, actions: { download } };
      });
      return json(200, { transfer: 'basic', objects: answers });
    }
    const oid = pathname.split('/').at(-1) ?? '';
    const object = objects.get(oid);
    if (searchParams.has('expired')) return json(403, { message: 'expired' });
    if (options.token !== undefined && request.headers.authorization !== options.token) return json(401, {});
    if (object === undefined) return json(404, { message: 'not found' });
    const body = options.instead?.[oid] ?? object;
    response.writeHead(200, { 'content-length': Buffer.byteLength(body) });
    if (broken > 0) {
      broken -= 1;
      response.write(Buffer.from(body).subarray(0, 1), () => response.destroy());
      return;
    }
    response.end(body);
  });
  return server;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** SHA-256 of bytes, hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
