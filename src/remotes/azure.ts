import { Readable } from 'node:stream';
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import pLimit from 'p-limit';
import { isMlvError } from '../core/errors.js';
import { containerClient } from './azure-client.js';
import { type AzureAccess, azureAccess } from './azure-credentials.js';
import { type AzureContext, azureError, azureFacts, containerMissing, notAzure } from './azure-errors.js';
import { listBlobs } from './azure-list.js';
import type { AzureOptions } from './azure-options.js';
import { openBody } from './body.js';
import { rangeFault } from './content-range.js';
import { checkInterrupted, interruption } from './interrupted.js';
import { beginAttempt, checkRange, rangeBeyondEnd } from './keys.js';
import { bodyFailure } from './network-failure.js';
import { type Agents, patientAgents } from './patient-agents.js';
import { plainCause } from './plain-cause.js';
import type {
  ByteRange,
  CredentialSource,
  GetOptions,
  ListOptions,
  PutOptions,
  Remote,
  RemoteBody,
  RemoteContent,
  RemoteEntry,
} from './remote.js';
import { type Attempt, type Operation, remoteError } from './remote-error.js';
import { incomingBody, outgoingBody } from './stream-body.js';

/** What Azure takes in one request. */
const MAX_PUT_BYTES = 5000 * 1024 ** 2;
const DELETES_AT_ONCE = 16;

/** Opens a container. No request is made yet. Errors: those of azureAccess. */
export function openAzureRemote(options: AzureOptions): Remote {
  return new AzureRemote(options);
}

/** A remote in a container of Azure Blob Storage. */
class AzureRemote implements Remote {
  readonly url: string;
  private readonly root: string;
  private readonly access: AzureAccess;
  private readonly agents: Agents;
  private readonly container: ContainerClient;
  private source = 'an unknown source';
  private containerSeen = false;

  constructor(private readonly options: AzureOptions) {
    const prefix = (options.prefix ?? '').replace(/^\/+|\/+$/g, '');
    this.root = prefix === '' ? '' : `${prefix}/`;
    this.url = `azure://${options.container}${prefix === '' ? '' : `/${prefix}`}`;
    this.access = azureAccess(options, this.url);
    this.agents = patientAgents(options.connections);
    this.container = containerClient(options.container, this.access, this.agents);
  }

