import { expect, it } from 'vitest';
import { PlacedFiles } from '../../src/workspace/placed-files.js';

const CHANGED = 1_000_000;
const LARGE = 64 * 1024 * 1024;

it.each([
  ['a large file that is too young', LARGE, CHANGED - 20, 21],
  ['one that changed at the very limit', LARGE, CHANGED, 1],
  ['one that is old enough', LARGE, CHANGED + 1, 0],
  ['one on a file system that counts whole seconds', LARGE, CHANGED - 2000, 0],
  ['a small file', LARGE - 1, CHANGED - 20, 0],
])('tells how long to wait for %s', (_what, size, racyFrom, wait) => {
  const placed = new PlacedFiles('/nowhere');
  const stat = { size, mtimeMs: 1, ctimeMs: CHANGED, ino: 1 };
  placed.add('data', 'file.bin', { digest: Buffer.alloc(32), stat });
  placed.add('data', 'older.bin', { digest: Buffer.alloc(32), stat: { ...stat, ctimeMs: 1 } });
  expect(placed.waitFor(racyFrom)).toBe(wait);
});

it('waits for nothing where nothing was written', () => {
  expect(new PlacedFiles('/nowhere').waitFor(0)).toBe(0);
});
