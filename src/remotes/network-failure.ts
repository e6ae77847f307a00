import { systemErrorCode } from '../core/errors.js';
import type { RemoteFailure } from './remote-error.js';

const REASONS: Record<string, string> = {
  ECONNABORTED: 'the connection was aborted',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  EHOSTDOWN: 'the host is down',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETDOWN: 'the network is down',
  ENETUNREACH: 'the network cannot be reached',
  ENOTCONN: 'the connection was closed',
  EPIPE: 'the connection was closed',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was closed',
  ETIMEDOUT: 'it did not answer in time',
};
const UNREACHED =
  'check the network, and the address of the remote (its url, and its endpoint where it has one): mlv remote list shows it, mlv doctor tries it';
const TLS = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO$)/;

/**
 * What to make of an error of a socket, by its code alone (or that of its cause): `REMOTE_TRANSIENT` for what passes,
 * `REMOTE_PERMANENT` for a host without a name or without a certificate to trust; undefined for any other error.
 * @param place the server, for messages.
 */
export function networkFailure(error: unknown, place: string): RemoteFailure | undefined {
  const system = systemErrorCode(error) ?? (error instanceof Error ? systemErrorCode(error.cause) : undefined);
  if (system === undefined) return undefined;
  const data = { system };
  if (TLS.test(system)) {
    const hint = 'check the URL (http or https), and give Node a private certificate authority by NODE_EXTRA_CA_CERTS';
    return { code: 'REMOTE_PERMANENT', reason: `no trusted connection to ${place} (${system})`, hint, data };
  }
  if (system === 'ENOTFOUND') {
    const hint = `check the name of the host; ${UNREACHED}`;
    return { code: 'REMOTE_PERMANENT', reason: `the host of ${place} is not known (ENOTFOUND)`, hint, data };
  }
  // What Node's HTTP parser calls an answer that breaks off or is none.
  if (system.startsWith('HPE_')) {
    return { code: 'REMOTE_TRANSIENT', reason: `${place} gave no valid answer (${system})`, data };
  }
  const reason = REASONS[system];
  if (reason === undefined) return undefined;
  return {
    code: 'REMOTE_TRANSIENT',
    reason: `no connection to ${place}: ${reason} (${system})`,
    hint: UNREACHED,
    data,
  };
}

/** What to make of an error while a body arrives: `REMOTE_TRANSIENT`, since what began well is worth another try. */
export function bodyFailure(error: unknown, place: string): RemoteFailure {
  const network = networkFailure(error, place);
  return network ?? { code: 'REMOTE_TRANSIENT', reason: `the answer of ${place} broke off` };
}

/** Milliseconds that a `Retry-After` header asks to wait, `now` being milliseconds since the epoch. */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  if (!header) return undefined;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return milliseconds > 0 ? milliseconds : undefined;
}

const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 529]);

/** True for a status of HTTP after which the same request may succeed later. */
export function isTransientStatus(status: number): boolean {
  return TRANSIENT_STATUS.has(status);
}
