import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../bench/report.js';
import { cleanEnvironment, MLV_BIN } from '../helpers/cli.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

/** Runs the bench on tiny inputs; gives its report and what it left behind. */
function smoke(...rows: string[]): { report: Report; printed: string; left: string[] } {
  const directory = temporaryDirectory('bench');
  const json = join(temporaryDirectory('bench-results'), 'report.json');
  const only = rows.flatMap((row) => ['--only', row]);
  const args = ['--import', 'tsx', MAIN, '--smoke', '--bin', MLV_BIN, '--dir', directory, '--json', json, ...only];
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8', env: cleanEnvironment(), stdio: 'pipe' });
  return { report: JSON.parse(readFileSync(json, 'utf8')) as Report, printed, left: readdirSync(directory) };
}

describe('npm run bench -- --smoke', () => {
  it('measures start-up, prints a table, writes JSON and removes its inputs', () => {
    const { report, printed, left } = smoke('startup');
    expect(report.lines.map(({ job }) => job)).toEqual(['mlv --version', 'mlv --help']);
    for (const { figure, limit } of report.lines) {
      expect(figure).toBeGreaterThan(0);
      expect(limit).toBeUndefined();
    }
    expect(printed).toMatch(/^startup +mlv --version .* node -e 0/m);
    expect(left).toEqual([]);
  });

  it('counts what travels through a proxy in front of an S3 server', () => {
    const { report } = smoke('traffic');
    expect(report.skipped).toEqual([]);
    const figure = (job: string): number => report.lines.find((line) => line.job === job)?.figure ?? Number.NaN;
    expect(figure('push 1 GiB, first time')).toBeGreaterThan(99);
    expect(figure('push again, nothing changed')).toBe(1);
    expect(figure('push, 1 % inserted')).toBeLessThan(10);
  });
});
