import { describe, expect, it } from 'vitest';
import { progressReporter } from '../../src/cli/progress.js';

/** A reporter with a clock and a screen of its own. */
function reporter(mode: 'line' | 'plain' | 'off', notes = true) {
  const screen = { text: '', now: 0 };
  const write = (text: string): void => {
    screen.text += text;
  };
  return { screen, report: progressReporter({ mode, notes, write, columns: () => 80, now: () => screen.now }) };
}

describe('progress', () => {
  it('on a terminal is there within 100 ms, with bytes, rate and remaining time, and is gone at the end', () => {
    const { screen, report } = reporter('line');
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
    const { screen, report } = reporter('line');
    const phase = report.phase(
      'A name that is so long that it does not leave any room for what comes behind it, at all',
    );
    screen.now = 500;
    phase.advance({ bytes: 1 });
    expect(screen.text.replace('\r\u001b[2K', '').length).toBeLessThan(80);
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
    const { screen, report } = reporter('off', false);
    const phase = report.phase('Quiet');
    screen.now = 10_000;
    phase.advance({ bytes: 1 });
    phase.end();
    report.note('a note');
    report.warn('a warning');
    expect(screen.text).toBe('warning: a warning\n');
  });
});