  async stat(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<RemoteEntry | undefined> {
    const attempt = this.begin('stat', key, signal);
    try {
      const answer = await this.request(attempt, signal, () => this.blob(key).getProperties(abortable(signal)));
      if (answer.blobType === undefined || answer.contentLength === undefined) throw this.strange(attempt, 'no blob');
      return { key, size: answer.contentLength, modified: answer.lastModified?.getTime() ?? 0 };
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND') || error.data.missing !== 'key') throw error;
      await this.requireContainer(attempt, signal);
      return undefined;
    }
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<RemoteContent> {
    const attempt = this.begin('get', key, signal);
    checkRange(attempt, range);
    try {
      const answer = await this.request(attempt, signal, () =>
        this.blob(key).download(range?.start ?? 0, range?.length, { maxRetryRequests: 0, ...abortable(signal) }),
      );
      return this.receive(answer, { attempt, range, signal });
    } catch (error) {
      if (!range || !isMlvError(error, 'REMOTE_PERMANENT') || error.data.status !== 416) throw error;
      throw rangeBeyondEnd(attempt, range, { cause: error.cause });
    }
  }

  async put(key: string, body: RemoteBody, { ifAbsent, signal }: PutOptions = {}): Promise<'created' | 'exists'> {
    const attempt = this.begin('put', key, signal);
    if (body.size > MAX_PUT_BYTES) {
      throw remoteError(attempt, { code: 'REMOTE_PERMANENT', reason: 'one request takes 5,000 MiB at most' });
    }
    const outgoing = outgoingBody(openBody(body, attempt), signal);
    try {
      const { body: bytes } = outgoing;
      const answer = await this.blob(key).upload(bytes instanceof Readable ? () => bytes : bytes, body.size, {
        ...(ifAbsent && { conditions: { ifNoneMatch: '*' } }),
        ...abortable(outgoing.signal),
        blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
      });
      if (!answer.etag) throw this.strange(attempt, 'no ETag, so nothing was stored');
      return 'created';
    } catch (error) {
      const { status, name } = azureFacts(error);
      if (ifAbsent && (status === 412 || (status === 409 && name === 'BlobAlreadyExists'))) return 'exists';
      if (signal?.aborted) throw interruption(signal);
      throw await this.translate(outgoing.failure() ?? error, attempt);
    } finally {
      outgoing.close();
    }
  }

  list(prefix: string, options: ListOptions = {}): AsyncIterable<RemoteEntry> {
    const attempt: Attempt = { operation: 'list', url: this.url, key: prefix };
    return listBlobs({
      container: this.container,
      root: this.root,
      attempt,
      options,
      pageEntries: this.options.pageEntries,
      request: (work) => this.request(attempt, options.signal, work),
    });
  }

  async delete(keys: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const attempts = keys.map((key) => this.begin('delete', key, signal));
    const limit = pLimit(DELETES_AT_ONCE);
    await Promise.all(attempts.map((attempt) => limit(() => this.deleteOne(attempt, signal))));
  }

  async close(): Promise<void> {
    this.agents.destroy();
  }

  async describeCredentials(): Promise<CredentialSource> {
    const found = await this.access.describe();
    this.source = found.name;
    return found;
  }

  private begin(operation: Operation, key: string, signal: AbortSignal | undefined): Attempt {
    return beginAttempt({ operation, url: this.url, key }, signal);
  }

  private blob(key: string): BlockBlobClient {
    return this.container.getBlockBlobClient(this.root + key);
  }

  private async request<T>(attempt: Attempt, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    checkInterrupted(signal);
    try {
      const answer = await work();
      this.containerSeen = true;
      return answer;
    } catch (error) {
      if (signal?.aborted) throw interruption(signal);
      throw await this.translate(error, attempt);
    }
  }

  private async deleteOne(attempt: Attempt, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.request(attempt, signal, () =>
        this.blob(attempt.key ?? '').delete({ deleteSnapshots: 'include', ...abortable(signal) }),
      );
    } catch (error) {
      if (!isMlvError(error, 'REMOTE_NOT_FOUND') || error.data.missing !== 'key') throw error;
    }
  }

  /** A HEAD may answer a missing container as it answers a missing blob: tells them apart. */
  private async requireContainer(attempt: Attempt, signal: AbortSignal | undefined): Promise<void> {
    if (this.containerSeen) return;
    try {
      await this.container.getProperties(abortable(signal));
    } catch (error) {
      const { status } = azureFacts(error);
      if (status === 404) throw remoteError(attempt, containerMissing(await this.context()));
      // Whoever may read blobs need not be allowed to ask for the container.
      if (status !== 403) throw await this.translate(error, attempt);
    }
    this.containerSeen = true;
  }

  private receive(
    answer: Awaited<ReturnType<BlockBlobClient['download']>>,
    { attempt, range, signal }: { attempt: Attempt; range: ByteRange | undefined; signal: AbortSignal | undefined },
  ): RemoteContent {
    const stream = answer.readableStreamBody as Readable;
    try {
      const { contentLength: size, contentRange } = answer;
      if (answer.blobType === undefined || size === undefined) throw this.strange(attempt, 'no blob');
      const fault = range && rangeFault({ contentRange, contentLength: size }, range, attempt);
      if (isMlvError(fault)) throw fault;
      if (fault) throw this.strange(attempt, 'another range than asked for');
      const translate = (error: unknown): Error =>
        remoteError(attempt, { ...bodyFailure(error, this.access.endpoint), cause: plainCause(error) });
      const body = incomingBody({ stream, size, attempt, signal, translate });
      return { size, body };
    } catch (error) {
      stream.on('error', () => undefined).destroy();
      throw error;
    }
  }

  private async translate(error: unknown, attempt: Attempt): Promise<Error> {
    return azureError(error, attempt, await this.context());
  }

  private async context(): Promise<AzureContext> {
    await this.describeCredentials().catch(() => undefined);
    return this.contextNow();
  }

  private contextNow(): AzureContext {
    return { container: this.options.container, endpoint: this.access.endpoint, source: this.source };
  }

  private strange(attempt: Attempt, detail: string): Error {
    return remoteError(attempt, notAzure(this.contextNow(), detail));
  }
}

/** The SDK's option for a signal that may be absent. */
function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}
