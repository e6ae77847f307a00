import { expect } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.js';
import {
  cutAnswer,
  cutUpload,
  type Fault,
  flippedDown,
  flippedUp,
  instead,
  loginPage,
  lostAnswer,
  meanwhile,
  truncated,
  unheard,
  wrongLength,
} from './fault-proxy.js';
import type { Outcome } from './fault-scene.js';
import { error } from './scripted-server.js';

/** What a transfer may end with, whatever request it was that met the fault. */
export type Ends = readonly (ErrorCode | 'some objects')[];

const refused = (status: number, code: string): Fault => instead(error(status, code));
/** What AWS answers to who asks in another region than the bucket's. */
export const elsewhere: Fault = (exchange) => {
  const there = /\/eu-central-1\/s3\//.test(exchange.request.headers.authorization ?? '');
  const redirect = error(301, 'PermanentRedirect', { headers: { 'x-amz-bucket-region': 'eu-central-1' } });
  return there ? exchange.pass() : instead(redirect)(exchange);
};

/** Faults that pass: a transfer that meets each of them once at every kind of request notices nothing. */
export const PASSING: Record<string, Fault> = {
  'a connection that is closed without an answer': unheard,
  'an answer that is lost': lostAnswer,
  'a body that breaks off on the way down': cutAnswer(100),
  'a body that breaks off on the way up': cutUpload(100),
  'a byte that is flipped on the way up': flippedUp,
  'a long wait': meanwhile(() => new Promise((resolve) => setImmediate(resolve))),
  '500 InternalError': refused(500, 'InternalError'),
  '503 SlowDown': refused(503, 'SlowDown'),
};

/** Faults that stop the whole transfer when they begin, at whatever kind of request that is. */
export const STOPPING: Record<string, { fault: Fault; ends: Ends }> = {
  'no answers': { fault: unheard, ends: ['REMOTE_TRANSIENT'] },
  '503 SlowDown': { fault: refused(503, 'SlowDown'), ends: ['REMOTE_TRANSIENT'] },
  '400 ExpiredToken': { fault: refused(400, 'ExpiredToken'), ends: ['REMOTE_DENIED'] },
  '403 AccessDenied': { fault: refused(403, 'AccessDenied'), ends: ['REMOTE_DENIED'] },
  '403 RequestTimeTooSkewed': { fault: refused(403, 'RequestTimeTooSkewed'), ends: ['REMOTE_DENIED'] },
  '404 NoSuchBucket': { fault: refused(404, 'NoSuchBucket'), ends: ['REMOTE_NOT_FOUND', 'some objects'] },
  'a login page': { fault: loginPage, ends: ['REMOTE_PERMANENT', 'some objects'] },
};

/** Whatever reads it finds that it is not what it must be. */
const UNREADABLE: Ends = ['some objects', 'RECORD_INVALID', 'REMOTE_MISMATCH', 'REMOTE_PERMANENT'];

/** Faults that come once, at one request, and that a transfer may stop at, or leave an object out for. */
export const MISLEADING: Record<string, { fault: Fault; ends: Ends; at?: RegExp }> = {
  'fewer bytes than announced': { fault: wrongLength(50), ends: UNREADABLE, at: /GET/ },
  'more bytes than announced': { fault: wrongLength(-50), ends: UNREADABLE, at: /GET/ },
  'a body that is cut short without a sign': { fault: truncated, ends: UNREADABLE, at: /GET/ },
  'a byte that is flipped on the way down': { fault: flippedDown, ends: UNREADABLE, at: /GET/ },
  '404 NoSuchKey': { fault: refused(404, 'NoSuchKey'), ends: ['REMOTE_NOT_FOUND', 'some objects'] },
  '412 PreconditionFailed': {
    fault: refused(412, 'PreconditionFailed'),
    ends: ['REMOTE_PERMANENT', 'some objects'],
  },
};

/** What a request is, without what differs from one to the next: `PUT packs`, `GET mlv.json`. */
export function kindOf(line: string): string {
  const [method, url = ''] = line.split(' ');
  return `${method} ${/\/place-\d+\/([a-z.]+)/.exec(url)?.[1] ?? 'list'}`;
}

/** Expects that a transfer that did not do all it was to do ended in one of those ways. */
export function expectEnd({ error: failure, failed }: Outcome, ends: Ends): void {
  const end = failure ? failure.code : failed.length > 0 ? 'some objects' : undefined;
  if (end !== undefined) expect(ends, failure?.message ?? failed[0]?.message).toContain(end);
}
