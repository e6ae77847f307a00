import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { GcsAccess } from './gcs-credentials.js';
import type { GcsRefusal } from './gcs-errors.js';
import { exchange } from './http-exchange.js';
import { retryAfterMs } from './network-failure.js';
import { type Agents, patientAgents } from './patient-agents.js';
import type { ByteRange } from './remote.js';

const MOST_OF_AN_ERROR = 64 * 1024;

/**
 * The bytes of objects, up and down. These requests go past the SDK, with its credentials: its streams cannot be ended
 * without the connections of all others, and say neither how long they are nor when an upload's source fails.
 */
export class GcsMedia {
  private readonly agents: Agents;

  constructor(
    private readonly access: GcsAccess,
    connections: number | undefined,
  ) {
    this.agents = patientAgents(connections);
  }

  /** The answer to a GET of an object, by its name in the bucket, or of a part of it, whatever its status. Errors: those of the socket. */
  async download(name: string, options: { range: ByteRange | undefined; signal: AbortSignal | undefined }) {
    const { range, signal } = options;
    const url = this.access.objectUrl(`/storage/v1/b/{bucket}/o/${encodeURIComponent(name)}`, { alt: 'media' });
    const headers = {
      ...(await this.access.headers()),
      'accept-encoding': 'identity',
      ...(range && { range: `bytes=${range.start}-${range.start + range.length - 1}` }),
    };
    return exchange(this.agents, { method: 'GET', url, headers, signal });
  }

  /** The answer to an upload in one request, whatever its status. Errors: those of the socket and of the source. */
  async upload(
    name: string,
    options: { body: { size: number; content: Buffer | Readable }; ifAbsent: boolean; signal: AbortSignal | undefined },
  ): Promise<IncomingMessage> {
    const query = { uploadType: 'media', name, ...(options.ifAbsent && { ifGenerationMatch: '0' }) };
    const url = this.access.objectUrl('/upload/storage/v1/b/{bucket}/o', query);
    const headers = { ...(await this.access.headers()), 'content-type': 'application/octet-stream' };
    return exchange(this.agents, { method: 'POST', url, headers, body: options.body, signal: options.signal });
  }

  close(): void {
    this.agents.destroy();
  }
}

/** Reads the whole of a small answer; of a large one, its beginning. */
export async function readAnswer(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > MOST_OF_AN_ERROR) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What an answer says with a status other than success. */
export async function readRefusal(response: IncomingMessage): Promise<GcsRefusal> {
  const text = await readAnswer(response).catch(() => '');
  const wait = retryAfterMs(response.headers['retry-after']);
  return { status: response.statusCode ?? 0, reason: reasonIn(text), retryAfterMs: wait };
}

function reasonIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { errors?: { reason?: unknown }[] } };
    const reason = error?.errors?.[0]?.reason;
    return typeof reason === 'string' ? reason : undefined;
  } catch {
    return undefined;
  }
}
