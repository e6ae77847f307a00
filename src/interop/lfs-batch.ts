import { isMapping } from '../core/mapping.js';

/** An object that is asked for. */
export interface LfsObject {
  oid: string;
  size: number;
}

/** How to get an object. */
export interface LfsDownload {
  href: string;
  /** Headers that the server wants, for this address and no other. */
  headers: Record<string, string>;
  /** When the address stops to work, in milliseconds since the epoch. */
  expires: number | undefined;
}

/** What a server says of one object. */
export type LfsAnswer = { oid: string } & ({ download: LfsDownload } | { problem: string; missing: boolean });

/** The media type of requests and answers. */
export const LFS_MEDIA_TYPE = 'application/vnd.git-lfs+json';
/** Objects in one request, as git-lfs itself asks for. */
export const LFS_BATCH = 100;
/** More than this is no answer to one batch. */
export const MAX_BATCH_ANSWER = 16 * 1024 * 1024;

/** The body of a request for downloads (git-lfs/docs/api/batch.md). */
export function batchRequest(objects: readonly LfsObject[]): string {
  return JSON.stringify({
    operation: 'download',
    transfers: ['basic'],
    hash_algo: 'sha256',
    objects: objects.map(({ oid, size }) => ({ oid, size })),
  });
}

/**
 * The answers of a server, of the objects that were asked for; `now` in milliseconds since the epoch. Undefined where the
 * text is no such answer.
 */
export function parseBatchAnswer(
  text: string,
  asked: readonly LfsObject[],
  { now, base }: { now: number; base: string },
): LfsAnswer[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMapping(value) || !Array.isArray(value.objects)) return undefined;
  if (value.transfer !== undefined && value.transfer !== 'basic') return undefined;
  const wanted = new Map(asked.map((each) => [each.oid, each]));
  const answers: LfsAnswer[] = [];
  for (const each of value.objects as unknown[]) {
    if (!isMapping(each) || typeof each.oid !== 'string' || !wanted.has(each.oid)) continue;
    answers.push({ oid: each.oid, ...answerOf(each, wanted.get(each.oid)?.size ?? 0, { now, base }) });
    wanted.delete(each.oid);
  }
  for (const oid of wanted.keys()) answers.push({ oid, problem: 'the server did not answer for it', missing: true });
  return answers;
}

function answerOf(
  each: Record<string, unknown>,
  size: number,
  { now, base }: { now: number; base: string },
): { download: LfsDownload } | { problem: string; missing: boolean } {
  if (isMapping(each.error)) {
    const code = Number(each.error.code);
    const message = typeof each.error.message === 'string' ? each.error.message.slice(0, 200) : 'it gave no reason';
    return { problem: `${message} (${code})`, missing: code === 404 || code === 410 };
  }
  if (typeof each.size === 'number' && each.size !== size) {
    return { problem: `the server says that it has ${each.size} bytes, the pointer ${size}`, missing: false };
  }
  const actions = isMapping(each.actions) ? each.actions : {};
  const { download } = actions;
  if (!isMapping(download) || typeof download.href !== 'string' || !URL.canParse(download.href, base)) {
    return { problem: 'the server does not say where it is', missing: true };
  }
  const { protocol, href } = new URL(download.href, base);
  if (protocol !== 'https:' && protocol !== 'http:')
    return { problem: `its address is of the kind ${protocol}`, missing: false };
  const headers: Record<string, string> = {};
  for (const [key, header] of Object.entries(isMapping(download.header) ? download.header : {})) {
    if (typeof header === 'string' && /^[A-Za-z0-9-]+$/.test(key) && !/[\r\n\0]/.test(header)) headers[key] = header;
  }
  return { download: { href, headers, expires: expiryOf(download, now) } };
}

function expiryOf({ expires_in: seconds, expires_at: date }: Record<string, unknown>, now: number): number | undefined {
  if (typeof seconds === 'number' && seconds !== 0) return now + seconds * 1000;
  const time = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}
