import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CacheUse, whileAlone } from '../../src/workspace/cache-use.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

function cache(): string {
  return join(temporaryDirectory('repository'), 'mlv');
}

describe('the use of a cache', () => {
  it('waits for a collection that removes something, and one that begins later waits for it', async () => {
    const directory = cache();
    const events: string[] = [];
    let finish = (): void => {};
    const collecting = whileAlone(directory, undefined, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      events.push('collected');
    });
    const use = new CacheUse(directory);
    const begun = use.begin(() => {
      events.push('waits');
      finish();
    });
    await begun;
    await collecting;
    events.push('used');
    expect(events).toEqual(['waits', 'collected', 'used']);
    const later = whileAlone(directory, undefined, () => events.push('later'));
    expect(readdirSync(join(directory, 'users'))).toHaveLength(1);
    expect(events).toHaveLength(3);
    use.end();
    await later;
    expect(events).toHaveLength(4);
    expect(existsSync(join(directory, 'collecting.lock'))).toBe(false);
  });

  it('of a process that was killed stops nobody, and its own ends before a collection', async () => {
    const directory = cache();
    const use = new CacheUse(directory);
    await use.begin();
    const [own = ''] = readdirSync(join(directory, 'users'));
    const dead = own.replace(/-\d+-/, '-4194999-');
    writeFileSync(join(directory, 'users', dead), '');
    writeFileSync(join(directory, 'collecting.lock'), dead);
    expect(await whileAlone(directory, use, () => 'alone')).toBe('alone');
    expect(readdirSync(join(directory, 'users'))).toEqual([]);
  });

  it('makes no directory where the disk of the cache is not there', async () => {
    const directory = join(temporaryDirectory('away'), 'not-mounted', 'mlv', 'cache');
    await new CacheUse(directory).begin();
    expect(existsSync(join(directory, '..', '..'))).toBe(false);
    mkdirSync(join(directory, '..'), { recursive: true });
  });
});
