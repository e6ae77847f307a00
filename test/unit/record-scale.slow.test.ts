import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('writes and reads the record of a tree of a million files in less than 300 MiB', () => {
  const script = fileURLToPath(new URL('../helpers/million-files.ts', import.meta.url));
  const result = JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' }));
  expect(result).toMatchObject({ files: 1_000_000, bytes: 100_000_000_000, packs: 6250 });
  expect(result.mebibytes).toBeLessThan(300);
});
