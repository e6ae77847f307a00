import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { quickly } from '../helpers/quick-probe.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const { collect, mlv, run: runMlv, start: startMlv } = quickly;

// Each command notes that it ran; what it makes follows from what it reads.
const STAGES = `
stages:
  prepare:
    cmd: echo prepare >> log; mkdir -p data; cat raw.csv > data/train.csv
    deps: [raw.csv]
    outs: [data]
  train:
    cmd: echo train >> log; cat data/train.csv params.yaml > model.bin
    deps: [data/train.csv]
    params: ['params.yaml:train']
    outs: [model.bin]
  judge:
    cmd: echo judge >> log; wc -c < model.bin > size; echo "{\\"bytes\\":" $(cat size) "}" > metrics.json; rm size
    deps: [model.bin]
    metrics: [metrics.json]
`;

let template: Promise<string> | undefined;

/** A repository with three stages in a row; `raw.csv` is tracked by mlv. */
async function project(): Promise<string> {
  template ??= makeProject();
  const cwd = temporaryDirectory('project');
  cpSync(await template, cwd, { recursive: true });
  return cwd;
}

async function makeProject(): Promise<string> {
  const cwd = await makeMlvRepository({ 'raw.csv': '1\n2\n', 'params.yaml': 'train: {lr: 1}\nother: 1\n' });
  appendFileSync(join(cwd, 'mlv.yaml'), STAGES);
  writeFiles(cwd, { '.gitignore': '/log\n' });
  await mlv(['add', 'raw.csv'], { cwd });
  commitAll(cwd, 'start');
  return cwd;
}

async function states(cwd: string, ...args: string[]): Promise<Record<string, string>> {
  const { stdout } = await runMlv(['repro', '--json', ...args], { cwd });
  return Object.fromEntries(parseDocument('repro', stdout).stages.map(({ stage, state }) => [stage, state]));
}

/** What ran since the last question. */
function ran(cwd: string): string[] {
  const path = join(cwd, 'log');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  rmSync(path, { force: true });
  return lines;
}

const ALL = (state: string) => ({ prepare: state, train: state, judge: state });

