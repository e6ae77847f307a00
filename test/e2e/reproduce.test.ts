import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { quickly } from '../helpers/quick-probe.js';
import { cloneRepository, commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const { collect, mlv, run: runMlv, start: startMlv } = quickly;

// A trainer in miniature: with a seed its model follows from what it reads, without one it is another each time.
const TRAIN = `
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
const params = JSON.parse(readFileSync('params.json', 'utf8'));
const rows = readFileSync('data/train.csv', 'utf8').trim().split('\\n').map(Number);
const noise = params.seed === null ? randomBytes(8).toString('hex') : String(params.seed);
const mean = rows.reduce((sum, each) => sum + each, 0) / rows.length;
writeFileSync('model.bin', JSON.stringify({ mean, noise, hash: process.env.PYTHONHASHSEED ?? null }));
if (params.fail) process.exit(3);
`;
const STAGES = `
stages:
  prepare:
    cmd: mkdir -p data && sort -n raw.csv > data/train.csv
    deps: [raw.csv]
    outs: [data]
  train:
    cmd: ['${process.execPath}', train.mjs]
    deps: [data/train.csv, train.mjs]
    params: [params.json]
    outs: [model.bin]
  judge:
    cmd: ['${process.execPath}', judge.mjs]
    deps: [model.bin, judge.mjs]
    metrics: [metrics.json]
`;
const JUDGE = `
import { readFileSync, writeFileSync } from 'node:fs';
const { mean, noise } = JSON.parse(readFileSync('model.bin', 'utf8'));
const drift = noise.length > 8 ? parseInt(noise.slice(0, 6), 16) / 2 ** 24 / 1000 : 0;
writeFileSync('metrics.json', JSON.stringify({ error: mean + drift }));
`;

interface Project {
  cwd: string;
  temporary: string;
  run: (...args: string[]) => ReturnType<typeof runMlv>;
}

function projectAt(cwd: string, env: Record<string, string> = {}): Project {
  const temporary = temporaryDirectory('tmp');
  return { cwd, temporary, run: (...args) => runMlv(args, { cwd, env: { TMPDIR: temporary, ...env } }) };
}

async function makeProject(seed: number | null): Promise<Project> {
  const upstream = makeRepository({ name: 'upstream', bare: true });
  const cwd = await makeMlvRepository({
    'raw.csv': '3\n1\n2\n',
    'params.json': JSON.stringify({ seed }),
    'train.mjs': TRAIN,
    'judge.mjs': JUDGE,
  });
  git(cwd, 'remote', 'add', 'origin', upstream);
  appendFileSync(join(cwd, 'mlv.yaml'), STAGES);
  await mlv(['remote', 'add', 'origin', temporaryDirectory('store'), '-q'], { cwd });
  await mlv(['add', 'raw.csv'], { cwd });
  await mlv(['repro', '-q'], { cwd, env: { PYTHONHASHSEED: '5' } });
  commitAll(cwd, 'train');
  git(cwd, 'push', '--quiet', 'origin', 'main');
  await mlv(['push', '-q'], { cwd });
  await mlv(['register', 'fraud', 'model.bin', '--data', 'raw.csv', '--metrics', 'metrics.json'], { cwd });
  return projectAt(cwd);
}

/** A project of its own, which shares no Git remote. */
function copyOf({ cwd }: Project): Project {
  const copy = temporaryDirectory('copy');
  cpSync(cwd, copy, { recursive: true });
  git(copy, 'remote', 'remove', 'origin');
  return projectAt(copy);
}

/** What a reproduction must leave as it was. */
function surroundings({ cwd, temporary }: Project): unknown {
  return [
    git(cwd, 'status', '--short'),
    git(cwd, 'worktree', 'list', '--porcelain'),
    readFileSync(join(cwd, 'model.bin'), 'utf8'),
    readdirSync(temporary),
  ];
}

describe('mlv reproduce', () => {
  let seeded: Project;
  let unseeded: Project;
  beforeAll(async () => {
    seeded = await makeProject(7);
    unseeded = await makeProject(null);
  });

  it('proves that the same bytes come of it, says so in the history, and touches nothing', async () => {
    const before = surroundings(seeded);
    const result = await seeded.run('reproduce', 'fraud@1.0.0', '--json', '--reason', 'quarterly');
    expect(result.exitCode, result.stderr).toBe(0);
    const document = parseDocument('reproduce', result.stdout);
    expect(document).toMatchObject({ verdict: 'bit-identical', recorded: true, pushed: true, directory: null });
    expect(document.runs.map(({ name }) => name)).toEqual(['train']);
    expect(surroundings(seeded)).toEqual(before);
    expect((await seeded.run('history', 'fraud')).stdout).toContain('reproduced: bit identical');
    const shown = parseDocument('show', (await seeded.run('show', 'fraud@1.0.0', '--json')).stdout);
    expect(shown.reproduced).toMatchObject({ verdict: 'bit-identical', by: 'Test Author <author@example.com>' });
    expect((await seeded.run('card', 'fraud@1.0.0')).stdout).toContain('| reproduced | bit-identical, ');
    expect((await seeded.run('list', 'fraud', '--where', 'reproduced == "bit-identical"')).stdout).toContain('1.0.0');
    expect((await seeded.run('audit')).exitCode).toBe(0);
  });

  it('finds a model without a seed equivalent by the figures of the stage that judges it', async () => {
    const result = await unseeded.run('reproduce', 'fraud@1.0.0', '--no-record', '--json');
    expect(result.exitCode, result.stderr).toBe(0);
    const { verdict, outputs, metrics, recorded } = parseDocument('reproduce', result.stdout);
    expect([verdict, recorded]).toEqual(['equivalent', false]);
    expect(outputs).toMatchObject([{ path: 'model.bin', same: false, artifact: true }]);
    expect(metrics).toMatchObject([{ name: 'error', tolerance: '1%', within: true }]);
    expect((await unseeded.run('history', 'fraud')).stdout).not.toContain('reproduced');
  });

  it('calls it different beyond the tolerance, with exit code 3, and gates may ask for more', async () => {
    const result = await unseeded.run('reproduce', 'fraud@1.0.0', '--tolerance', '5%', '--tolerance', 'error=0');
    expect([result.exitCode, result.stdout]).toEqual([3, expect.stringMatching(/^fraud@1.0.0: different/)]);
    expect((await unseeded.run('history', 'fraud')).stdout).toContain('reproduced: different (model.bin is blake3:');
    const policy = 'mlv: 1\nstages:\n  production:\n    metrics: [\'reproduced in ["bit-identical", "equivalent"]\']\n';
    writeFileSync(join(unseeded.cwd, 'policy.yaml'), policy);
    expect((await unseeded.run('policy', 'set', 'policy.yaml')).exitCode).toBe(0);
    rmSync(join(unseeded.cwd, 'policy.yaml'));
    expect((await unseeded.run('promote', 'fraud@1.0.0', 'production')).exitCode).toBe(6);
    expect((await unseeded.run('reproduce', 'fraud@1.0.0')).exitCode).toBe(0);
    expect((await unseeded.run('promote', 'fraud@1.0.0', 'production')).exitCode).toBe(0);
  });

  it('runs the whole chain with --all, in a clone that has nothing yet, and keeps the directory with --to', async () => {
    const clone = projectAt(cloneRepository(git(seeded.cwd, 'remote', 'get-url', 'origin').trim()));
    const to = join(temporaryDirectory('again'), 'fraud');
    const result = await clone.run('reproduce', 'fraud@1.0.0', '--all', '--to', to, '--no-record', '--json');
    expect(result.exitCode, result.stderr).toBe(0);
    const { verdict, runs, outputs, directory } = parseDocument('reproduce', result.stdout);
    expect([verdict, directory, runs.map(({ name }) => name)]).toEqual(['bit-identical', to, ['prepare', 'train']]);
    expect(outputs.map(({ path, same, artifact }) => [path, same, artifact])).toEqual([
      ['data', true, false],
      ['model.bin', true, true],
    ]);
    expect(readFileSync(join(to, 'data/train.csv'), 'utf8')).toBe('1\n2\n3\n');
    expect(existsSync(join(clone.cwd, 'model.bin'))).toBe(false);
  });

  it('sets the variables that were recorded, and takes out those that were not', async () => {
    const other = projectAt(seeded.cwd, { PYTHONHASHSEED: '99', OMP_NUM_THREADS: '3' });
    const result = await other.run('reproduce', 'fraud@1.0.0', '--no-record', '--json');
    expect(parseDocument('reproduce', result.stdout).verdict).toBe('bit-identical');
  });

  it('takes the code as the run had it where the commit has another', async () => {
    const project = copyOf(seeded);
    const { cwd } = project;
    writeFiles(cwd, { 'params.json': '{"seed": 2}' });
    await mlv(['repro', '-q'], { cwd });
    writeFiles(cwd, { 'train.mjs': 'throw new Error("rewritten after the run")' });
    commitAll(cwd, 'second');
    await mlv(['register', 'fraud', 'model.bin', '--data', 'raw.csv', '--version', '2.0.0', '--push'], { cwd });
    const result = await project.run('reproduce', 'fraud@2.0.0', '--no-record', '--json');
    expect(result.exitCode, result.stderr).toBe(0);
    expect(parseDocument('reproduce', result.stdout).verdict).toBe('bit-identical');
  });

  it('makes no verdict of a command that fails, or of a version that no run made', async () => {
    const project = copyOf(seeded);
    const { cwd } = project;
    writeFiles(cwd, { 'params.json': '{"seed": 2}', flag: '' });
    appendFileSync(join(cwd, '.gitignore'), '/flag\n');
    await mlv(['run', '-d', 'raw.csv', '-o', 'second.bin', '--', 'sh', '-c', 'test -e flag && cp raw.csv second.bin'], {
      cwd,
    });
    writeFiles(cwd, { 'by-hand.bin': 'made by hand' });
    await mlv(['add', 'by-hand.bin'], { cwd });
    commitAll(cwd, 'more');
    await mlv(['register', 'second', 'second.bin', '--push'], { cwd });
    await mlv(['register', 'third', 'by-hand.bin', '--push'], { cwd });
    const before = surroundings(project);
    const failed = await project.run('reproduce', 'second@latest', '--json');
    expect(failed.exitCode).toBe(1);
    expect(JSON.parse(failed.stdout).error).toMatchObject({ code: 'RUN_FAILED', data: { exitCode: 1 } });
    const unknown = await project.run('reproduce', 'third@latest', '--json');
    expect([unknown.exitCode, JSON.parse(unknown.stdout).error.code]).toEqual([4, 'OBJECT_MISSING']);
    expect((await project.run('history', 'second')).stdout).not.toContain('reproduced');
    expect(surroundings(project)).toEqual(before);
    const wrong = await project.run('reproduce', 'second@latest', '--tolerance', 'much');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("'much' is no tolerance")]);
  });

  it('takes its directory away when it is interrupted, and what a killed one left', async () => {
    const project = copyOf(seeded);
    const { cwd, temporary } = project;
    const started = join(cwd, '.git/started');
    writeFiles(cwd, { 'raw.csv': '5\n' });
    await mlv(['add', 'raw.csv'], { cwd });
    const command = `cp raw.csv slow.bin; test ! -e '${started}' || echo running >&2; while test -e '${started}'; do sleep 0.05; done`;
    await mlv(['run', '-d', 'raw.csv', '-o', 'slow.bin', '--', 'sh', '-c', command], { cwd });
    commitAll(cwd, 'slow');
    await mlv(['register', 'slow', 'slow.bin', '--push'], { cwd });
    writeFiles(cwd, { '.git/started': '' });
    const before = surroundings(project);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const child = startMlv(['reproduce', 'slow@latest'], { cwd, env: { TMPDIR: temporary } });
      child.stdin.end();
      const ended = collect(child);
      await new Promise<void>((resolve) => {
        child.stderr.on('data', (part) => String(part).includes('running') && resolve());
      });
      child.kill(signal);
      if (signal === 'SIGKILL') {
        // Its command lives on and holds the pipe.
        for (const name of readdirSync(temporary)) expect(name).toMatch(/^mlv-version-/);
        await new Promise((resolve) => child.once('exit', resolve));
        // As one that was killed before its tree was made.
        const [left = ''] = readdirSync(temporary);
        cpSync(join(temporary, left, 'owner.lock'), join(temporary, 'mlv-version-empty', 'owner.lock'));
        child.stdout.destroy();
        child.stderr.destroy();
      } else {
        expect((await ended).exitCode).toBe(130);
        expect(surroundings(project)).toEqual(before);
      }
    }
    rmSync(started);
    expect((await project.run('reproduce', 'slow@latest', '--no-record')).exitCode).toBe(0);
    expect(surroundings(project)).toEqual(before);
  });
});
