import {
  Agent,
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What went through. Bytes are those of bodies; what was under way when a client died counts as far as it came. */
export interface Traffic {
  requests: number;
  bytesUp: number;
  bytesDown: number;
}

/**
 * An HTTP proxy in front of one server that counts, so that no figure rests on what mlv says of itself. The host header
 * stays as the client signed it. Not for timed runs: it costs time.
 */
export class CountingProxy {
  private counted: Traffic = { requests: 0, bytesUp: 0, bytesDown: 0 };
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  /** Called as bytes come up. */
  onBytesUp: (total: number) => void = () => {};

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  /** Starts a proxy on loopback in front of `target`, an http address. */
  static async start(target: string): Promise<CountingProxy> {
    const server = createServer();
    const proxy = new CountingProxy(server, new URL(target));
    server.on('request', (incoming, outgoing) => proxy.pass(incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What went through since the last call. */
  take(): Traffic {
    const taken = this.counted;
    this.counted = { requests: 0, bytesUp: 0, bytesDown: 0 };
    return taken;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.counted.requests++;
    const onward = httpRequest({
      agent: this.agent,
      host: this.target.hostname,
      port: this.target.port,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    });
    incoming.on('data', (part: Buffer) => {
      this.counted.bytesUp += part.length;
      this.onBytesUp(this.counted.bytesUp);
    });
    abandonTogether(incoming, onward);
    onward.on('response', (answer) => {
      answer.on('data', (part: Buffer) => {
        this.counted.bytesDown += part.length;
      });
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    incoming.pipe(onward);
  }
}

/** A client that dies in the middle must not leave half a request open at the server. */
function abandonTogether(incoming: IncomingMessage, onward: ClientRequest): void {
  const socket: Socket = incoming.socket;
  const abandon = (): void => void onward.destroy();
  socket.once('close', abandon);
  onward.once('close', () => socket.off('close', abandon));
}
