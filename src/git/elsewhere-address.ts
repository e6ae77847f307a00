import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MlvError } from '../core/errors.js';
import { percentDecoded } from '../core/percent.js';
import { redactUrl } from '../core/redact.js';

/** Where a Git repository is that nobody cloned here. */
export interface ElsewhereAddress {
  /** What Git is given; may hold credentials. */
  url: string;
  /** Fit to be printed and stored: without password, and for HTTP without a user. */
  shown: string;
  /** The absolute path of a repository on this machine. */
  local?: string;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const HELPER = /^[a-z0-9+.-]+::/i;
const SCP = /^([^\s/@:]+@)?(\[[0-9a-f:.]+\]|[^\s/@:[\]]+):(?!\/\/)/i;
const CONTROL = /[\u0000-\u001f\u007f]/;
const NETWORK = new Set(['https', 'http', 'ssh', 'git']);

/**
 * Reads what a user typed for a Git repository: a URL (https, http, ssh, git, file), `user@host:path`, or a path, relative
 * to `cwd` (absolute). Looks at the disk for a path only. Errors: `REMOTE_URL_INVALID` for what would start a helper
 * program or an option of one, and for a scheme that is none of these; `PATH_NOT_FOUND`.
 */
export function elsewhereAddress(text: string, cwd: string): ElsewhereAddress {
  const given = text.trim();
  if (given === '') throw invalid(text, 'it is empty');
  if (CONTROL.test(given)) throw invalid(given, 'it contains a control character');
  if (given.startsWith('-')) throw invalid(given, 'it begins like an option');
  if (HELPER.test(given)) throw invalid(given, 'it would start a helper program of Git');
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase();
  if (scheme === 'file') return localAddress(filePath(given), given);
  if (scheme !== undefined) return networkAddress(scheme, given);
  const scp = SCP.exec(given);
  if (!scp || isDirectory(resolve(cwd, given))) return localAddress(resolve(cwd, given), given);
  if (scp[2]?.startsWith('-') || scp[1]?.startsWith('-')) throw invalid(given, 'its host begins like an option');
  return { url: given, shown: given };
}

/** True for text that can only be the address of a repository over a network: a URL, or `user@host:path`. */
export function looksLikeGitUrl(text: string): boolean {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined) return scheme === 'file' || NETWORK.has(scheme);
  return HELPER.test(text) || SCP.exec(text)?.[1] !== undefined;
}

function networkAddress(scheme: string, given: string): ElsewhereAddress {
  if (!NETWORK.has(scheme)) throw invalid(given, `'${scheme}://' is not supported`);
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw invalid(given, 'it is not a URL');
  }
  const names = [url.hostname, percentDecoded(url.hostname), percentDecoded(url.username)];
  if (names.some((name) => name.startsWith('-'))) throw invalid(given, 'its host or user begins like an option');
  if (url.hostname === '') throw invalid(given, 'it has no host');
  if (scheme === 'ssh') {
    const user = url.username === '' ? '' : `${url.username}@`;
    return { url: given, shown: `ssh://${user}${url.host}${url.pathname}` };
  }
  return { url: given, shown: redactUrl(`${scheme}://${url.host}${url.pathname}${url.search}`) };
}

function localAddress(path: string, given: string): ElsewhereAddress {
  if (isDirectory(path)) return { url: path, shown: path, local: path };
  throw new MlvError('PATH_NOT_FOUND', `'${redactUrl(given)}' is neither a Git URL nor a directory`, {
    hint: 'give a URL (https://…, ssh://…, user@host:path) or the path of a repository',
    data: { path: redactUrl(given) },
  });
}

function filePath(given: string): string {
  try {
    return fileURLToPath(given);
  } catch {
    throw invalid(given, 'it does not name a local path');
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function invalid(given: string, reason: string): MlvError {
  const shown = redactUrl(given.replace(/[\u0000-\u001f\u007f]/g, '?'));
  return new MlvError('REMOTE_URL_INVALID', `'${shown}' is no address of a Git repository: ${reason}`, {
    hint: 'give https://host/path, ssh://user@host/path, user@host:path, or the path of a repository',
    data: { url: shown },
  });
}
