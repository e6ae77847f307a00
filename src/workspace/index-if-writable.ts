import { isMlvError, systemErrorCode } from '../core/errors.js';
import type { StatIndex } from './stat-index.js';

/**
 * From when on (change time, ms) files are too young to be trusted. Where nothing can be written (a read-only checkout,
 * a full disk) that cannot be found out: 0 then, and nothing is trusted. For commands that may have nothing to write
 * but what they saw. Error: `FILE_SYSTEM` of any other reason.
 */
export function racyFromIfWritable(index: StatIndex): number {
  try {
    return index.racyFrom();
  } catch (error) {
    if (isUnwritable(error)) return 0;
    throw error;
  }
}

/** Saves what was seen, or does without where nothing can be written: the next look reads again. Error: `FILE_SYSTEM` of any other reason. */
export function rememberIfWritable(save: () => void): void {
  try {
    save();
  } catch (error) {
    if (!isUnwritable(error)) throw error;
  }
}

function isUnwritable(error: unknown): boolean {
  const code = isMlvError(error) ? systemErrorCode(error.cause) : systemErrorCode(error);
  return isMlvError(error, 'DISK_FULL') || code === 'EROFS' || code === 'EACCES' || code === 'EPERM';
}
