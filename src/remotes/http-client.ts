import type { IncomingMessage } from 'node:http';
import { exchange } from './http-exchange.js';
import { type Agents, patientAgents } from './patient-agents.js';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpRequest {
  method: 'GET' | 'HEAD';
  url: URL;
  /** `bytes=0-9`. */
  range?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** An answer that is no redirect, or one that must not be followed. */
export interface HttpAnswer {
  response: IncomingMessage;
  status: number;
  /** Where the answer came from, after redirects. */
  url: URL;
  /** Why a redirect was not followed. */
  refused?: 'directory' | 'too many' | 'nowhere' | 'less safe';
}

interface ClientOptions {
  /** Sent to `origin` and nowhere else. */
  authorization?: string | undefined;
  origin: string;
  connections?: number | undefined;
}

/** Makes requests over kept connections and follows redirects. */
export class HttpClient {
  private readonly agents: Agents;

  constructor(private readonly options: ClientOptions) {
    this.agents = patientAgents(options.connections);
  }

  /**
   * The answer, whatever its status. Redirects are followed to the same scheme or to https, with credentials only
   * within the origin. A redirect to the same path with a slash is how web servers answer for a directory; it is given
   * back. Errors: those of the socket, with Node's codes.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    let { url } = request;
    for (let hops = 0; ; hops++) {
      const response = await this.once({ ...request, url });
      const status = response.statusCode ?? 0;
      if (!REDIRECTS.has(status)) return { response, status, url };
      const target = redirectTarget(response.headers.location, url);
      const refused = redirectRefusal(url, target) ?? (hops === MAX_REDIRECTS ? 'too many' : undefined);
      if (refused !== undefined || target === undefined)
        return { response, status, url, refused: refused ?? 'nowhere' };
      drain(response);
      url = target;
    }
  }

  close(): void {
    this.agents.destroy();
  }

  /** What a request to that address says beside it: credentials only within the origin. */
  headersFor(url: URL, range: string | undefined): Record<string, string> {
    const { authorization, origin } = this.options;
    return {
      // A server that compresses on the way would change sizes and ranges.
      'accept-encoding': 'identity',
      'user-agent': 'mlv',
      ...(range !== undefined && { range }),
      ...(authorization !== undefined && url.origin === origin && { authorization }),
    };
  }

  private once({ method, url, range, signal }: HttpRequest): Promise<IncomingMessage> {
    return exchange(this.agents, { method, url, headers: this.headersFor(url, range), signal });
  }
}

function redirectTarget(location: string | undefined, from: URL): URL | undefined {
  return location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

/** Why a redirect from one URL to another is not followed; undefined where it is. */
export function redirectRefusal(from: URL, target: URL | undefined): HttpAnswer['refused'] {
  if (target === undefined) return 'nowhere';
  if (target.pathname === `${from.pathname}/`) return 'directory';
  return target.protocol === 'https:' || target.protocol === from.protocol ? undefined : 'less safe';
}

const WORTH_READING = 64 * 1024;

/** Ends an answer whose body is of no interest, keeping the connection where that is cheap. */
export function drain(response: IncomingMessage): void {
  if (response.readableFlowing) return;
  const size = Number(response.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (size <= WORTH_READING) response.resume();
  else response.destroy();
}
