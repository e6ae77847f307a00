import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/provenance/turns.js';

describe('turns', () => {
  it('let one at a time go on, but for what it pauses for, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
        async (scheduler, pauses) => {
          const turns = new Turns();
          let inside = 0;
          let atOnce = 0;
          const enter = (): void => {
            inside += 1;
            atOnce = Math.max(atOnce, inside);
          };
          const leave = (): void => {
            inside -= 1;
          };
          const one = async (count: number): Promise<void> => {
            const end = await turns.begin();
            enter();
            for (let round = 0; round < count; round += 1) {
              await scheduler.schedule(Promise.resolve());
              leave();
              await turns.pause(() => scheduler.schedule(Promise.resolve()));
              enter();
            }
            leave();
            end();
          };
          const all = Promise.all(pauses.map(one));
          await scheduler.waitFor(all);
          expect(atOnce).toBe(1);
          expect(inside).toBe(0);
        },
      ),
    );
  });

  it('go on after work that fails', async () => {
    const turns = new Turns();
    const end = await turns.begin();
    await expect(turns.pause(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    end();
    const next = await turns.begin();
    next();
  });
});
