import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Comparison, comparisonMarkdown } from '../../bench/compare/table.js';
import { longestMount } from '../../bench/machine.js';
import type { Sample } from '../../bench/measure.js';
import { readOptions } from '../../bench/options.js';
import {
  type Line,
  markdown,
  median,
  type Report,
  ratioLine,
  replaceTable,
  textTable,
  verdict,
} from '../../bench/report.js';

const MACHINE = {
  processor: 'A Processor',
  cores: 2,
  memoryGiB: 8,
  fileSystem: 'ext4',
  kernel: 'Linux 6.1',
  node: '20.19.0',
  git: '2.39.5',
};

function samples(...seconds: number[]): Sample[] {
  return seconds.map((each) => ({ seconds: each, stdout: '' }));
}

function report(lines: Line[], skipped: Report['skipped'] = []): Report {
  return { date: '2026-11-21T06:00:00.000Z', smoke: false, machine: MACHINE, lines, skipped };
}

const LINE: Line = { row: 'push', job: 'push again', figure: 1, unit: 'requests a root', limit: 1 };

describe('the median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('has half of the values on either side', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('of nothing is an error', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('a budget', () => {
  it('is met up to its limit, and missed above it', () => {
    expect(verdict({ figure: 1.5, limit: 1.5 })).toBe('met');
    expect(verdict({ figure: 1.500001, limit: 1.5 })).toBe('missed');
  });

  it('is missed by a figure that could not be taken', () => {
    expect(verdict({ figure: Number.NaN, limit: 250 })).toBe('missed');
  });

  it('is not claimed where there is none', () => {
    expect(verdict({ figure: 100 })).toBe('');
  });
});

describe('a ratio', () => {
  it('divides medians, and shows how far the rounds lie apart', () => {
    const ours = { name: 'mlv', samples: samples(2, 30, 4) };
    const theirs = { name: 'cp', samples: samples(2, 3, 2) };
    const line = ratioLine({ row: 'add', job: 'add', limit: 1.3 }, ours, theirs);
    expect(line.figure).toBe(2);
    expect(line.range).toEqual([1, 10]);
    expect(verdict(line)).toBe('missed');
  });

  it('compares only rounds that both ran', () => {
    const line = ratioLine(
      { row: 'add', job: 'add' },
      { name: 'mlv', samples: samples(1, 1, 9) },
      { name: 'slow', samples: samples(2) },
    );
    expect(line.figure).toBe(0.5);
    expect(line.range).toEqual([0.5, 0.5]);
  });

  it('keeps the largest memory of any run', () => {
    const ours = samples(1, 1).map((sample, index) => ({ ...sample, peakMiB: [80, 240][index] ?? 0 }));
    const line = ratioLine({ row: 'a', job: 'a' }, { name: 'mlv', samples: ours }, { name: 'cp', samples: samples(1) });
    expect(line.ours?.peakMiB).toBe(240);
  });
});

describe('the table', () => {
  it('says of every line whether its budget is met, and counts', () => {
    const text = textTable(
      report([LINE, { ...LINE, job: 'push once more', figure: 3 }, { ...LINE, limit: undefined as never }]),
    );
    expect(text).toMatch(/push again .* 1 requests a root .* at most 1 requests a root .* met/);
    expect(text).toMatch(/push once more .*\*\*missed\*\*/);
    expect(text).toContain('1 budgets met, 1 missed.');
  });

  it('names what was not measured, and why', () => {
    const skipped = [{ row: 'add-large', job: 'hard link', reason: 'b3sum is not installed' }];
    expect(textTable(report([LINE], skipped))).toContain('not measured: add-large (hard link): b3sum is not installed');
    expect(markdown(report([LINE], skipped))).toContain('- `add-large` (hard link): b3sum is not installed');
  });

  it('claims nothing after a smoke run', () => {
    expect(textTable({ ...report([LINE]), smoke: true })).toContain('its figures mean nothing');
  });

  it('replaces what is between the marks in the docs, and nothing else', () => {
    const begin = '<!-- table: begin (written by npm run bench -- --write-docs) -->';
    const document = `# Before\n${begin}\nold\n<!-- table: end -->\nafter\n`;
    const once = replaceTable(document, 'new');
    expect(once).toBe(`# Before\n${begin}\n\nnew\n\n<!-- table: end -->\nafter\n`);
    expect(replaceTable(once, 'new')).toBe(once);
    expect(() => replaceTable('# Before', 'new')).toThrow('lacks the line');
  });
});

