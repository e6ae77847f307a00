import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../helpers/big-data.js';
import { collect } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { quickly } from '../helpers/quick-probe.js';
import { commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const { mlv, run: runMlv, start: startMlv } = quickly;
const MOMENTS = 10;
const seed = Number(process.env.MLV_TEST_SEED ?? Date.now() % 100_000);

const STAGES = `
stages:
  split:
    cmd: mkdir -p parts && for n in 1 2 3 4 5 6 7 8; do cat raw.bin n.txt > parts/$n; done
    deps: [raw.bin, n.txt]
    outs: [parts]
  join:
    cmd: cat parts/* > joined.bin && wc -c < joined.bin > size && echo "{\\"size\\":$(cat size)}" > metrics.json && rm size
    deps: [parts]
    outs: [joined.bin]
    metrics: [metrics.json]
`;

describe(`repro killed with -9 at ${MOMENTS} random moments (MLV_TEST_SEED=${seed})`, () => {
  let origin: string;
  let wholeMs: number;
  beforeAll(async () => {
    origin = await makeMlvRepository({ 'raw.bin': randomBytes(400_000, seed), 'n.txt': '1' });
    appendFileSync(join(origin, 'mlv.yaml'), STAGES);
    await mlv(['add', '-q', 'raw.bin'], { cwd: origin });
    await mlv(['repro', '-q'], { cwd: origin });
    commitAll(origin, 'first');
    writeFiles(origin, { 'n.txt': '2' });
    const copy = copyOf(origin);
    const begin = performance.now();
    await mlv(['repro', '-q'], { cwd: copy });
    wholeMs = performance.now() - begin;
  });

  it('no pointer says what is not so, and the next repro finishes', async () => {
    const expected = copyOf(origin);
    await mlv(['repro', '-q'], { cwd: expected });
    const random = new Uint32Array(randomBytes(MOMENTS * 4, seed).buffer.slice(0));
    for (let index = 0; index < MOMENTS; index += 1) {
      const moment = ((index + (random[index] ?? 0) / 2 ** 32) / MOMENTS) * wholeMs;
      const cwd = copyOf(origin);
      const child = startMlv(['repro', '-q'], { cwd });
      child.stdin.end();
      const ended = collect(child);
      const timer = setTimeout(() => child.kill('SIGKILL'), moment);
      // The command of a killed mlv goes on by itself, and holds the output open: this is its end, too.
      await ended;
      clearTimeout(timer);

      const check = await runMlv(['fsck', '--json'], { cwd });
      const { cache } = JSON.parse(check.stdout) as { cache: { damaged: unknown[] } };
      expect(cache.damaged, `after ${moment} ms`).toEqual([]);
      for (const name of ['parts', 'joined.bin']) {
        const pointer = readFileSync(join(cwd, `${name}.mlv`), 'utf8');
        const possible = [origin, expected].map((each) => oidOf(readFileSync(join(each, `${name}.mlv`), 'utf8')));
        expect(possible, `after ${moment} ms`).toContain(oidOf(pointer));
        // Whatever it names can be had, and whatever run it names can be told.
        expect((await runMlv(['ls', name], { cwd })).exitCode).toBe(0);
        expect((await runMlv(['why', name], { cwd })).exitCode).toBe(0);
      }

      await mlv(['repro', '-q'], { cwd });
      const { stages } = parseDocument('repro', await mlv(['repro', '--json'], { cwd }));
      expect(stages.map(({ state }) => state)).toEqual(['current', 'current']);
      for (const file of ['joined.bin', 'parts/1', 'parts/8', 'metrics.json']) {
        expect(readFileSync(join(cwd, file)).equals(readFileSync(join(expected, file))), file).toBe(true);
      }
      expect(readdirSync(join(cwd, 'parts')).sort()).toEqual(readdirSync(join(expected, 'parts')).sort());
      await mlv(['fsck'], { cwd });
      const left = join(cwd, '.git/mlv/tmp');
      expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
    }
  });
});

function oidOf(pointer: string): string {
  return /^oid: (.+)$/m.exec(pointer)?.[1] ?? '';
}

function copyOf(repository: string): string {
  const copy = temporaryDirectory('copy');
  cpSync(repository, copy, { recursive: true });
  return copy;
}
