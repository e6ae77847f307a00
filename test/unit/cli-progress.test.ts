import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressReporter } from '../../src/cli/progress.js';
import { progressLines } from '../../src/cli/render/progress-layout.js';

/** A reporter with a clock and a screen of its own. */
function reporter(mode: 'screen' | 'plain' | 'off', { notes = true, columns = 80, rows = 40 } = {}) {
  const screen = { text: '', now: 0 };
  const write = (text: string): void => {
    screen.text += text;
  };
  return {
    screen,
    report: progressReporter({ mode, notes, write, screen: () => ({ columns, rows }), now: () => screen.now }),
  };
}

describe('progress', () => {
  it('counts one thing as one', () => {
    const { screen, report } = reporter('screen');
    const phase = report.phase('Pushing', { unit: 'packs' });
    screen.now = 200;
    phase.advance({ items: 1 });
    expect(screen.text).toContain('Pushing: 1 pack');
    expect(screen.text).not.toContain('packs');
    phase.end();
  });

  it('on a terminal is there within 100 ms, with bytes, rate and remaining time, and is gone at the end', () => {
    const { screen, report } = reporter('screen');
    const phase = report.phase('Adding', { total: { bytes: 4 << 20, items: 2 }, unit: 'files' });
    screen.now = 50;
    phase.advance({ bytes: 1 << 20 });
    expect(screen.text).toBe('');
    screen.now = 100;
    phase.advance({ items: 1 });
    expect(screen.text).toBe('\r\u001b[2KAdding: 1 of 2 files, 1.0 MiB of 4.0 MiB (25 %), 10.0 MiB/s, 0.3 s left');
    report.warn('look \u001b[31mhere');
    phase.end();
    phase.end();
    expect(screen.text.endsWith('\r\u001b[2Kwarning: look \\033[31mhere\n')).toBe(true);
  });

  it('never fills more than one line of the terminal', () => {
    const { screen, report } = reporter('screen');
    const phase = report.phase(
      'A name that is so long that it does not leave any room for what comes behind it, at all',
    );
    screen.now = 500;
    phase.advance({ bytes: 1 });
    expect(screen.text.replace('\r\u001b[2K', '').length).toBeLessThan(80);
  });

  it('on a wide terminal has a line for each transfer below those of the phases, and takes all of them away', () => {
    const { screen, report } = reporter('screen', { columns: 120 });
    const phase = report.phase('Fetching', { total: { bytes: 8 << 20 } });
    const first = report.transfer('pack 11111111', { bytes: 4 << 20, direction: 'down' });
    const second = report.transfer('pack 2', { bytes: 4 << 20, direction: 'up' });
    screen.now = 1000;
    first.advance(1 << 20);
    expect(screen.text.replace('\r\u001b[2K', '').split('\n')).toEqual([
      'Fetching: 0 B of 8.0 MiB (0 %)',
      '  ↓ pack 11111111  #####...............  1.0 MiB of 4.0 MiB, 1.0 MiB/s',
      '  ↑ pack 2         4.0 MiB, 1.0 s',
    ]);
    screen.text = '';
    first.end();
    first.end();
    screen.now = 1200;
    phase.advance({ bytes: 1 << 20 });
    expect(screen.text).toBe(
      '\r\u001b[2A\u001b[JFetching: 1.0 MiB of 8.0 MiB (12 %), 853 KiB/s, 8.4 s left\n  ↑ pack 2  4.0 MiB, 1.2 s',
    );
    screen.text = '';
    report.note('look');
    expect(screen.text).toBe('\r\u001b[1A\u001b[Jlook\n');
    second.end();
    phase.end();
  });

  it('elsewhere is a line now and then, and only for work of more than two seconds', () => {
    const { screen, report } = reporter('plain');
    const short = report.phase('Short', { total: { items: 10 } });
    screen.now = 1900;
    short.advance({ items: 10 });
    short.end();
    expect(screen.text).toBe('');
    const long = report.phase('Long', { total: { bytes: 2048 } });
    for (let second = 0; second < 12; second += 1) {
      screen.now += 1000;
      long.advance({ bytes: 100 });
    }
    long.end();
    const lines = screen.text.trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^Long: 200 B of 2\.0 KiB \(9 %\), 100 B\/s, 18 s left$/);
    expect(lines.at(-1)).toMatch(/12 s in all$/);
  });

  it('switched off is silent, and without notes still warns', () => {
    const { screen, report } = reporter('off', { notes: false });
    const phase = report.phase('Quiet');
    screen.now = 10_000;
    phase.advance({ bytes: 1 });
    phase.end();
    report.note('a note');
    report.warn('a warning');
    expect(screen.text).toBe('warning: a warning\n');
  });
});

describe('the lines on a terminal', () => {
  const phase = fc.record({
    name: fc.string({ minLength: 1, maxLength: 200 }),
    unit: fc.constantFrom('', 'files'),
    done: fc.record({ bytes: fc.nat(), items: fc.nat() }),
    total: fc.record({ bytes: fc.nat(), items: fc.nat() }),
    seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
  });
  const transfer = fc.record({
    name: fc.string({ maxLength: 200 }),
    direction: fc.constantFrom('up', 'down'),
    done: fc.nat(),
    total: fc.nat(),
    seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
  });

  it('are few, never as long as the terminal is wide, and without control characters', () => {
    fc.assert(
      fc.property(
        fc.array(phase, { minLength: 1, maxLength: 3 }),
        fc.array(transfer, { maxLength: 40 }),
        fc.record({ columns: fc.integer({ min: 21, max: 300 }), rows: fc.integer({ min: 1, max: 100 }) }),
        (phases, transfers, screen) => {
          const lines = progressLines(phases, transfers, screen);
          const wide = screen.columns >= 100 && screen.rows >= 16;
          expect(lines.length).toBe(wide ? phases.length + Math.min(transfers.length, 9) : 1);
          for (const line of lines) {
            expect(Array.from(line).length).toBeLessThan(screen.columns);
            expect(line).not.toMatch(/[\u0000-\u001f\u007f]/);
          }
        },
      ),
    );
  });
});
