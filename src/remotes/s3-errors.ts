import { MlvError } from '../core/errors.js';
import { isTransientStatus, networkFailure } from './network-failure.js';
import { S3_OVERLOAD } from './overload.js';
import { plainCause } from './plain-cause.js';
import { type Attempt, type Operation, type RemoteFailure, remoteError } from './remote-error.js';
import { readFailure, type S3Failure } from './s3-failure.js';

/** What the messages need to know beside the failure itself. */
export interface S3Context {
  bucket: string;
  /** The server, for messages. */
  endpoint: string;
  /** Where the credentials came from, once any were used. */
  source: string | undefined;
  /** What to do about refused credentials. */
  advice: string;
}

type Verdict = Pick<RemoteFailure, 'code' | 'reason' | 'hint' | 'data'>;

const CREDENTIALS_REFUSED = new Set([
  'AccessKeyDisabled',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
  'XAdminUserNotFound',
]);
const CLOCK = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture']);
const TRANSIENT = new Set<string>([
  ...S3_OVERLOAD,
  'BadDigest',
  'ConditionalRequestConflict',
  'InternalError',
  'IncompleteBody',
  'OperationAborted',
  'ServiceUnavailable',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
]);
const FULL = new Set(['InsufficientStorage', 'QuotaExceeded', 'ServiceQuotaExceededException', 'XMinioStorageFull']);
/** What the SDK calls an answer that it found no code in. */
const NAMELESS = new Set(['', 'Error', 'SyntaxError', 'Unknown', 'UnknownError']);
const PERMISSION: Record<Operation, string> = {
  stat: 's3:GetObject',
  get: 's3:GetObject',
  put: 's3:PutObject',
  list: 's3:ListBucket',
  delete: 's3:DeleteObject',
};

/**
 * Turns an error of a request into the remote's, by name, code and status alone. An MlvError is given back as it is.
 * `data` holds `status`, `s3Code`, `requestId` and `retryAfterMs` where they are known, and `refused` (`credentials` or
 * `permission`) with `credentialSource` for a `REMOTE_DENIED`.
 */
export function s3Error(error: unknown, attempt: Attempt, context: S3Context): MlvError {
  if (error instanceof MlvError) return error;
  const failure = readFailure(error);
  const { name: s3Code, status, requestId, retryAfterMs } = failure;
  // First: an answer with a good status may still break off.
  const verdict = networkFailure(error, context.endpoint) ?? judge(failure, attempt, context);
  const facts = { s3Code, status, requestId, retryAfterMs, ...verdict.data };
  const data = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return remoteError(attempt, { ...verdict, cause: plainCause(error), data });
}

function judge(failure: S3Failure, attempt: Attempt, context: S3Context): Verdict {
  const { name, status } = failure;
  if (status === undefined) return withoutAnswer(failure, context);
  if (name === 'NoSuchBucket') return bucketMissing(context);
  if (name === 'InvalidObjectState') return archived();
  if (failure.region !== undefined) return wrongRegion(failure.region, context);
  // The refusal of a HEAD has no code; asked by a GET, the SDK has corrected its clock by the answer, and is let in.
  if (CLOCK.has(name) || (status === 403 && failure.clockOff && isNameless(failure))) return wrongClock();
  if (CREDENTIALS_REFUSED.has(name) || status === 401) return credentialsRefused(failure, context);
  if (FULL.has(name) || status === 507) return { code: 'DISK_FULL', reason: `the server is full (${said(failure)})` };
  // Before the names: some servers call a fault of theirs by a name that is none.
  if (TRANSIENT.has(name) || isTransientStatus(status)) {
    return { code: 'REMOTE_TRANSIENT', reason: `the server is busy or failing (${said(failure)})` };
  }
  if (status === 403) return accessDenied(failure, attempt, context);
  if (status === 404) return notFound(failure, attempt, context);
  if (status < 300) return notAnS3Answer(context, failure.said);
  return { code: 'REMOTE_PERMANENT', reason: `the server refused it (${said(failure)})` };
}

