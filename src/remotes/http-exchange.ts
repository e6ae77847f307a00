import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { Agents } from './patient-agents.js';

/** One request of HTTP, without redirects, retries or opinions. */
export interface Exchange {
  method: 'GET' | 'HEAD' | 'POST';
  url: URL;
  headers: OutgoingHttpHeaders;
  /** Sent with the announced length, which must be its own; nothing by default. */
  body?: { size: number; content: Buffer | Readable };
  signal?: AbortSignal | undefined;
}

/** Makes a request and gives the answer once its headers are there. Errors: those of the socket, with Node's codes. */
export function exchange(agents: Agents, { method, url, headers, body, signal }: Exchange): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  const open = secure ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = open(url, {
      method,
      headers: body ? { ...headers, 'content-length': body.size } : headers,
      agent: secure ? agents.https : agents.http,
      ...(signal && { signal }),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      // Between two reads nobody listens, and an error that nobody listens to ends the process.
      response.on('error', () => undefined);
      if (method === 'HEAD') response.resume();
      resolve(response);
    });
    if (!(body?.content instanceof Readable)) return void request.end(body?.content);
    // A source that fails must not look like one that ended.
    body.content.on('error', (error) => request.destroy(error)).pipe(request);
  });
}
