import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pythonLacks } from '../helpers/python.js';
import { runStory } from '../helpers/story.js';

const lacks = pythonLacks('sklearn');

describe('docs/registry-story.md', () => {
  it(`tells what happens${lacks === undefined ? '' : ` (with the committed models: ${lacks})`}`, async () => {
    const { exitCode, output, cwd } = await runStory('registry-story.md', { trains: lacks === undefined });
    expect(exitCode, output).toBe(0);
    for (const said of [
      'registered digits@1.0.0',
      /FAILED +approvals/,
      'digits@1.0.0 approved for production',
      'registered digits@1.0.1 (after 1.0.0)',
      /params: depth 6 → 14, trees 4 → 60/,
      /version-fault/,
      /1\.0\.0 +put back on production instead of 1\.0\.1/,
      /no fault in \d+ commits/,
    ]) {
      expect(output).toMatch(said);
    }
    expect(output.includes('scikit-learn is not here')).toBe(lacks !== undefined);
    expect(readFileSync(join(cwd, 'audit.md'), 'utf8')).toContain('| Verdict | passed |');
    expect(existsSync(join(cwd, 'server/data'))).toBe(false);
  }, 400_000);
});