function withoutAnswer({ name, said: words }: S3Failure, { endpoint }: S3Context): Verdict {
  if (name === 'TimeoutError') return { code: 'REMOTE_TRANSIENT', reason: `${endpoint} did not answer in time` };
  return { code: 'REMOTE_PERMANENT', reason: `the request failed (${name}: ${words})` };
}

/** The failure of an answer that has the right status but is not what an S3 server says. */
export function notAnS3Answer({ endpoint }: Pick<S3Context, 'endpoint'>, detail: string): Verdict {
  return {
    code: 'REMOTE_PERMANENT',
    reason: `${endpoint} gave an answer that is not S3's (${detail})`,
    hint: 'check the endpoint: it may be a web page, a proxy or a login page',
  };
}

/** The failure of a bucket that does not exist. */
function bucketMissing({ bucket, endpoint }: Pick<S3Context, 'bucket' | 'endpoint'>): Verdict {
  return {
    code: 'REMOTE_NOT_FOUND',
    reason: `the bucket '${bucket}' does not exist on ${endpoint}`,
    hint: 'create the bucket, or correct the URL; mlv makes no buckets',
    data: { missing: 'bucket' },
  };
}

function notFound(failure: S3Failure, { operation }: Attempt, context: S3Context): Verdict {
  // Other things than keys can be missing, and a server's own code for them must not read as `nothing there`.
  const ofKey = NAMELESS.has(failure.name) || ['404', 'NoSuchKey', 'NotFound'].includes(failure.name);
  if (ofKey && (operation === 'get' || operation === 'stat')) {
    return { code: 'REMOTE_NOT_FOUND', reason: 'it is not there', data: { missing: 'key' } };
  }
  const hint = `check the endpoint ${context.endpoint} and the name of the bucket`;
  return { code: 'REMOTE_NOT_FOUND', reason: `the server does not know it (${said(failure)})`, hint };
}

function wrongRegion(region: string, { bucket, endpoint }: S3Context): Verdict {
  return {
    code: 'REMOTE_PERMANENT',
    reason: `the bucket '${bucket}' is in the region ${region}, and ${endpoint} does not lead there`,
    hint: `set the remote's region to ${region}`,
    data: { region },
  };
}

function wrongClock(): Verdict {
  return {
    code: 'REMOTE_DENIED',
    reason: "this machine's clock differs too much from the server's",
    hint: 'set the clock (date, time zone, NTP) and run the same command again',
  };
}

function credentialsRefused(failure: S3Failure, { source, advice }: S3Context): Verdict {
  return {
    code: 'REMOTE_DENIED',
    reason: `the server refused the credentials from ${source ?? 'an unknown source'} (${said(failure)})`,
    hint: advice,
    data: { refused: 'credentials', credentialSource: source },
  };
}

function accessDenied(failure: S3Failure, { operation }: Attempt, { source }: S3Context): Verdict {
  const also =
    operation === 'stat' || operation === 'get' ? '; without s3:ListBucket, what is missing looks the same' : '';
  return {
    code: 'REMOTE_DENIED',
    reason: `access denied with the credentials from ${source ?? 'an unknown source'} (${said(failure)})`,
    hint: `they must be allowed ${PERMISSION[operation]} here${also}`,
    data: { refused: 'permission', credentialSource: source },
  };
}

function archived(): Verdict {
  return {
    code: 'REMOTE_PERMANENT',
    reason: 'it was moved to an archive (InvalidObjectState)',
    hint: 'restore it from the archive first, and keep lifecycle rules off this prefix',
  };
}

/** True where the server gave no code of its own. */
function isNameless({ name, status }: S3Failure): boolean {
  return NAMELESS.has(name) || name === String(status);
}

function said(failure: S3Failure): string {
  const { name, status, said: words } = failure;
  // Without a code of the server's, the words are the SDK's own on a page that it could not read.
  if (isNameless(failure)) return `HTTP ${status}`;
  const unspoken = words === '' || words === name || NAMELESS.has(words);
  return `HTTP ${status} ${name}${unspoken ? '' : `: ${words}`}`;
}
