import { MlvError } from '../core/errors.js';
import type { HttpOptions } from './http-options.js';

/** The `Authorization` header of a web server, and where it comes from, for messages. */
export interface HttpCredentials {
  authorization: string;
  source: string;
}

/**
 * The credentials that the settings of a remote hold; undefined where they hold none.
 * Errors: `CONFIG_INVALID` for half a pair or two kinds at once, `REMOTE_DENIED` where the URL is not the user's own.
 */
export function httpCredentials(options: HttpOptions): HttpCredentials | undefined {
  const { url, token, username, password } = options;
  const basic = username !== undefined || password !== undefined;
  if (token === undefined && !basic) return undefined;
  if (token !== undefined && basic)
    throw unusable(url, "hold both 'token' and 'username' or 'password'", 'keep one of them');
  if (basic && (username === undefined || password === undefined)) {
    const absent = username === undefined ? 'username' : 'password';
    throw unusable(url, `lack '${absent}'`, 'set username and password both, or a token');
  }
  if (options.urlIsCommitted) throw notPinned(url);
  if (token !== undefined) {
    return { authorization: `Bearer ${token}`, source: 'the settings of the remote (token)' };
  }
  const pair = Buffer.from(`${username}:${password}`).toString('base64');
  return { authorization: `Basic ${pair}`, source: 'the settings of the remote (username, password)' };
}

function unusable(url: string, reason: string, hint: string): MlvError {
  return new MlvError('CONFIG_INVALID', `the settings of the remote ${url} ${reason}`, { hint, data: { url } });
}

/** The `REMOTE_DENIED` error for credentials that would go to an address which anyone who can commit may change. */
export function notPinned(url: string, setting = 'url'): MlvError {
  return new MlvError(
    'REMOTE_DENIED',
    `no credentials are sent to ${url}: its ${setting} is set in mlv.yaml, which any commit can change`,
    {
      hint: `when the address is right, set it for yourself too: mlv config set remote.<name>.${setting} <the same> (or unset the credentials)`,
      data: { url, setting },
    },
  );
}
