import { describe, expect, it } from 'vitest';
import { percentDecoded } from '../../src/core/percent.js';

describe('percent escapes', () => {
  it.each([
    ['p%40ss', 'p@ss'],
    ['50%', '50%'],
    ['%zz', '%zz'],
    ['', ''],
  ])('of %j', (text, decoded) => {
    expect(percentDecoded(text)).toBe(decoded);
  });
});
