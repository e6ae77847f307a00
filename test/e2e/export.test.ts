import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryBeside } from '../../src/workspace/workspace-temporary.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { PYTHON, pythonLacks } from '../helpers/python.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const validator = fileURLToPath(new URL('../python/validate_export.py', import.meta.url));
const FORMATS = ['in-toto', 'slsa', 'cyclonedx', 'spdx', 'hf-card', 'ro-crate'] as const;

/** A model that a run made, registered and promoted, in a repository with a Git remote whose URL holds a password. */
async function registered(): Promise<string> {
  const cwd = await makeMlvRepository({
    'raw/a.csv': '1\n',
    'raw/b.csv': '2\n',
    'train.sh': 'cat raw/*.csv > model.bin; echo \'{"auc": 0.9, "loss": 0.1}\' > metrics.json\n',
    'params.yaml': 'seed: 1\nmodel: {depth: 3, name: "x \\u202e y"}\n',
  });
  const options = { cwd };
  await mlv(['add', '-q', 'raw'], options);
  commitAll(cwd);
  const train = ['-d', 'raw', '-d', 'train.sh', '-p', 'params.yaml', '-o', 'model.bin', '-m', 'metrics.json'];
  await mlv(['run', '-q', '-n', 'train', ...train, '--', '/bin/sh', join(cwd, 'train.sh')], options);
  commitAll(cwd);
  git(cwd, 'remote', 'add', 'origin', 'https://ada:s3cr3t@git.example.com/team/fraud.git');
  const facts = ['--data', 'raw', '--params', 'params.yaml', '--metrics', 'metrics.json', '--licence', 'apache-2.0'];
  const words = ['--description', 'Scores <b>payments</b>', '--owner', 'Ada <ada@example.com>'];
  await mlv(['register', 'fraud', 'model.bin', ...facts, ...words, '--version', '1.4.0', '--no-push'], options);
  await mlv(['promote', 'fraud@1.4.0', 'production', '--no-push'], options);
  return cwd;
}

/** What the published reader of a format says of a document; a refusal fails the test. */
function readByPython(format: string, path: string): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, [validator, format, path], { encoding: 'utf8' });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout.trim().split('\n').at(-1) ?? '';
}

