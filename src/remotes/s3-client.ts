import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { type GetObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { PlainGet } from './remote.js';
import type { S3Credentials } from './s3-credentials.js';
import { readFailure } from './s3-failure.js';
import { SILENT_LOGGER } from './s3-logger.js';
import type { S3Options } from './s3-options.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Longest silence of a socket while a request is under way. */
const SILENCE_TIMEOUT_MS = 60_000;
const DEFAULT_CONNECTIONS = 32;
const DEFAULT_REGION = 'us-east-1';
const PAYLOAD_HASH = 'x-amz-content-sha256';

/** The SDK's client, set up once, and set up again for the region where the bucket turns out to be. */
export class S3Connection {
  private readonly config: S3ClientConfig;
  private readonly agents: { httpAgent: HttpAgent; httpsAgent: HttpsAgent };
  private readonly declared = new WeakMap<object, string>();
  private client: S3Client;
  private signer: S3Client | undefined;

  private constructor(
    private readonly options: S3Options,
    credentials: S3Credentials,
    private region: string,
  ) {
    const sockets = { keepAlive: true, maxSockets: options.connections ?? DEFAULT_CONNECTIONS };
    this.agents = { httpAgent: new HttpAgent(sockets), httpsAgent: new HttpsAgent(sockets) };
    this.config = this.configure(credentials);
    this.client = this.newClient();
  }

  /** Sets the client up; asks no server. Error: `CONFIG_INVALID` for an endpoint that is no http(s) URL. */
  static async open(options: S3Options, credentials: S3Credentials): Promise<S3Connection> {
    checkEndpoint(options.endpoint);
    // The SDK, too, takes the environment's before that of a profile.
    const region = (options.region ?? options.environment?.AWS_REGION) || (await configuredRegion(options.profile));
    return new S3Connection(options, credentials, region);
  }

  /** The server, for messages. */
  get endpoint(): string {
    return this.options.endpoint ?? `AWS (${this.region})`;
  }

  /**
   * Makes a request. A server that answers that the bucket is in another region is asked again there, once, and that
   * region is used from then on. Errors: the SDK's.
   */
  async run<T>(request: (client: S3Client) => Promise<T>): Promise<T> {
    const { region } = this;
    try {
      return await request(this.client);
    } catch (error) {
      const actual = readFailure(error).region;
      if (actual === undefined || actual === region) throw error;
      if (actual !== this.region) this.moveTo(actual);
      return request(this.client);
    }
  }

  /** A request as the SDK would make it now, signed, which is not made. Errors: the SDK's. */
  async signed(command: GetObjectCommand): Promise<PlainGet> {
    this.signer ??= this.newSigner();
    const { request } = (await this.signer.send(command)) as unknown as { request: HttpRequest };
    return { url: urlOf(request), headers: request.headers };
  }

  close(): void {
    this.agents.httpAgent.destroy();
    this.agents.httpsAgent.destroy();
  }

  private moveTo(region: string): void {
    this.region = region;
    this.client = this.newClient();
    this.signer = undefined;
  }

  /** True when a streamed body must come with its hash, because nothing else would tell the server that it is whole. */
  get needsStreamHash(): boolean {
    return !this.hasChecksum && !this.unsigned;
  }

  /**
   * Notes what a body's request says in its signature of the body: its SHA-256 (hex), which the SDK cannot take of a
   * stream and need not take twice, or `UNSIGNED-PAYLOAD`.
   */
  declareHash(body: object, sha256: string): void {
    this.declared.set(body, sha256);
  }

  /** True where no setting says how bodies are protected, and each is signed unless the server proves that it need not be. */
  get mayProveChecksums(): boolean {
    return this.options.checksum === undefined && this.options.unsignedPayload === undefined && !this.hasChecksum;
  }

  private get hasChecksum(): boolean {
    const { checksum, endpoint } = this.options;
    return (checksum ?? (endpoint === undefined ? 'when-supported' : 'when-required')) === 'when-supported';
  }

  private get unsigned(): boolean {
    const { unsignedPayload, endpoint } = this.options;
    const overTls = endpoint === undefined || /^https:/i.test(endpoint);
    return unsignedPayload ?? (overTls && this.hasChecksum);
  }

  private configure(credentials: S3Credentials): S3ClientConfig {
    const { options } = this;
    const custom = options.endpoint !== undefined;
    return {
      credentials: credentials.provide,
      ...(custom && { endpoint: options.endpoint as string }),
      ...(options.profile && { profile: options.profile }),
      forcePathStyle: options.pathStyle ?? custom,
      // The wrapper around the remote tries again; two layers of it would multiply.
      maxAttempts: 1,
      requestChecksumCalculation: this.hasChecksum ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
      // Every byte is checked against its own hash later.
      responseChecksumValidation: 'WHEN_REQUIRED',
      // It would open a new connection for every large body.
      expectContinueHeader: false,
      cacheMiddleware: true,
      logger: SILENT_LOGGER,
      requestHandler: {
        ...this.agents,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_TIMEOUT_MS,
      },
    };
  }

  private newClient(): S3Client {
    const client = new S3Client({ ...this.config, region: this.region });
    client.middlewareStack.add(
      (next, context) => (args) => {
        if (context.commandName === 'PutObjectCommand') this.prepareUpload(args.request as UploadRequest);
        return next(args);
      },
      { name: 'mlvUpload', step: 'build', priority: 'low' },
    );
    return client;
  }

  /** A client that sends nothing: the answer to a command is its request. */
  private newSigner(): S3Client {
    const signer = new S3Client({ ...this.config, region: this.region });
    signer.middlewareStack.add(
      () => async (args) => {
        const output = { $metadata: {}, request: args.request };
        return { response: undefined, output };
      },
      // After the signature.
      { name: 'mlvSigned', step: 'finalizeRequest', priority: 'low' },
    );
    return signer;
  }

  private prepareUpload({ headers, body }: UploadRequest): void {
    // The SDK puts a stream of its own around the body's where it adds a checksum, and listens to its errors nowhere.
    if (body instanceof Readable) body.on('error', () => undefined);
    const declared = typeof body === 'object' && body !== null ? this.declared.get(body) : undefined;
    const hash = this.unsigned ? 'UNSIGNED-PAYLOAD' : declared;
    if (hash) headers[PAYLOAD_HASH] ??= hash;
  }
}

/** What the SDK's requests are, as far as it matters here. */
interface HttpRequest {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
}

/** The address, without a change to what was signed. */
function urlOf({ protocol, hostname, port, path, query = {} }: HttpRequest): string {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ''].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
  );
  const search = parameters.length > 0 ? `?${parameters.join('&')}` : '';
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${search}`;
}

interface UploadRequest {
  headers: Record<string, string>;
  body?: unknown;
}

async function configuredRegion(profile: string | undefined): Promise<string> {
  const probe = new S3Client({ ...(profile && { profile }), logger: SILENT_LOGGER });
  try {
    return await probe.config.region();
  } catch {
    // Not set anywhere, which servers other than AWS do not mind; on AWS the bucket itself tells.
    return DEFAULT_REGION;
  } finally {
    probe.destroy();
  }
}

function checkEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined) return;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const web = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url && web && url.username === '' && url.password === '') return;
  const reason = web ? 'contains credentials' : 'is not a http:// or https:// URL';
  throw new MlvError('CONFIG_INVALID', `the endpoint '${redactUrl(endpoint)}' ${reason}`, {
    hint: web ? 'set access-key-id and secret-access-key in your own configuration' : 'write https://host:port',
  });
}
