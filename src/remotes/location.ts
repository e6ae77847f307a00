import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { redactUrl } from '../core/redact.js';
import { type BucketLocation, bucketLocation } from './location-bucket.js';
import { invalidLocation, SUPPORTED } from './location-error.js';
import { type HttpLocation, httpLocation, type SftpLocation, sftpLocation } from './location-host.js';

export { redactUrl } from '../core/redact.js';

/** Where a remote is. */
export type RemoteLocation = BucketLocation | HttpLocation | SftpLocation | DirectoryLocation;

/** A directory of this machine. */
export interface DirectoryLocation {
  scheme: 'directory';
  path: string;
  url: string;
}

export interface LocationOptions {
  /** Absolute directory that relative paths start from. */
  baseDirectory: string;
  /** What `~` stands for; the user's home by default. */
  homeDirectory?: string;
}

// One letter is a Windows drive.
const SCHEME = /^([a-z][a-z0-9+.-]+):\/\//i;
const HOST_AND_PATH = /^[^/\\]{2,}:/;
// What XML cannot carry, and so no listing.
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Reads a remote's URL: `s3://bucket/prefix`, `gs://bucket/prefix` or `azure://container/prefix`,
 * `sftp://user@host:port/path`, `https://host/path`, `file:///path`, or the path of a directory: absolute, relative to `baseDirectory`, or below `~/`. The `url` of the
 * result is the same place in one form, fit to be printed. Looks at no disk and no network.
 * Error: `REMOTE_URL_INVALID`, for credentials inside a URL too.
 */
export function parseLocation(text: string, options: LocationOptions): RemoteLocation {
  const given = text.trim();
  if (given === '') throw invalidLocation(text, 'it is empty', { hint: SUPPORTED });
  if (redactUrl(given) !== given) {
    const hint =
      'leave them out; mlv uses the standard sources (of AWS, Google, Azure, SSH), or the credential settings of the remote in your own configuration';
    throw invalidLocation(given, 'it contains credentials, which would end up in files and logs', { hint });
  }
  if (CONTROL.test(given)) throw invalidLocation(given, 'it contains a control character');
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase();
  if (scheme !== undefined) return byScheme(scheme, given);
  if (HOST_AND_PATH.test(given)) {
    const hint = `${SUPPORTED} (for SSH, write sftp://${given.replace(/:\/?/, '/')}; for a directory of that name, ./${given})`;
    throw invalidLocation(given, 'it looks like host:path, which is not supported', { hint });
  }
  return directoryAt(localPath(given, options));
}

function byScheme(scheme: string, given: string): RemoteLocation {
  switch (scheme) {
    case 's3':
    case 'gs':
    case 'azure':
      return bucketLocation(scheme, given);
    case 'http':
    case 'https':
      return httpLocation(given);
    case 'sftp':
      return sftpLocation(given);
    case 'file':
      return directoryAt(fileUrlPath(given));
    default:
      throw invalidLocation(given, `'${scheme}://' is not supported`, { hint: SUPPORTED });
  }
}

function fileUrlPath(given: string): string {
  try {
    // Without a path it would be the root of the disk.
    if (new URL(given).pathname !== '/' || given.endsWith(':///')) return fileURLToPath(given);
  } catch (cause) {
    throw invalidLocation(given, 'it does not name a local path', { hint: 'write file:///absolute/path', cause });
  }
  throw invalidLocation(given, 'it has no path', { hint: 'write file:///absolute/path' });
}

function localPath(given: string, { baseDirectory, homeDirectory = homedir() }: LocationOptions): string {
  if (given === '~' || given.startsWith('~/')) return join(homeDirectory, given.slice(1));
  if (/^~[^/]*(\/|$)/.test(given)) {
    const hint = `write its full path (or ./${given})`;
    throw invalidLocation(given, 'the home of another user is not looked up', { hint });
  }
  return isAbsolute(given) ? given : resolve(baseDirectory, given);
}

function directoryAt(path: string): RemoteLocation {
  const absolute = resolve(path);
  return { scheme: 'directory', path: absolute, url: absolute };
}
