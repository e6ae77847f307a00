import { invalidLocation } from './location-error.js';

/** Files below a URL of a web server. */
export interface HttpLocation {
  scheme: 'http';
  url: string;
}

/** A directory on a machine that is reached by SSH. */
export interface SftpLocation {
  scheme: 'sftp';
  /** As in the URL: a name that ~/.ssh/config may give another meaning to. */
  host: string;
  user?: string;
  port?: number;
  /** Absolute, or relative to the user's home on the server. */
  path: string;
  url: string;
}

/** Reads `https://host/path` or `http://host/path`. Error: `REMOTE_URL_INVALID`. */
export function httpLocation(given: string): HttpLocation {
  const url = parse(given, 'write https://host/path');
  if (given.includes('?') || given.includes('#')) {
    throw invalidLocation(given, 'it has a query or a fragment', {
      hint: 'a remote is a place for many files; leave out what comes after the path',
    });
  }
  return { scheme: 'http', url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` };
}

const SFTP_HINT = 'write sftp://user@host:port/absolute/path, or sftp://host/~/path for one below the home there';
// What ssh would take for an option, and what no name of a host or user holds.
const WORD = /^(?!-)[^\s'"`$\\;&<>|(){}\u0000-\u001f]+$/;

/** Reads `sftp://user@host:port/path`, `/~/` for the home; percent-encoded as URLs are. Error: `REMOTE_URL_INVALID`. */
export function sftpLocation(given: string): SftpLocation {
  const { username, hostname, port, pathname, search, hash } = parse(given, SFTP_HINT);
  if (search !== '' || hash !== '') {
    throw invalidLocation(given, 'it has a query or a fragment', { hint: 'write ? as %3F and # as %23' });
  }
  const host = decode(hostname, given);
  const user = decode(username, given);
  const path = decode(pathname, given);
  for (const word of [host, user]) {
    if (word !== '' && !WORD.test(word)) throw invalidLocation(given, `'${word}' is no name`, { hint: SFTP_HINT });
  }
  const place = path.replace(/\/+$/, '');
  if (host === '' || place === '') throw invalidLocation(given, 'it lacks a host or a path', { hint: SFTP_HINT });
  const home = place === '/~' || place.startsWith('/~/');
  const shown = `sftp://${user === '' ? '' : `${username}@`}${hostname}${port === '' ? '' : `:${port}`}`;
  return {
    scheme: 'sftp',
    host: host.replace(/^\[|\]$/g, ''),
    ...(user !== '' && { user }),
    ...(port !== '' && { port: Number(port) }),
    path: home ? place.slice(3) || '.' : place,
    url: `${shown}${pathname.replace(/\/+$/, '')}`,
  };
}

function parse(given: string, hint: string): URL {
  try {
    return new URL(given);
  } catch (cause) {
    throw invalidLocation(given, 'it is not a URL', { hint, cause });
  }
}

function decode(text: string, given: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // Told below.
  }
  throw invalidLocation(given, 'it has a % that encodes nothing', { hint: 'write % as %25' });
}
