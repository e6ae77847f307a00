import { MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';

/** What a remote's URL may be, for hints. */
export const SUPPORTED =
  'supported are s3://bucket/prefix, gs://bucket/prefix, azure://container/prefix, sftp://user@host/path, https://host/path (read-only), file:///path and the path of a directory';

/** The `REMOTE_URL_INVALID` error for a text that names no remote: `'...' cannot be used as a remote: <reason>`. */
export function invalidLocation(
  text: string,
  reason: string,
  details: { hint?: string; cause?: unknown } = {},
): MlvError {
  const shown = redactUrl(text);
  return new MlvError('REMOTE_URL_INVALID', `'${shown}' cannot be used as a remote: ${reason}`, {
    ...details,
    data: { url: shown },
  });
}
