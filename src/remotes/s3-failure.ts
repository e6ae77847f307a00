import { redactUrl } from '../core/redact.js';
import { retryAfterMs } from './network-failure.js';

/** The facts of a failed request that decide what to make of it. */
export interface S3Failure {
  /** The server's error code, or the name of the SDK's own error. */
  name: string;
  /** HTTP status of the answer; absent when there was none. */
  status?: number;
  /** What the server said, shortened, without credentials. */
  said: string;
  /** Region in which the server says the bucket is. */
  region?: string;
  /** How long the server asks to wait. */
  retryAfterMs?: number;
  requestId?: string;
  /** True where the server's clock, by its answer, is further from ours than a signature may be. */
  clockOff?: boolean;
}

interface SdkError extends Error {
  Code?: unknown;
  Region?: unknown;
  $metadata?: { httpStatusCode?: unknown; requestId?: unknown };
  $response?: { statusCode?: unknown; headers?: Record<string, unknown> };
}

const MAX_SAID = 300;
/** How far S3 lets the time of a signature be from its own. */
const MOST_SKEW_MS = 15 * 60 * 1000;

/** Reads an error of the SDK, or of the sockets below it, by its name, codes and headers. `now` is in milliseconds. */
export function readFailure(error: unknown, now = Date.now()): S3Failure {
  if (!(error instanceof Error)) return { name: 'Unknown', said: shorten(String(error)) };
  const { $metadata, $response, Code, name, message } = error as SdkError;
  const status = number($metadata?.httpStatusCode) ?? number($response?.statusCode);
  const region = regionOf(error as SdkError, status);
  const retryAfter = retryAfterMs(text($response?.headers?.['retry-after']), now);
  const requestId = text($metadata?.requestId);
  const clockOff = Math.abs(Date.parse(text($response?.headers?.date) ?? '') - now) > MOST_SKEW_MS;
  return {
    name: text(Code) ?? name,
    said: shorten(message),
    ...(status !== undefined && { status }),
    ...(region !== undefined && { region }),
    ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
    ...(requestId !== undefined && { requestId }),
    ...(clockOff && { clockOff }),
  };
}

function regionOf(error: SdkError, status: number | undefined): string | undefined {
  // A 403 names the region too, though nothing is wrong with it.
  if (status !== 301 && status !== 307 && status !== 400) return undefined;
  return text(error.$response?.headers?.['x-amz-bucket-region']) ?? text(error.Region);
}

function shorten(message: string): string {
  const line = redactUrl(message.split('\n', 1)[0] ?? '').trim();
  return line.length > MAX_SAID ? `${line.slice(0, MAX_SAID)}…` : line;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
