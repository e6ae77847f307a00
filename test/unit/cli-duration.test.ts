import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/cli/duration.js';

const HOUR = 3_600_000;

describe('a duration', () => {
  it('is a whole number of hours, days or weeks', () => {
    expect(['0h', '12h', '14d', '2w'].map((text) => parseDuration(text, '--grace'))).toEqual([
      0,
      12 * HOUR,
      14 * 24 * HOUR,
      14 * 24 * HOUR,
    ]);
  });

  it.each(['', '14', 'd', '1.5d', '-1d', '1 d', '14D', '1d2h', '100000d'])('is not %j', (text) => {
    expect(() => parseDuration(text, '--grace')).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
