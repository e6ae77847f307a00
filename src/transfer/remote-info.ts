import { isUtf8 } from 'node:buffer';
import { MlvError } from '../core/errors.js';
import { isMapping } from '../core/mapping.js';
import { ALGORITHMS, type Algorithm } from '../objects/oid.js';
import { type ChunkerParams, chunkerParamsProblem, DEFAULT_CHUNKER } from './chunker-params.js';
import { tooNew } from './format-version.js';
import { DEFAULT_PACK_BYTES, loneChunkPackBytes, PACK_BYTES_LIMITS } from './pack-format.js';
import { REMOTE_INFO_KEY } from './remote-layout.js';

/** Number of the remote's format that this version writes, and the newest that it reads. */
const REMOTE_FORMAT = 1;

/** More bytes than that are no `mlv.json`. */
export const REMOTE_INFO_MAX_BYTES = 64 * 1024;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What a remote's `mlv.json` says. */
export interface RemoteInfo {
  /** Identity of the remote's content: a lower-case UUID, made once. */
  repository: string;
  /** The one hash algorithm of all its objects, packs and records. */
  hash: Algorithm;
  chunker: ChunkerParams;
  pack: {
    /** Most bytes of a pack. */
    size: number;
  };
  /** Top-level keys that this version does not know; kept when the file is written again. */
  unknown: Record<string, unknown>;
}

/** The info of a new remote, with the defaults of this version. `repository` is a new lower-case UUID. */
export function newRemoteInfo(repository: string, hash: Algorithm): RemoteInfo {
  return { repository, hash, chunker: DEFAULT_CHUNKER, pack: { size: DEFAULT_PACK_BYTES }, unknown: {} };
}

/** The bytes of `mlv.json`. The same info gives the same bytes. */
export function encodeRemoteInfo(info: RemoteInfo): Buffer {
  const { name, min, target, max, whole } = info.chunker;
  const value = {
    mlv: REMOTE_FORMAT,
    repository: info.repository,
    hash: info.hash,
    chunker: { name, min, target, max, whole },
    pack: { size: info.pack.size },
    ...info.unknown,
  };
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`, 'utf8');
}

/**
 * Reads `mlv.json`; `url` is the remote, as it may be shown. Unknown keys are tolerated. Errors: `REMOTE_MISMATCH` for
 * bytes that are no `mlv.json` (an HTML page, another tool's file); `FORMAT_TOO_NEW` for a later version's.
 */
export function decodeRemoteInfo(bytes: Buffer, url: string): RemoteInfo {
  const value = parseObject(bytes, url);
  if (!Number.isSafeInteger(value.mlv) || (value.mlv as number) < 1) throw mismatch(url, 'it has no format number');
  if (value.mlv !== REMOTE_FORMAT) throw tooNew(`the remote ${url} has format ${String(value.mlv)}`);
  const { mlv: _format, repository, hash, chunker, pack, ...unknown } = value;
  if (typeof repository !== 'string' || !UUID.test(repository)) throw mismatch(url, "'repository' is not a UUID");
  const info = { repository, hash: readHash(hash, url), chunker: readChunker(chunker, url), unknown };
  return { ...info, pack: { size: readPackSize(pack, info.chunker, url) } };
}

/**
 * What an info that can be read says otherwise than any version of this format writes it, or undefined: its bytes have no
 * digest of their own, and a changed digit must not pass unseen.
 */
export function unexpectedInfo(info: RemoteInfo): string | undefined {
  const usual = newRemoteInfo(info.repository, info.hash);
  for (const key of ['min', 'target', 'max', 'whole'] as const) {
    const [is, should] = [info.chunker[key], usual.chunker[key]];
    if (is !== should) return `'chunker.${key}' is ${is} instead of ${should}`;
  }
  if (info.pack.size !== usual.pack.size) return `'pack.size' is ${info.pack.size} instead of ${usual.pack.size}`;
  return undefined;
}

function parseObject(bytes: Buffer, url: string): Record<string, unknown> {
  if (bytes.length > REMOTE_INFO_MAX_BYTES || !isUtf8(bytes)) throw mismatch(url, describe(bytes));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw mismatch(url, describe(bytes), cause);
  }
  if (!isMapping(value)) throw mismatch(url, 'it is not a JSON object');
  return value;
}

/** What bytes that are no JSON look like: a login page or a mistyped URL is the common case. */
function describe(bytes: Buffer): string {
  if (bytes.length === 0) return 'it is empty';
  const start = bytes.subarray(0, 256).toString('latin1').replace('\u00ef\u00bb\u00bf', '').trimStart();
  if (start.startsWith('<')) return 'it is an HTML or XML page; the URL may lead to a web site or a login page';
  return 'it is not JSON';
}

function readHash(value: unknown, url: string): Algorithm {
  if (typeof value !== 'string') throw mismatch(url, "'hash' is missing");
  const known = ALGORITHMS.find((algorithm) => algorithm === value);
  if (!known) throw tooNew(`the remote ${url} names its objects by ${JSON.stringify(value)}`);
  return known;
}

function readChunker(value: unknown, url: string): ChunkerParams {
  if (!isMapping(value) || typeof value.name !== 'string') throw mismatch(url, "'chunker' is missing");
  if (value.name !== 'gear64') throw tooNew(`the remote ${url} cuts files by ${JSON.stringify(value.name)}`);
  const params = {
    min: value.min as number,
    target: value.target as number,
    max: value.max as number,
    whole: value.whole as number,
  };
  const problem = chunkerParamsProblem(params);
  if (problem !== undefined) throw mismatch(url, `'chunker': ${problem}`);
  return { name: 'gear64', ...params };
}

function readPackSize(value: unknown, chunker: ChunkerParams, url: string): number {
  const size = isMapping(value) ? value.size : undefined;
  const { most } = PACK_BYTES_LIMITS;
  const least = Math.max(PACK_BYTES_LIMITS.least, loneChunkPackBytes(Math.max(chunker.max, chunker.whole)));
  if (!Number.isSafeInteger(size) || (size as number) < least || (size as number) > most) {
    throw mismatch(url, `'pack.size' is not a number from ${least} to ${most}`);
  }
  return size as number;
}

function mismatch(url: string, reason: string, cause?: unknown): MlvError {
  return new MlvError('REMOTE_MISMATCH', `${REMOTE_INFO_KEY} at ${url} is not that of an mlv remote: ${reason}`, {
    cause,
    data: { url },
    hint: 'check the URL: mlv remote list',
  });
}
