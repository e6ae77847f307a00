import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';

/** A link in a commit may lead anywhere (a private file, a device without an end), and a fifo makes its reader wait. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What stands at a path where a text file is expected: its text, or where a symbolic link leads. */
export type TextFile = { text: string } | { link: string };

/** Bytes of a `.gitignore` or `.gitattributes` above which it is refused. */
export const GIT_FILE_LIMIT = 16 * 1024 * 1024;
/** Bytes of a file of mlv's own in a repository above which it is refused. */
export const OWN_FILE_LIMIT = 1024 * 1024;

/**
 * Reads a text file that anybody may have put there; no link is followed. Undefined where there is no file: nothing, a
 * directory, a device. At most `limit` bytes are read, and what follows is left out. Error: `FILE_SYSTEM`.
 */
export function readTextFile(path: string, limit: number): TextFile | undefined {
  const found = readFileAt(path, limit);
  return found && ('link' in found ? found : { text: found.bytes.toString('utf8') });
}

/**
 * As readTextFile, but the text is whole: of a longer file nothing is given, so that nobody decides by, or writes back, the
 * beginning of one. Errors: `PATH_UNSUPPORTED` for a longer one, `FILE_SYSTEM`.
 */
export function readWholeTextFile(path: string, limit: number): TextFile | undefined {
  const found = readFileAt(path, limit + 1);
  if (!found || 'link' in found) return found;
  if (found.bytes.length <= limit) return { text: found.bytes.toString('utf8') };
  throw new MlvError(
    'PATH_UNSUPPORTED',
    `'${path}' has more than ${limit} bytes, the most that mlv reads of such a file`,
    {
      hint: 'take out of it what does not belong there',
      data: { path, limit },
    },
  );
}

function readFileAt(path: string, limit: number): { bytes: Buffer } | { link: string } | undefined {
  try {
    const link = constants.O_NOFOLLOW === undefined ? targetOfLink(path) : undefined;
    if (link !== undefined) return { link };
    const descriptor = openSync(path, FLAGS);
    try {
      return fstatSync(descriptor).isFile() ? { bytes: readUpTo(descriptor, limit) } : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = systemErrorCode(error);
    const link = code === 'ELOOP' || code === 'EMLINK' ? targetOfLink(path) : undefined;
    if (link !== undefined) return { link };
    // ENXIO: a socket, or a device that is not there.
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENXIO', 'ENODEV'].includes(code ?? '')) return undefined;
    throw fileSystemError('read', path, error);
  }
}

function readUpTo(descriptor: number, limit: number): Buffer {
  const parts: Buffer[] = [];
  for (let total = 0; total < limit; ) {
    const buffer = Buffer.allocUnsafe(Math.min(16 * 1024, limit - total));
    const count = readSync(descriptor, buffer, 0, buffer.length, null);
    if (count === 0) break;
    parts.push(buffer.subarray(0, count));
    total += count;
  }
  return Buffer.concat(parts);
}

function targetOfLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
