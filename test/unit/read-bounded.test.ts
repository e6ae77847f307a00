import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBounded } from '../../src/cli/read-bounded.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

describe('a file that somebody names', () => {
  it('is read whole up to the limit, and not beyond', () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, 'abcd');
    expect(readBounded(path, 4)?.toString()).toBe('abcd');
    expect(readBounded(path, 3)).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('may be a device without an end', () => {
    expect(readBounded('/dev/zero', 3_000_000)).toBeUndefined();
    expect(readBounded('/dev/null', 1)).toEqual(Buffer.alloc(0));
  });
});
