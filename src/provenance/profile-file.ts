import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { fileSystemError, systemErrorCode } from '../core/errors.js';
import type { DataFormat, DataProfile, ProfileOptions } from './data-profile.js';
import { dataUnreadable } from './data-unreadable.js';

const READ_BYTES = 256 * 1024;
const BY_SUFFIX: Record<string, DataFormat> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  parquet: 'parquet',
  pq: 'parquet',
};

/** Where the bytes are (an absolute path), and the name that tells what they are. */
export interface DataFile {
  path: string;
  name: string;
}

/** The format that a file's name tells, compressed by gzip or not. */
export function formatOfName(name: string): { format: DataFormat | undefined; gzip: boolean } {
  const gzip = /\.gz$/i.test(name);
  const suffix = /\.([a-z]+)$/i.exec(gzip ? name.slice(0, -3) : name)?.[1]?.toLowerCase() ?? '';
  return { format: Object.hasOwn(BY_SUFFIX, suffix) ? BY_SUFFIX[suffix] : undefined, gzip };
}

/**
 * Profiles a file of rows, of the format that is given or that its name tells; memory does not grow with the file. Errors:
 * `DATA_UNREADABLE`, `USAGE` for columns that are not there, `FILE_SYSTEM`.
 */
export async function profileFile(
  file: DataFile,
  options: ProfileOptions & { format?: DataFormat },
): Promise<DataProfile> {
  const named = formatOfName(file.name);
  const format = options.format ?? named.format ?? (startsAsParquet(file.path) ? 'parquet' : undefined);
  if (format === undefined) throw dataUnreadable(file.name, 'its name does not tell what it is');
  if (format === 'parquet') {
    const { profileParquet } = await import('./profile-parquet.js');
    return profileParquet(file, options);
  }
  const source = { name: file.name, format, chunks: chunksOf(file, named.gzip) };
  if (format === 'jsonl') return (await import('./profile-jsonl.js')).profileJsonl(source, options);
  return (await import('./profile-csv.js')).profileCsv(source, options);
}

async function* chunksOf({ path, name }: DataFile, gzip: boolean): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, { highWaterMark: READ_BYTES });
  const chunks = gzip ? stream.pipe(createGunzip({ chunkSize: READ_BYTES })) : stream;
  // pipe passes no error on.
  if (chunks !== stream) stream.once('error', (error) => chunks.destroy(error));
  try {
    for await (const chunk of chunks) yield chunk as Buffer;
  } catch (error) {
    if ((systemErrorCode(error) ?? '').startsWith('Z_')) throw dataUnreadable(name, 'it is not whole gzip data');
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw fileSystemError('read', path, error);
  } finally {
    stream.destroy();
  }
}

function startsAsParquet(path: string): boolean {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const magic = Buffer.alloc(4);
      readSync(descriptor, magic, 0, 4, 0);
      return magic.toString('latin1') === 'PAR1';
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}
