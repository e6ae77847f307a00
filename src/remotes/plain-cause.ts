import { redactUrl } from '../core/redact.js';

/** An SDK's error with nothing on it but name, message and stack: the original carries the request, and so secrets. */
export function plainCause(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  const plain = new Error(redactUrl(error.message));
  plain.name = error.name;
  if (error.stack !== undefined) plain.stack = redactUrl(error.stack);
  return plain;
}
