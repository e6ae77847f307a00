import { expect, it } from 'vitest';
import { watchInterrupts } from '../../src/cli/interrupt.js';

it('the signal of a run takes as many listeners as there are requests, without a warning', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  const interrupts = watchInterrupts(true, () => {});
  for (let index = 0; index < 100; index += 1) interrupts.signal.addEventListener('abort', () => {});
  interrupts.dispose();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