describe('mlv repro', () => {
  it('runs what is out of date and nothing else', async () => {
    const cwd = await project();
    expect(await states(cwd, '--dry-run')).toEqual(ALL('outdated'));
    expect(ran(cwd)).toEqual([]);
    expect(await states(cwd)).toEqual(ALL('ran'));
    expect(ran(cwd)).toEqual(['prepare', 'train', 'judge']);
    expect(await states(cwd)).toEqual(ALL('current'));
    expect(ran(cwd)).toEqual([]);

    writeFiles(cwd, { 'params.yaml': 'train: {lr: 2}\nother: 1\n' });
    const dry = parseDocument('repro', await mlv(['repro', '--json', '--dry-run'], { cwd }));
    expect(dry.stages.map(({ state, reasons }) => [state, ...reasons])).toEqual([
      ['current'],
      ['outdated', 'parameter params.yaml:train.lr changed'],
      ['outdated', 'it reads what train makes'],
    ]);
    expect(await states(cwd)).toEqual({ prepare: 'current', train: 'ran', judge: 'ran' });

    writeFiles(cwd, { 'params.yaml': 'train: {lr: 2}\nother: 5\n' });
    expect(await states(cwd, 'train')).toEqual({ prepare: 'current', train: 'current' });
  });

  it('stops below a stage that makes the same again', async () => {
    const cwd = await project();
    await mlv(['repro'], { cwd });
    const yaml = readFileSync(join(cwd, 'mlv.yaml'), 'utf8');
    writeFileSync(join(cwd, 'mlv.yaml'), yaml.replace('mkdir -p data;', 'mkdir -p ./data;'));
    expect(await states(cwd)).toEqual({ prepare: 'ran', train: 'current', judge: 'current' });
  });

  it('puts back what was run before, and what is gone from the workspace', async () => {
    const cwd = await project();
    await mlv(['repro'], { cwd });
    const first = readFileSync(join(cwd, 'model.bin.mlv'), 'utf8');
    const params = readFileSync(join(cwd, 'params.yaml'), 'utf8');
    writeFiles(cwd, { 'params.yaml': 'train: {lr: 20}\n' });
    await mlv(['repro'], { cwd });
    writeFiles(cwd, { 'params.yaml': params });
    ran(cwd);

    expect(await states(cwd)).toEqual({ prepare: 'current', train: 'restored', judge: 'restored' });
    expect(readFileSync(join(cwd, 'model.bin.mlv'), 'utf8')).toBe(first);
    expect(readFileSync(join(cwd, 'metrics.json'), 'utf8')).toBe(
      `{"bytes": ${readFileSync(join(cwd, 'model.bin')).length} }\n`,
    );

    for (const path of ['data', 'model.bin', 'metrics.json']) rmSync(join(cwd, path), { recursive: true });
    expect(await states(cwd)).toEqual(ALL('restored'));
    expect(ran(cwd)).toEqual([]);
    expect(await states(cwd)).toEqual(ALL('current'));
    expect(await states(cwd, '--force')).toEqual(ALL('ran'));
  });

  it('keeps content of an output that is in no object before it puts another in its place', async () => {
    const cwd = await project();
    await mlv(['repro'], { cwd });
    writeFiles(cwd, { 'model.bin': 'by hand\n', 'metrics.json': '{"bytes": 77}' });
    const { stdout, stderr } = await runMlv(['repro', '--json'], { cwd });
    expect(parseDocument('repro', stdout).stages[1]).toMatchObject({
      state: 'restored',
      reasons: ['model.bin was changed'],
    });
    const kept = [...stderr.matchAll(/'(.*)' held content .* as blake3:(..)([0-9a-f]{62})/g)].map(
      ([, path, folder = '', name = '']) => [
        path,
        readFileSync(join(cwd, '.git/mlv/objects/blake3', folder, name), 'utf8'),
      ],
    );
    expect(kept).toEqual([
      ['model.bin', 'by hand\n'],
      ['metrics.json', '{"bytes": 77}'],
    ]);
  });

  it('takes what somebody else ran from the remote', async () => {
    const cwd = await project();
    await mlv(['remote', 'add', 'storage', join(temporaryDirectory(), 'remote')], { cwd });
    await mlv(['repro'], { cwd });
    commitAll(cwd, 'first');
    await mlv(['push'], { cwd });
    writeFiles(cwd, { 'params.yaml': 'train: {lr: 9}\n' });
    await mlv(['repro'], { cwd });
    commitAll(cwd, 'second');
    await mlv(['push'], { cwd });

    const clone = cloneRepository(cwd);
    await mlv(['pull'], { cwd: clone });
    expect(await states(clone)).toEqual(ALL('current'));
    writeFiles(clone, { 'params.yaml': 'train: {lr: 1}\n' });
    expect(await states(clone)).toEqual({ prepare: 'current', train: 'restored', judge: 'restored' });
    expect(ran(clone)).toEqual([]);
  });

  it('records nothing of a stage that fails, and goes on with others when told to', async () => {
    const cwd = await project();
    const others = '  other:\n    cmd: echo 1 > other.bin\n    outs: [other.bin]\n';
    const yaml = readFileSync(join(cwd, 'mlv.yaml'), 'utf8').replace('cat data/train.csv params.yaml', 'exit 3; cat');
    writeFileSync(join(cwd, 'mlv.yaml'), yaml + others);
    const result = await runMlv(['repro', '--json', '--keep-going'], { cwd });
    expect(result.exitCode).toBe(1);
    const document = parseDocument('repro', result.stdout);
    expect(Object.fromEntries(document.stages.map(({ stage, state }) => [stage, state]))).toEqual({
      prepare: 'ran',
      train: 'failed',
      judge: 'skipped',
      other: 'ran',
    });
    expect(document.error).toMatchObject({ code: 'RUN_FAILED', data: { stage: 'train', exitCode: 3 } });
    expect(existsSync(join(cwd, 'model.bin.mlv'))).toBe(false);
    expect(ran(cwd)).toEqual(['prepare', 'train']);
    writeFileSync(
      join(cwd, 'mlv.yaml'),
      readFileSync(join(cwd, 'mlv.yaml'), 'utf8').replace('exit 3; cat', 'cat raw.csv'),
    );
    expect(await states(cwd)).toEqual({ prepare: 'current', train: 'ran', judge: 'ran', other: 'current' });
  });

  it('killed in the middle goes on where it was', async () => {
    const cwd = await project();
    const yaml = readFileSync(join(cwd, 'mlv.yaml'), 'utf8');
    const training = 'cat data/train.csv params.yaml > model.bin';
    const waiting = `echo half > model.bin; echo ready; while [ ! -f go ]; do sleep 0.05; done; ${training}; echo > over`;
    writeFileSync(join(cwd, 'mlv.yaml'), yaml.replace(training, waiting));
    const child = startMlv(['repro'], { cwd });
    const ended = collect(child);
    child.stdout.on('data', (text: Buffer) => {
      if (text.includes('ready')) child.kill('SIGKILL');
    });
    child.once('exit', () => writeFileSync(join(cwd, 'go'), ''));
    await ended;
    // The command of a killed mlv goes on by itself.
    await vi.waitFor(() => expect(existsSync(join(cwd, 'over'))).toBe(true), { timeout: 120_000 });
    expect(existsSync(join(cwd, 'model.bin.mlv'))).toBe(false);
    expect(await states(cwd)).toEqual({ prepare: 'current', train: 'ran', judge: 'ran' });
  });

  it('runs what does not need each other at once', async () => {
    const cwd = await makeMlvRepository();
    // Each waits for the other, so one after the other they would never end.
    const meet = (me: string, other: string) => `touch ${me}; while [ ! -f ${other} ]; do sleep 0.05; done; echo met`;
    appendFileSync(
      join(cwd, 'mlv.yaml'),
      `stages:\n  a: {cmd: "${meet('a', 'b')}", outs: [a]}\n  b: {cmd: "${meet('b', 'a')}", outs: [b]}\n`,
    );
    const result = await runMlv(['repro', '--jobs', '2'], { cwd });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stdout).toContain('a | met\n');
    expect(result.stdout).toContain('b | met\n');
    expect(await states(cwd)).toEqual({ a: 'current', b: 'current' });
  });

  it('says which dependency nothing makes, with its line, before anything runs', async () => {
    const cwd = await project();
    appendFileSync(join(cwd, 'mlv.yaml'), '  more:\n    cmd: "true"\n    deps: [nowhere.csv]\n');
    const result = await runMlv(['repro'], { cwd });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/mlv\.yaml:\d+: stage 'more' reads 'nowhere\.csv', which is not there/);
    expect(ran(cwd)).toEqual([]);
  });

  it('is shown by mlv dag', async () => {
    const cwd = await project();
    const document = parseDocument('dag', await mlv(['dag', 'train', '--json'], { cwd }));
    expect(document.stages.map(({ name, after }) => [name, after])).toEqual([
      ['prepare', []],
      ['train', ['prepare']],
    ]);
    expect(document.edges).toEqual([{ from: 'prepare', to: 'train', path: 'data' }]);
    expect(await mlv(['dag', '--mermaid'], { cwd })).toContain('s1 -- "data" --> s2');
    expect(await mlv(['dag', '--dot'], { cwd })).toContain('"train" -> "judge" [label="model.bin"];');
    expect((await runMlv(['dag', '--dot', '--mermaid'], { cwd })).exitCode).toBe(2);
  });
});
