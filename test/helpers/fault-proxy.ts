import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KEPT_OPEN } from './kept-open.js';
import { answer, error, type Seen, type Step } from './scripted-server.js';

/** Does something to one request: forwards it, answers it, breaks it. */
export type Fault = (exchange: Exchange) => void | Promise<void>;

/** Which requests get a fault: by what they ask for and by count, never by time. */
export interface FaultRule {
  fault: Fault;
  /** Whether it is for a request, given as `METHOD path?query`; for all by default. */
  matches?: (request: string) => boolean;
  /** How many of them pass first; none by default. */
  after?: number;
  /** How many get it, one by default. */
  times?: number;
}

/** A real server behind a proxy on loopback. */
export interface FaultProxy {
  endpoint: string;
  /** Every request so far, as `METHOD path?query`. */
  seen: string[];
  /** How many requests got a fault since the proxy was armed. Throws what a fault threw. */
  faults(): number;
  /** From now on these rules are in force, the first that matches wins; none lets everything pass. */
  arm(...rules: FaultRule[]): void;
  stop(): Promise<void>;
}

/** The answer of the server behind. */
interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** One request on its way through the proxy. */
class Exchange {
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly to: { hostname: string; port: string; agent: Agent },
  ) {}

  /** The whole body of the request. */
  async body(): Promise<Buffer> {
    return readAll(this.request);
  }

  /** Asks the server and gives its whole answer. */
  async forward(body?: Buffer): Promise<Answer> {
    const sent = body ?? (await this.body());
    const onward = this.open();
    onward.end(sent);
    const [incoming] = (await once(onward, 'response')) as [IncomingMessage];
    const { 'transfer-encoding': _whole, connection: _own, ...headers } = incoming.headers;
    return { status: incoming.statusCode ?? 0, headers, body: await readAll(incoming) };
  }

  /** Sends an answer on: its head as it is, and of its body what is said. */
  send({ status, headers, body }: Answer): void {
    this.response.writeHead(status, headers);
    this.response.end(this.request.method === 'HEAD' ? undefined : body);
  }

  /** Lets the request through as it is, in a stream. */
  pass(): void {
    const onward = this.open();
    onward.on('response', (incoming) => {
      this.response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
      incoming.pipe(this.response);
    });
    // A client that dies in the middle must look so to the server, too.
    this.request.on('close', () => this.request.complete || onward.destroy());
    this.request.pipe(onward);
  }

  /** Closes the client's connection without a word. */
  hangUp(): void {
    this.request.socket.destroy();
  }

  /** A request to the server with the same head, its body yet to be written. */
  open(): ReturnType<typeof httpRequest> {
    const { method, url, headers } = this.request;
    const onward = httpRequest({ ...this.to, method, path: url, headers });
    onward.on('error', () => this.hangUp());
    return onward;
  }
}

/** Starts a proxy in front of an http server; it passes everything on until it is armed. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  // A connection a request: one that the server closed between two would look like a fault that nobody asked for.
  const agent = new Agent({ keepAlive: false });
  const seen: string[] = [];
  let faults = 0;
  let failure: unknown;
  let armed: (FaultRule & { seen: number })[] = [];
  const server = createServer(KEPT_OPEN, (request, response) => {
    const line = `${request.method} ${request.url}`;
    seen.push(line);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const exchange = new Exchange(request, response, { hostname, port, agent });
    const rule = armed.find(({ matches }) => matches?.(line) ?? true);
    const count = rule ? rule.seen++ : 0;
    const { after = 0, times = 1 } = rule ?? {};
    if (!rule || count < after || count >= after + times) return exchange.pass();
    faults++;
    const cause = async (): Promise<void> => rule.fault(exchange);
    cause().catch((error: unknown) => {
      failure ??= error;
      exchange.hangUp();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    faults: () => {
      if (failure !== undefined) throw failure;
      return faults;
    },
    arm: (...rules) => {
      faults = 0;
      failure = undefined;
      armed = rules.map((rule) => ({ ...rule, seen: 0 }));
    },
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers in the server's place; the server never hears of it. */
export function instead(step: Step): Fault {
  return async (exchange) => {
    const { method = '', url = '', headers, socket } = exchange.request;
    const seen: Seen = { method, url, headers, body: await exchange.body(), port: socket.remotePort };
    step(seen, exchange.response);
  };
}

