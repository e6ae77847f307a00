import { lstatSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileSystemError, MlvError } from '../core/errors.js';
import { checkInterrupted } from './interrupted.js';
import { invalidSource, type SourceOptions, type SourceState, type UrlSource } from './source-types.js';

const READ_BYTES = 1024 * 1024;

/**
 * Opens `s3://bucket/key` (with `?versionId=` for one version), `https://…`, `http://…`, `file://…` or a path for reading.
 * Nothing is asked yet. Error: `REMOTE_URL_INVALID`.
 */
export async function openSource(text: string, options: SourceOptions): Promise<UrlSource> {
  const given = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (/[\u0000-\u001f\u007f]/.test(given) || given === '') throw invalidSource(given, 'it is empty or no text');
  if (scheme === 's3') return (await import('./source-s3.js')).openS3Source(given, options);
  if (scheme === 'http' || scheme === 'https') return (await import('./source-http.js')).openHttpSource(given, options);
  if (scheme !== undefined && scheme !== 'file') throw invalidSource(given, `'${scheme}://' is not supported`);
  return fileSource(scheme === 'file' ? filePath(given) : given, options);
}

function filePath(given: string): string {
  try {
    return fileURLToPath(given);
  } catch {
    throw invalidSource(given, 'it does not name a local path');
  }
}

function fileSource(path: string, { baseDirectory, signal }: SourceOptions): UrlSource {
  const absolute = isAbsolute(path) ? path : resolve(baseDirectory, path);
  const stat = async (): Promise<SourceState> => {
    const found = statSync(absolute, { throwIfNoEntry: false });
    if (!found) {
      throw new MlvError('PATH_NOT_FOUND', `'${path}' is not there`, { hint: 'check the spelling', data: { path } });
    }
    if (!found.isFile())
      throw invalidSource(
        path,
        lstatSync(absolute).isDirectory() ? 'it is a directory (copy it here, then: mlv add)' : 'it is no file',
      );
    return { size: found.size, modified: found.mtime.toISOString() };
  };
  return {
    url: absolute,
    name: basename(absolute),
    secret: false,
    stat,
    read: async (from) => ({ state: await stat(), start: from, body: fileBytes(absolute, from, signal) }),
    close: () => {},
  };
}

async function* fileBytes(path: string, from: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw fileSystemError('read', path, error);
  });
  try {
    for (let at = from; ; ) {
      checkInterrupted(signal);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
