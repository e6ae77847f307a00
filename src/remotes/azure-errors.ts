import { RestError } from '@azure/storage-blob';
import { MlvError } from '../core/errors.js';
import { isTransientStatus, networkFailure, retryAfterMs } from './network-failure.js';
import { plainCause } from './plain-cause.js';
import { type Attempt, type Operation, type RemoteFailure, remoteError } from './remote-error.js';

/** What the messages need to know beside the failure itself. */
export interface AzureContext {
  container: string;
  endpoint: string;
  /** Where the credentials come from. */
  source: string;
}

const TRANSIENT = new Set(['InternalError', 'OperationTimedOut', 'ServerBusy', 'ContainerBeingDeleted']);
const CONTAINER = new Set(['ContainerNotFound', 'ContainerBeingDeleted', 'ContainerDisabled']);
const PERMISSION: Record<Operation, string> = {
  stat: 'read',
  get: 'read',
  put: 'write',
  list: 'list',
  delete: 'delete',
};

/** The status and the error code of a failed request; of a HEAD, the code is in a header. */
export function azureFacts(error: unknown): { status?: number | undefined; name: string } {
  if (!(error instanceof RestError)) return { name: '' };
  const { statusCode, code, details, response } = error;
  const named = (details as { errorCode?: unknown } | undefined)?.errorCode ?? response?.headers.get('x-ms-error-code');
  return { status: statusCode, name: typeof named === 'string' ? named : (code ?? '') };
}

/**
 * Turns an error of a request into the remote's, by code and status alone. An MlvError is given back as it is. `data`
 * holds `status`, `azureCode` and `retryAfterMs` where they are known.
 */
export function azureError(error: unknown, attempt: Attempt, context: AzureContext): MlvError {
  const cause = plainCause(error);
  const own = ownError(error);
  if (own) return own;
  const { status, name } = azureFacts(error);
  const network = status === undefined ? networkFailure(error, context.endpoint) : undefined;
  if (network) return remoteError(attempt, { ...network, cause });
  const said = [status === undefined ? '' : `HTTP ${status}`, name].filter((part) => part !== '').join(' ');
  const wait = error instanceof RestError ? retryAfterMs(error.response?.headers.get('retry-after')) : undefined;
  const facts = { status, azureCode: name || undefined, retryAfterMs: wait };
  const failure = judge({ status, name, said }, attempt, context);
  const data = Object.fromEntries(
    Object.entries({ ...facts, ...failure.data }).filter(([, value]) => value !== undefined),
  );
  return remoteError(attempt, { ...failure, cause, data });
}

/** The failure of a container that does not exist. */
export function containerMissing({ container, endpoint }: AzureContext): RemoteFailure {
  return {
    code: 'REMOTE_NOT_FOUND',
    reason: `the container '${container}' does not exist on ${endpoint}`,
    hint: 'create the container, or correct the URL; mlv makes no containers',
    data: { missing: 'bucket' },
  };
}

/** The failure of an answer that has the right status but is not what Azure says. */
export function notAzure({ endpoint }: Pick<AzureContext, 'endpoint'>, detail: string): RemoteFailure {
  return {
    code: 'REMOTE_PERMANENT',
    reason: `${endpoint} gave an answer that is not Azure's (${detail})`,
    hint: 'check the endpoint: it may be a web page, a proxy or a login page',
  };
}

function judge(
  { status, name, said }: { status: number | undefined; name: string; said: string },
  attempt: Attempt,
  context: AzureContext,
): RemoteFailure {
  if (CONTAINER.has(name) && name !== 'ContainerBeingDeleted') return containerMissing(context);
  if (TRANSIENT.has(name) || (status !== undefined && isTransientStatus(status))) {
    return { code: 'REMOTE_TRANSIENT', reason: `the server is busy or failing (${said})` };
  }
  if (status === 507) return { code: 'DISK_FULL', reason: `the account is full (${said})` };
  if (status === 401 || status === 403) {
    const hint = `they must be allowed to ${PERMISSION[attempt.operation]} blobs in this container (Storage Blob Data Contributor), and the clock must be right`;
    return {
      code: 'REMOTE_DENIED',
      reason: `access denied with the credentials from ${context.source} (${said})`,
      hint,
    };
  }
  if (status === 404) return { code: 'REMOTE_NOT_FOUND', reason: 'it is not there', data: { missing: 'key' } };
  if (status === undefined) return { code: 'REMOTE_PERMANENT', reason: `the request failed (${said || 'no answer'})` };
  if (status < 300) return notAzure(context, said);
  return { code: 'REMOTE_PERMANENT', reason: `the server refused it (${said})` };
}

/** The SDK wraps what the source of a body or of a token threw. */
function ownError(error: unknown): MlvError | undefined {
  if (error instanceof MlvError) return error;
  return error instanceof Error && error.cause instanceof MlvError ? error.cause : undefined;
}
