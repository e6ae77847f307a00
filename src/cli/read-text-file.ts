import { resolve } from 'node:path';
import { fileSystemError, MlvError, systemErrorCode } from '../core/errors.js';
import { readBounded } from './read-bounded.js';
import type { Session } from './session.js';

/** Bytes of a file that somebody names on the command line. */
const LIMIT = 4 * 1024 * 1024;

/**
 * The text of a file, relative to where the user is; `-` is standard input. Errors: `PATH_NOT_FOUND`, `FILE_SYSTEM`,
 * `USAGE` for one above 4 MiB.
 */
export async function readTextFile(session: Session, file: string): Promise<string> {
  if (file === '-') return readInput();
  const path = resolve(session.cwd, file);
  try {
    const bytes = readBounded(path, LIMIT);
    if (!bytes) throw tooLong(file);
    return bytes.toString('utf8');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw fileSystemError('read', path, error);
    throw new MlvError('PATH_NOT_FOUND', `there is no file '${file}'`, { cause: error, data: { path } });
  }
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > LIMIT) throw tooLong('-');
  }
  return Buffer.concat(parts).toString('utf8');
}

function tooLong(file: string): MlvError {
  return new MlvError('USAGE', `'${file}' is longer than ${LIMIT} bytes`, { data: { path: file } });
}
