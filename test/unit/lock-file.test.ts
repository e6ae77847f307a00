import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdLock, isHeld, withLock, withLockAsync } from '../../src/config/lock-file.js';
import { temporaryName } from '../../src/core/temporary-name.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const DAY_MS = 24 * 3600 * 1000;

function lockPath(): string {
  return join(temporaryDirectory('lock'), 'thing.lock');
}

function aged(path: string, ageMs: number): void {
  const time = (Date.now() - ageMs) / 1000;
  utimesSync(path, time, time);
}

/** What a process of this machine wrote that is gone. */
function goneHolder(): string {
  return temporaryName().replace(/-\d+-/, `-${spawnSync(process.execPath, ['-e', '']).pid}-`);
}

describe('a lock file', () => {
  test('names its holder while it is held, and is gone afterwards, also when the work fails', () => {
    const path = lockPath();
    withLock(path, () => {
      expect(isHeld(path)).toBe(true);
      expect(readFileSync(path, 'utf8')).toContain(`-${process.pid}-`);
      expect(holdLock(path)).toBeUndefined();
    });
    expect(() =>
      withLock(path, () => {
        throw new Error('of the work');
      }),
    ).toThrow('of the work');
    expect(isHeld(path)).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  test('tells whoever shares the directory who holds it, whatever the umask', () => {
    const path = lockPath();
    const before = process.umask(0o077);
    try {
      withLock(path, () => expect(lstatSync(path).mode & 0o777).toBe(0o640));
    } finally {
      process.umask(before);
    }
  });

  test('is made with its directory', () => {
    const path = join(temporaryDirectory('lock'), 'not', 'there', 'thing.lock');
    const end = holdLock(path);
    expect(existsSync(path)).toBe(true);
    end?.();
    expect(existsSync(path)).toBe(false);
  });

  test.each(['file', 'link'])('of a process that is gone is taken over at once: a %s', (kind) => {
    const path = lockPath();
    if (kind === 'file') writeFileSync(path, goneHolder());
    else symlinkSync(goneHolder(), path);
    expect(isHeld(path)).toBe(false);
    withLock(path, () => expect(lstatSync(path).isFile()).toBe(true));
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  test('of a process that runs is not, however old it is', () => {
    const path = lockPath();
    const end = holdLock(path);
    aged(path, 365 * DAY_MS);
    expect(isHeld(path)).toBe(true);
    expect(holdLock(path)).toBeUndefined();
    end?.();
  });

  test('of another machine is taken over after a week, or what the work says', async () => {
    const path = lockPath();
    writeFileSync(path, 'elsewhere01-17-abcdef00-0');
    aged(path, DAY_MS);
    expect(isHeld(path)).toBe(true);
    await expect(withLockAsync(path, { patience: 0 }, async () => undefined)).rejects.toMatchObject({
      code: 'FILE_SYSTEM',
      hint: expect.stringContaining(path),
    });
    expect(await withLockAsync(path, { patience: 0, elsewhereMs: DAY_MS / 2 }, async () => 'done')).toBe('done');
    writeFileSync(path, 'elsewhere01-17-abcdef00-0');
    aged(path, 8 * DAY_MS);
    expect(isHeld(path)).toBe(false);
  });

  test('that says nothing was left by a kill, once it is old', () => {
    const path = lockPath();
    writeFileSync(path, '');
    aged(path, -60_000);
    expect(holdLock(path)).toBeUndefined();
    aged(path, 60_000);
    const end = holdLock(path);
    expect(end).toBeDefined();
    end?.();
  });

  test('lets those of one process wait for each other', async () => {
    const path = lockPath();
    let inside = 0;
    const seen = await Promise.all(
      Array.from({ length: 5 }, () =>
        withLockAsync(path, {}, async () => {
          inside++;
          await new Promise((resolve) => setImmediate(resolve));
          return inside--;
        }),
      ),
    );
    expect(seen).toEqual([1, 1, 1, 1, 1]);
  });
});
