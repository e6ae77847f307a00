import { MlvError } from '../core/errors.js';
import { isTransientStatus, networkFailure } from './network-failure.js';
import { plainCause } from './plain-cause.js';
import { type Attempt, type Operation, type RemoteFailure, remoteError } from './remote-error.js';

/** What the messages need to know beside the failure itself. */
export interface GcsContext {
  bucket: string;
  endpoint: string;
  /** Where the credentials come from. */
  source: string;
}

/** What a server said of a request that it refused. */
export interface GcsRefusal {
  status: number;
  /** The `reason` of Google's error, where there is one. */
  reason?: string | undefined;
  retryAfterMs?: number | undefined;
}

const RATE = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'backendError', 'internalError']);
const PERMISSION: Record<Operation, string> = {
  stat: 'storage.objects.get',
  get: 'storage.objects.get',
  put: 'storage.objects.create and storage.objects.delete',
  list: 'storage.objects.list',
  delete: 'storage.objects.delete',
};

/** The refusal that an error of the SDK stands for; undefined where no server answered. */
export function refusalOf(error: unknown): GcsRefusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errors } = error as { code?: unknown; errors?: { reason?: unknown }[] };
  const status = Number(code);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  const reason = Array.isArray(errors) ? errors[0]?.reason : undefined;
  return { status, reason: typeof reason === 'string' ? reason : undefined };
}

/** Turns an error of the SDK or of a socket into the remote's, by status, reason and code. An MlvError stays as it is. */
export function gcsError(error: unknown, attempt: Attempt, context: GcsContext): MlvError {
  if (error instanceof MlvError) return error;
  const cause = plainCause(error);
  const refusal = refusalOf(error);
  if (refusal) return refusedError(refusal, { attempt, context, cause });
  const network = networkFailure(error, context.endpoint);
  if (network) return remoteError(attempt, { ...network, cause });
  const timeOut = error instanceof Error && (error as { type?: unknown }).type === 'request-timeout';
  if (timeOut)
    return remoteError(attempt, {
      code: 'REMOTE_TRANSIENT',
      reason: `${context.endpoint} did not answer in time`,
      cause,
    });
  const said = error instanceof Error ? error.name : String(error);
  const reason = `the request to ${context.endpoint} failed (${said})`;
  return remoteError(attempt, { code: 'REMOTE_PERMANENT', reason, cause });
}

/** The remote's error for a refusal. `data` holds `status`, `gcsReason` and `retryAfterMs` where they are known. */
export function refusedError(
  refusal: GcsRefusal,
  { attempt, context, cause }: { attempt: Attempt; context: GcsContext; cause?: unknown },
): MlvError {
  const { status, reason: gcsReason, retryAfterMs } = refusal;
  const failure = judge(refusal, attempt, context);
  const facts = Object.entries({ status, gcsReason, retryAfterMs, ...failure.data });
  const data = Object.fromEntries(facts.filter(([, value]) => value !== undefined));
  return remoteError(attempt, { ...failure, cause, data });
}

/** The failure of a bucket that does not exist. */
export function bucketMissing({ bucket, endpoint }: GcsContext): RemoteFailure {
  return {
    code: 'REMOTE_NOT_FOUND',
    reason: `the bucket '${bucket}' does not exist on ${endpoint}`,
    hint: 'create the bucket, or correct the URL; mlv makes no buckets',
    data: { missing: 'bucket' },
  };
}

/** The failure of an answer that has the right status but is not what Google's storage says. */
export function notGcs({ endpoint }: Pick<GcsContext, 'endpoint'>, detail: string): RemoteFailure {
  return {
    code: 'REMOTE_PERMANENT',
    reason: `${endpoint} gave an answer that is not Google Cloud Storage's (${detail})`,
    hint: 'check the endpoint: it may be a web page, a proxy or a login page',
  };
}

function judge({ status, reason }: GcsRefusal, { operation }: Attempt, { source }: GcsContext): RemoteFailure {
  const said = `HTTP ${status}${reason === undefined ? '' : ` ${reason}`}`;
  if (isTransientStatus(status) || (reason !== undefined && RATE.has(reason))) {
    return { code: 'REMOTE_TRANSIENT', reason: `the server is busy or failing (${said})` };
  }
  if (status === 401 || status === 403) {
    const hint = `they must be allowed ${PERMISSION[operation]} here (Storage Object User)`;
    return { code: 'REMOTE_DENIED', reason: `access denied with the credentials from ${source} (${said})`, hint };
  }
  if (status === 404) return { code: 'REMOTE_NOT_FOUND', reason: 'it is not there', data: { missing: 'key' } };
  return { code: 'REMOTE_PERMANENT', reason: `the server refused it (${said})` };
}
