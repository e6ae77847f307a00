import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileSystemError } from '../../core/errors.js';

/** A new directory of this command's own below another, which is made where it is not there. Error: `FILE_SYSTEM`. */
export function scratchDirectory(parent: string, name = '.mlv-get-'): string {
  try {
    mkdirSync(parent, { recursive: true });
    return realpathSync(mkdtempSync(join(parent, name)));
  } catch (error) {
    throw fileSystemError('create a directory in', parent, error);
  }
}
