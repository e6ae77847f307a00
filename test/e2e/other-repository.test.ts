import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

it('does not take the data of another repository for its own, and asks for that once', async () => {
  const store = join(temporaryDirectory('store'), 'r');
  const [first, second] = await Promise.all([
    makeMlvRepository({ 'model.bin': 'the same bytes' }),
    makeMlvRepository({ 'model.bin': 'the same bytes' }),
  ]);
  for (const cwd of [first, second]) {
    await mlv(['remote', 'add', 'shared', store], { cwd });
    await mlv(['add', 'model.bin'], { cwd });
  }
  await mlv(['push'], { cwd: first });
  const refused = await runMlv(['push'], { cwd: second });
  expect([refused.exitCode, refused.stderr]).toEqual([7, expect.stringContaining('belongs to another repository')]);
  expect(parseDocument('push', await mlv(['push', '--json'], { cwd: first }))).toMatchObject({
    upToDate: 1,
    requests: 1,
  });
});