/** Closes the connection before the server hears of the request. */
export const unheard: Fault = (exchange) => exchange.hangUp();

/** The server does what it is asked, and its answer is lost. */
export const lostAnswer: Fault = async (exchange) => {
  await exchange.forward();
  exchange.hangUp();
};

/** Closes the connection after so many bytes of the answer's body, which was announced whole. */
export function cutAnswer(bytes: number): Fault {
  return async (exchange) => {
    const { status, headers, body } = await exchange.forward();
    exchange.response.writeHead(status, headers);
    exchange.response.flushHeaders();
    exchange.response.write(body.subarray(0, bytes), () => exchange.hangUp());
  };
}

/** Passes so many bytes of an upload on and cuts both connections, as a killed client or a lost network does. */
export function cutUpload(bytes: number): Fault {
  return (exchange) => {
    const onward = exchange.open();
    let left = bytes;
    exchange.request.on('data', (part: Buffer) => {
      onward.write(part.subarray(0, Math.max(0, left)));
      left -= part.length;
      if (left > 0) return;
      exchange.hangUp();
      onward.destroy();
    });
    // A shorter body never reaches the place of the cut: it is lost at its end.
    exchange.request.on('end', () => {
      exchange.hangUp();
      onward.destroy();
    });
  };
}

/** Sends the first half of the answer's body as if that were all. */
export const truncated: Fault = async (exchange) => {
  const { status, headers, body } = await exchange.forward();
  const half = body.subarray(0, Math.floor(body.length / 2));
  exchange.send({ status, headers: { ...headers, 'content-length': String(half.length) }, body: half });
};

/** Flips the bits of one byte in the middle of the answer's body. */
export const flippedDown: Fault = async (exchange) => {
  const { status, headers, body } = await exchange.forward();
  exchange.send({ status, headers, body: flipped(body) });
};

/**
 * Flips the bits of one byte of the request's body on its way to the server. A server that checks signatures sees it by
 * the hash in the header; the emulator does not, so that the proxy answers in its place. What an unsigned body's checksum
 * is worth, the server itself has to show.
 */
export const flippedUp: Fault = async (exchange) => {
  const body = flipped(await exchange.body());
  const signed = exchange.request.headers['x-amz-content-sha256'];
  const mismatch =
    typeof signed === 'string' &&
    /^[0-9a-f]{64}$/.test(signed) &&
    signed !== createHash('sha256').update(body).digest('hex');
  if (!mismatch) return exchange.send(await exchange.forward(body));
  const { method = '', url = '', headers } = exchange.request;
  error(400, 'XAmzContentSHA256Mismatch')({ method, url, headers, body, port: undefined }, exchange.response);
};

/** Announces more bytes than come (or fewer, when negative), and ends the connection. */
export function wrongLength(by: number): Fault {
  return async (exchange) => {
    const { status, headers, body } = await exchange.forward();
    const announced = Math.max(0, body.length + by);
    exchange.response.writeHead(status, { ...headers, 'content-length': String(announced), connection: 'close' });
    exchange.response.write(body, () => exchange.hangUp());
  };
}

/** Does something else first: the request is passed on when it is done. */
export function meanwhile(work: () => unknown): Fault {
  return async (exchange) => {
    await work();
    exchange.pass();
  };
}

/** What a proxy that wants somebody to log in answers to everything. */
export const loginPage: Fault = instead((request, response) => {
  const page = '<!doctype html><html><body><form>Please sign in</form></body></html>';
  answer(200, { 'content-type': 'text/html' }, request.method === 'HEAD' ? '' : page)(request, response);
});

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const at = Math.floor(copy.length / 2);
  if (copy.length > 0) copy[at] = (copy[at] as number) ^ 0xff;
  return copy;
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
