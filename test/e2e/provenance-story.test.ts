import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { pathWithPython, pythonLacks } from '../helpers/python.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const lacks = pythonLacks('sklearn', 'numpy', 'yaml');

// The pipeline of fixtures/pipeline without Python: means of the digits, of rows that are drawn by a seed.
const PREPARE = `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const [head, ...rows] = readFileSync('raw/digits.csv', 'utf8').trim().split('\\n');
mkdirSync('data', { recursive: true });
for (const [name, keep] of [['test', (at) => at % 4 === 0], ['train', (at) => at % 4 !== 0]]) {
  writeFileSync('data/' + name + '.csv', [head, ...rows.filter((_, at) => keep(at))].join('\\n') + '\\n');
}
`;
const TRAIN = `
import { readFileSync, writeFileSync } from 'node:fs';
const seed = /^ {2}seed: (.*)$/m.exec(readFileSync('params.yaml', 'utf8').split('train:')[1])[1];
let state = seed === 'null' ? Math.floor(Math.random() * 2 ** 31) : Number(seed);
const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) / 2 ** 31;
const read = (name) => {
  const [head, ...rows] = readFileSync('data/' + name + '.csv', 'utf8').trim().split('\\n').map((row) => row.split(','));
  const at = head.indexOf('label');
  return rows.map((row) => ({ label: row[at], pixels: row.filter((_, column) => column !== at).map(Number) }));
};
const means = {};
for (const { label, pixels } of read('train')) {
  if (random() < 0.2) continue;
  const mean = (means[label] ??= { count: 0, sum: pixels.map(() => 0) });
  mean.count += 1;
  pixels.forEach((pixel, each) => (mean.sum[each] += pixel));
}
const centres = Object.entries(means).map(([label, { count, sum }]) => [label, sum.map((each) => each / count)]);
writeFileSync('model.pkl', JSON.stringify(centres));
const distance = (a, b) => a.reduce((sum, each, at) => sum + (each - b[at]) ** 2, 0);
const test = read('test');
const right = test.filter(({ label, pixels }) =>
  label === centres.map(([name, centre]) => [distance(centre, pixels), name]).sort((a, b) => a[0] - b[0])[0][1],
);
writeFileSync('metrics.json', JSON.stringify({ accuracy: right.length / test.length }));
`;

interface Project {
  cwd: string;
  /** Runs `mlv` to exit code 0, or to the one given, and gives its output. */
  mlv: (args: readonly string[], exitCode?: number) => Promise<string>;
}

async function project(env: Record<string, string>, prepare: (cwd: string) => void): Promise<Project> {
  const cwd = makeRepository();
  cpSync(join(fixtures, 'pipeline'), cwd, { recursive: true });
  mkdirSync(join(cwd, 'raw'));
  cpSync(join(fixtures, 'data/digits.csv'), join(cwd, 'raw/digits.csv'));
  prepare(cwd);
  const run = async (args: readonly string[], exitCode = 0): Promise<string> => {
    const result = await runMlv(args, { cwd, env });
    expect(result.exitCode, `mlv ${args.join(' ')}\n${result.stderr}${result.stdout}`).toBe(exitCode);
    return result.stdout;
  };
  await run(['init', '-q']);
  await run(['remote', 'add', 'origin', temporaryDirectory('store'), '-q']);
  await run(['add', '-q', 'raw/digits.csv']);
  git(cwd, 'remote', 'add', 'origin', makeRepository({ name: 'upstream', bare: true }));
  commitAll(cwd, 'start');
  return { cwd, mlv: run };
}

function setParam(cwd: string, from: string, to: string): void {
  const path = join(cwd, 'params.yaml');
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

/** What issue 5 is done when, from the first run to the proof. */
async function story({ cwd, mlv }: Project): Promise<void> {
  const repro = async (...args: string[]) =>
    parseDocument('repro', await mlv(['repro', '--json', ...args])).stages.map(({ state }) => state);
  const register = async (message: string): Promise<string> => {
    commitAll(cwd, message);
    const options = ['--data', 'raw/digits.csv', '--params', 'params.yaml', '--metrics', 'metrics.json', '--push'];
    return parseDocument('register', await mlv(['register', 'digits', 'model.pkl', ...options, '--json'])).tag;
  };
  const reproduce = async (name: string, ...args: string[]) =>
    parseDocument('reproduce', await mlv(['reproduce', name, '--json', ...args]));

  expect(await repro()).toEqual(['ran', 'ran']);
  expect(await repro()).toEqual(['current', 'current']);
  setParam(cwd, 'trees: 10', 'trees: 12');
  expect(await repro()).toEqual(['current', 'ran']);

  const seeded = await register('train');
  const policy = 'mlv: 1\nstages:\n  production:\n    metrics: [\'reproduced == "bit-identical"\']\n';
  writeFiles(cwd, { 'policy.yaml': policy });
  await mlv(['policy', 'set', 'policy.yaml']);
  await mlv(['promote', seeded, 'production'], 6);
  expect(await reproduce(seeded)).toMatchObject({ verdict: 'bit-identical', recorded: true });
  expect(await reproduce(seeded, '--all', '--no-record')).toMatchObject({ verdict: 'bit-identical' });
  await mlv(['promote', seeded, 'production']);

  // The row that turns out to be wrong is in the file as it was then; another version knows nothing of it.
  const before = git(cwd, 'rev-parse', 'HEAD').trim();
  setParam(cwd, 'seed: 7', 'seed: null');
  const rows = readFileSync(join(cwd, 'raw/digits.csv'), 'utf8').trimEnd().split('\n');
  writeFileSync(join(cwd, 'raw/digits.csv'), `${rows.filter((_, at) => at !== 137).join('\n')}\n`);
  await mlv(['add', '-q', 'raw/digits.csv']);
  expect(await repro()).toEqual(['ran', 'ran']);
  const unseeded = await register('without row 137, without a seed');
  expect(await mlv(['impact', `raw/digits.csv@${before}`])).toBe(`${seeded}  production\n`);
  expect(await mlv(['impact', 'raw/digits.csv'])).toBe(`${unseeded}\n`);

  const { verdict, outputs } = await reproduce(unseeded, '--tolerance', 'accuracy=5%', '--tolerance', 'log_loss=60%');
  expect([verdict, outputs.map(({ same }) => same)]).toEqual(['equivalent', [false]]);
  expect(git(cwd, 'status', '--short')).toBe('');
  await mlv(['promote', unseeded, 'production'], 6);
  expect((await mlv(['audit'])).length).toBeGreaterThan(0);
}

describe('a version from its data to the proof that it can be made again', () => {
  it('with scripts of Node', async () => {
    const made = await project({}, (cwd) => {
      writeFiles(cwd, { 'src/prepare.mjs': PREPARE, 'src/train.mjs': TRAIN });
      const stages = readFileSync(join(cwd, 'mlv.yaml'), 'utf8');
      writeFileSync(
        join(cwd, 'mlv.yaml'),
        stages.replaceAll('.py', '.mjs').replaceAll('cmd: python', `cmd: ${process.execPath}`),
      );
    });
    await story(made);
  });

  it('with scikit-learn', async ({ skip }) => {
    if (lacks !== undefined) return skip(`needs scikit-learn: ${lacks}`);
    await story(await project({ PATH: pathWithPython() }, () => {}));
  });
});