describe('export', () => {
  let cwd: string;
  let out: string;
  beforeAll(async () => {
    cwd = await registered();
    out = temporaryDirectory('exported');
    for (const format of FORMATS) {
      await mlv(['export', 'fraud@production', '--format', format, '-o', join(out, `${format}.md`)], { cwd });
    }
  });

  it('prints what it writes, twice the same, without a credential or a path of this machine', async () => {
    for (const format of FORMATS) {
      const written = readFileSync(join(out, `${format}.md`), 'utf8');
      const printed = await runMlv(['export', 'fraud@1.4.0', '--format', format], { cwd });
      expect(printed).toMatchObject({ stdout: written, stderr: '', exitCode: 0 });
      expect(written).not.toContain('s3cr3t');
      expect(written).not.toContain(cwd);
      expect(written).not.toContain('\u202e');
      const json = parseDocument('export', await mlv(['export', 'fraud', '--format', format, '--json'], { cwd }));
      expect(json.digest).toBe(`sha256:${createHash('sha256').update(written).digest('hex')}`);
      expect(json.reference).toBe('fraud@1.4.0');
    }
  });

  it('names the model, its data, the code and the run by their digests', () => {
    const sha256 = createHash('sha256')
      .update(readFileSync(join(cwd, 'model.bin')))
      .digest('hex');
    const commit = git(cwd, 'rev-parse', 'fraud@1.4.0^{commit}').trim();
    const slsa = JSON.parse(readFileSync(join(out, 'slsa.md'), 'utf8'));
    expect(slsa.subject).toMatchObject([{ name: 'model.bin', digest: { sha256 } }]);
    const { resolvedDependencies, externalParameters } = slsa.predicate.buildDefinition;
    expect(resolvedDependencies.map((each: { name: string }) => each.name)).toEqual(['raw', 'train.sh', 'code']);
    expect(resolvedDependencies[2]).toMatchObject({
      uri: `git+https://git.example.com/team/fraud.git@${commit}`,
      digest: { gitCommit: commit },
    });
    expect(externalParameters).toMatchObject({
      command: ['/bin/sh', 'train.sh'],
      params: { 'model.depth': 3, seed: 1 },
    });
  });

  it('a tracked file is exported from the run that made it; a file that no run made is not, and neither is its card', async () => {
    const text = await mlv(['export', 'model.bin', '--format', 'in-toto'], { cwd });
    expect(JSON.parse(text)).toMatchObject({ subject: [{ name: 'model.bin' }], predicate: { name: 'train' } });
    const none = await runMlv(['export', 'raw', '--format', 'in-toto'], { cwd });
    expect(none).toMatchObject({
      stdout: '',
      exitCode: 4,
      stderr: expect.stringContaining("no run is known that made 'raw'"),
    });
    const card = await runMlv(['export', 'model.bin', '--format', 'hf-card'], { cwd });
    expect([card.exitCode, card.stderr]).toEqual([2, expect.stringContaining('mlv register')]);
  });

  it('overwrites nothing unasked, and leaves nothing half-written where an artifact is missing', async () => {
    const file = join(out, 'slsa.md');
    const again = await runMlv(['export', 'fraud', '--format', 'slsa', '-o', file], { cwd });
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('--force')]);
    expect(await mlv(['export', 'fraud', '--format', 'slsa', '-o', file, '--force'], { cwd })).toContain('wrote slsa');
    const named = await runMlv(['export', 'fraud', '--format', 'mlflow'], { cwd });
    expect([named.exitCode, named.stderr]).toEqual([2, expect.stringContaining('--output')]);
    const clone = join(temporaryDirectory('clone'), 'fraud');
    git(cwd, 'clone', '--quiet', cwd, clone);
    git(clone, 'fetch', '--quiet', 'origin', 'mlv-registry:mlv-registry');
    const lacking = await runMlv(['export', 'fraud@1.4.0', '--format', 'mlflow', '-o', '../flow'], { cwd: clone });
    expect([lacking.exitCode, lacking.stderr]).toEqual([4, expect.stringMatching(/not in the cache/)]);
    expect(existsSync(join(clone, '../flow'))).toBe(false);
    const slsa = await runMlv(['export', 'fraud@1.4.0', '--format', 'slsa'], { cwd: clone });
    expect([slsa.exitCode, slsa.stderr]).toEqual([0, expect.stringContaining('record of the run is not in the cache')]);
    expect(JSON.parse(slsa.stdout).predicate.buildDefinition.buildType).toBe('urn:mlv:build:registered:v1');
  });

  it.each([
    ['in-toto', 'in_toto_attestation'],
    ['slsa', 'in_toto_attestation'],
    ['spdx', 'spdx_python_model'],
    ['hf-card', 'huggingface_hub'],
  ])('%s is read by %s of PyPI', (format, module) => {
    const lacks = pythonLacks(module);
    if (lacks !== undefined) return void console.log(`passed over: ${lacks}`);
    const said = readByPython(format, join(out, `${format}.md`));
    if (format === 'hf-card') {
      expect(JSON.parse(said)).toEqual({
        license: 'apache-2.0',
        results: [
          { metric: 'auc', value: 0.9, dataset: 'raw' },
          { metric: 'loss', value: 0.1, dataset: 'raw' },
        ],
      });
    }
  });

  it('ro-crate makes a crate of the restored version, by the validator of its profiles', async ({ skip }) => {
    const lacks = pythonLacks('rocrate_validator');
    if (lacks !== undefined) return skip(lacks);
    const crate = join(temporaryDirectory('crate'), 'fraud');
    await mlv(['restore', 'fraud@1.4.0', '--to', crate], { cwd });
    await mlv(['export', 'fraud@1.4.0', '--format', 'ro-crate', '-o', crate], { cwd });
    rmSync(join(crate, '.git'), { force: true });
    readByPython('ro-crate', crate);
  });

  it('mlflow is a directory with the artifacts, which MLflow reads as a run and a registered model', async ({
    skip,
  }) => {
    const directory = join(out, 'flow');
    // What one that was killed left.
    const gone = temporaryBeside(directory).replace(
      `-${process.pid}-`,
      `-${spawnSync(process.execPath, ['-e', '']).pid}-`,
    );
    mkdirSync(join(gone, 'mlruns'), { recursive: true });
    await mlv(['export', 'fraud@1.4.0', '--format', 'mlflow', '-o', directory], { cwd });
    const { experiment, run } = parseDocument(
      'export',
      await mlv(['export', 'fraud@1.4.0', '--format', 'mlflow', '-o', join(out, 'flow2'), '--json'], { cwd }),
    );
    expect(existsSync(gone)).toBe(false);
    const model = join(directory, `mlruns/${experiment}/${run}/artifacts/model/model.bin`);
    expect(readFileSync(model)).toEqual(readFileSync(join(cwd, 'model.bin')));
    expect(spawnSync('diff', ['-r', directory, join(out, 'flow2')]).status).toBe(0);
    const lacks = pythonLacks('mlflow');
    if (lacks !== undefined) return skip(lacks);
    expect(JSON.parse(readByPython('mlflow', directory))).toMatchObject({
      experiment: 'fraud',
      status: 'FINISHED',
      params: { 'model.depth': '3', seed: '1' },
      metrics: { auc: 0.9, loss: 0.1 },
      tags: { 'mlv.reference': 'fraud@1.4.0', 'mlflow.note.content': 'Scores <b>payments</b>' },
      artifacts: ['model/MLmodel', 'model/model.bin'],
      flavors: ['mlv'],
      models: { fraud: { production: '1' } },
    });
  });
});