describe('the command line of the bench', () => {
  it('refuses what it cannot mean', () => {
    expect(() => readOptions(['--runs', '0'])).toThrow(RangeError);
    expect(() => readOptions(['--smoke', '--write-docs'])).toThrow(RangeError);
    expect(() => readOptions(['--fast'])).toThrow(TypeError);
  });

  it('collects the rows', () => {
    expect(readOptions(['--only', 'push', '--only', 'startup', '--runs', '3'])).toMatchObject({
      only: ['push', 'startup'],
      runs: 3,
    });
  });
});

describe('the file system of a directory', () => {
  const mounts = '/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/with\\040space xfs rw 0 0\n';

  it('is that of the nearest mount above it', () => {
    expect(longestMount(mounts, '/home/me')).toBe('ext4');
    expect(longestMount(mounts, '/tmp/x')).toBe('tmpfs');
    expect(longestMount(mounts, '/tmpx')).toBe('ext4');
    expect(longestMount(mounts, '/tmp/with space/y')).toBe('xfs');
  });
});

describe('the comparison', () => {
  const comparison = (cells: Comparison['jobs'][number]['cells']): Comparison => ({
    date: '2026-11-21T06:00:00.000Z',
    smoke: false,
    machine: MACHINE,
    server: 'a server',
    tools: [
      { name: 'mlv', version: '', objectPerFile: false, variant: false },
      { name: 'mlv, linked', version: '', objectPerFile: false, variant: true },
      { name: 'copier', version: '1.2', objectPerFile: true, variant: false },
      { name: 'packer', version: '3.4', objectPerFile: false, variant: false },
    ],
    skipped: [{ tool: 'other', reason: 'other is not on the PATH' }],
    jobs: [{ job: 'up', bytes: 2 * 1024 ** 3, cells }],
  });

  it('divides the best of the others by mlv, and processor time by the data', () => {
    const text = comparisonMarkdown(
      comparison([
        { tool: 'mlv', seconds: 2, cpuSeconds: 3, parts: [0.5, 1.5] },
        { tool: 'copier', seconds: 30, cpuSeconds: 8 },
        { tool: 'packer', seconds: 5 },
      ]),
    );
    expect(text).toContain(
      '| up | 2.00 s (0.50 + 1.50); CPU 1.5 s/GiB | – | 30.0 s; CPU 4.0 s/GiB | 5.00 s | 2.5 × | 15 × |',
    );
    expect(text).toContain('mlv, copier (1.2), packer (3.4).');
    expect(text).toContain('- other: other is not on the PATH');
  });

  it('shows where mlv is not the first, and what was not measured', () => {
    const text = comparisonMarkdown(
      comparison([
        { tool: 'mlv', seconds: 4 },
        { tool: 'copier', seconds: 1 },
      ]),
    );
    expect(text).toContain('| up | 4.00 s | – | 1.00 s | – | **0.25 ×** | **0.25 ×** |');
  });

  it('never takes another setting of mlv for one of the others', () => {
    const text = comparisonMarkdown(
      comparison([
        { tool: 'mlv', seconds: 4 },
        { tool: 'mlv, linked', seconds: 1 },
        { tool: 'copier', seconds: 2 },
      ]),
    );
    expect(text).toContain('| up | 4.00 s | 1.00 s | 2.00 s | – | **0.50 ×** | **0.50 ×** |');
  });
});
