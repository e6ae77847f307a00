import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from './errors.js';

const STALE_AFTER_MS = 7 * 24 * 3600 * 1000;
const host = `${hostname()
  .replace(/[^A-Za-z0-9]/g, '')
  .slice(0, 24)}0${processSpace()}`;
const session = `${host}-${process.pid}-${randomBytes(4).toString('hex')}-`;
const NAME = /^([A-Za-z0-9]+)-(\d+)-[0-9a-f]+-\d+$/;
let count = 0;

/** Containers of one host name each count their processes anew, so that a process id alone says nothing about theirs. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

/** A file name that no other process, on this machine or another, uses at this moment: `host-pid-random-number`. */
export function temporaryName(): string {
  return `${session}${count++}`;
}

/** True for a name that temporaryName gave, to this process or another. */
export function isTemporaryName(name: string): boolean {
  return NAME.test(name);
}

/**
 * True when the process that took this name is gone. Whether one of another host runs cannot be asked: a name of theirs
 * counts as gone when it is older than `elsewhereMs`, by default a week.
 */
export function isStaleTemporary(name: string, ageMs: number, elsewhereMs = STALE_AFTER_MS): boolean {
  const match = NAME.exec(name);
  if (match?.[1] !== host) return ageMs > elsewhereMs;
  const pid = Number(match[2]);
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'ESRCH';
  }
}
