import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { PYTHON, pathWithPython, pythonLacks } from '../helpers/python.js';
import { commitAll, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const lacks = pythonLacks('sklearn', 'numpy', 'yaml');

async function project(): Promise<{ cwd: string; env: Record<string, string> }> {
  const cwd = makeRepository();
  cpSync(join(fixtures, 'pipeline'), cwd, { recursive: true });
  mkdirSync(join(cwd, 'raw'));
  cpSync(join(fixtures, 'data/digits.csv'), join(cwd, 'raw/digits.csv'));
  await mlv(['init'], { cwd });
  await mlv(['add', 'raw/digits.csv'], { cwd });
  commitAll(cwd, 'start');
  return { cwd, env: { PATH: pathWithPython() } };
}

describe('the pipeline of scikit-learn in fixtures/pipeline', () => {
  it('is run once, after a change in part, and its model is the same again bit for bit', async ({ skip }) => {
    if (lacks !== undefined) return skip(`needs scikit-learn: ${lacks}`);
    const { cwd, env } = await project();
    const repro = async (...args: string[]) => {
      const result = await runMlv(['repro', '--json', ...args], { cwd, env });
      expect(result.exitCode, result.stderr).toBe(0);
      return parseDocument('repro', result.stdout).stages.map(({ state }) => state);
    };

    expect(await repro()).toEqual(['ran', 'ran']);
    const model = readFileSync(join(cwd, 'model.pkl'));
    const { accuracy } = JSON.parse(readFileSync(join(cwd, 'metrics.json'), 'utf8')) as { accuracy: number };
    expect(accuracy).toBeGreaterThan(0.85);
    expect(await repro()).toEqual(['current', 'current']);

    const params = readFileSync(join(cwd, 'params.yaml'), 'utf8');
    writeFileSync(join(cwd, 'params.yaml'), params.replace('trees: 10', 'trees: 5'));
    expect(await repro()).toEqual(['current', 'ran']);
    writeFileSync(join(cwd, 'params.yaml'), params);
    expect(await repro()).toEqual(['current', 'restored']);
    expect(readFileSync(join(cwd, 'model.pkl')).equals(model)).toBe(true);
    expect(await repro('--force')).toEqual(['ran', 'ran']);
    expect(readFileSync(join(cwd, 'model.pkl')).equals(model)).toBe(true);
  });
});

describe('python/mlv_log.py', () => {
  const script = (cwd: string, text: string) =>
    spawnSync(PYTHON, ['-c', text], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: join(fixtures, '../python'), PYTHONDONTWRITEBYTECODE: '1' },
    });

  it('writes what mlv run reads: the last value of each name, begun anew by each program', async ({ skip }) => {
    const absent = pythonLacks();
    if (absent !== undefined) return skip(`needs Python: ${absent}`);
    const cwd = makeRepository();
    await mlv(['init'], { cwd });
    writeFileSync(join(cwd, 'mlv_log.jsonl'), '{"metric": "of an earlier run", "value": 1}\n');
    const text = `
import mlv_log
mlv_log.params({"model": {"depth": 3, "sizes": (1, 2)}}, lr=0.1, nothing=None)
for step in range(5):
    mlv_log.metric("loss", 1 / (step + 1), step=step)
mlv_log.metrics(accuracy=0.5, größe=2)
`;
    writeFileSync(join(cwd, 'train.py'), text);
    const args = ['run', '--json', '-d', 'train.py', '-m', 'mlv_log.jsonl', '--', PYTHON, 'train.py'];
    const result = await runMlv(args, {
      cwd,
      env: { PYTHONPATH: join(fixtures, '../python'), PYTHONDONTWRITEBYTECODE: '1' },
    });
    expect(result.exitCode, result.stderr).toBe(0);
    expect(parseDocument('run', result.stdout).metrics).toEqual({
      loss: { value: 0.2, better: 'lower' },
      accuracy: { value: 0.5 },
      größe: { value: 2 },
    });
    expect(readFileSync(join(cwd, 'mlv_log.jsonl'), 'utf8').split('\n').slice(0, 2)).toEqual([
      '{"param": "model.depth", "value": 3}',
      '{"param": "model.sizes", "value": [1, 2]}',
    ]);
  });

  it('refuses what is no finite number', ({ skip }) => {
    const absent = pythonLacks();
    if (absent !== undefined) return skip(`needs Python: ${absent}`);
    const result = script(temporaryDirectory(), 'import mlv_log; mlv_log.metric("loss", float("nan"))');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("ValueError: the metric 'loss' is nan");
  });
});
