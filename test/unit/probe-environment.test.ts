import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostClass } from '../../src/provenance/environment.js';
import { probeEnvironment } from '../../src/provenance/probe-environment.js';
import { readNvidia } from '../../src/provenance/probe-gpu.js';
import { probeLocks } from '../../src/provenance/probe-locks.js';
import { readPython } from '../../src/provenance/probe-python.js';
import { recordedVariables } from '../../src/provenance/probe-variables.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** A directory for the PATH with programs that print a text. */
function fakePrograms(programs: Record<string, string>): string {
  const directory = temporaryDirectory('programs');
  for (const [name, script] of Object.entries(programs)) {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  return directory;
}

describe('the environment probe', () => {
  it('reads programs that are there, and names the parts that are not', async () => {
    const python = '{"version": "3.12.1", "implementation": "cpython", "packages": [["numpy", "2.0.0"]]}';
    const path = fakePrograms({
      python3: `printf '%s' '${python}'`,
      'nvidia-smi': 'if [ -n "$1" ]; then echo "NVIDIA H100, 550.54"; else echo "| CUDA Version: 12.4 |"; fi',
    });

    const found = await probeEnvironment({ cwd: temporaryDirectory(), env: { PATH: path }, limitMs: 60_000 });

    expect(found).toMatchObject({ gpus: ['NVIDIA H100'], driver: '550.54', cuda: '12.4', python: '3.12.1' });
    expect(found.packages).toEqual(['numpy==2.0.0']);
    expect(found.cores).toBeGreaterThan(0);
    expect(found.memory).toBeGreaterThan(0);
    expect(found.absent).toEqual(expect.arrayContaining(['locks', 'node', 'r']));
    expect(found.node).toBeUndefined();
  });

  it('gives up a program that does not answer, and says so', async () => {
    const path = fakePrograms({ python3: '/bin/sleep 20; true' });

    const found = await probeEnvironment({ cwd: temporaryDirectory(), env: { PATH: path }, limitMs: 100 });

    expect(found.absent).toContain('python (no answer within 0.1 s)');
  });

  it('asks the given virtual environment before the PATH', async () => {
    const path = fakePrograms({ python3: `echo '{"version":"1.0","implementation":"cpython","packages":[]}'` });
    const venv = temporaryDirectory('venv');
    mkdirSync(join(venv, 'bin'));
    symlinkSync(
      join(fakePrograms({ p: `echo '{"version":"2.0","implementation":"pypy","packages":[]}'` }), 'p'),
      join(venv, 'bin', 'python'),
    );

    const env = { PATH: path };
    const found = await probeEnvironment({ cwd: venv, env, limitMs: 60_000, virtualEnvironment: venv });

    expect(found.python).toBe('2.0 (pypy)');
  });

  it('does not let files of the project stand in for the library of Python', async () => {
    const cwd = temporaryDirectory('hostile');
    writeFileSync(join(cwd, 'json.py'), `open(${JSON.stringify(join(cwd, 'ran'))}, 'w')\n`);

    await probeEnvironment({ cwd, env: { PATH: process.env.PATH }, limitMs: 60_000 });

    expect(() => chmodSync(join(cwd, 'ran'), 0o600)).toThrow(/ENOENT/);
  });

  it('keeps variables that decide results and never a secret', () => {
    const env = { PYTHONHASHSEED: '0', MY_MODE: 'http://user:pass@proxy/', AWS_SECRET_ACCESS_KEY: 'x', API_TOKEN: 'y' };
    const found = recordedVariables(env, ['MY_MODE', 'AWS_SECRET_ACCESS_KEY', 'API_TOKEN']);
    expect(found).toEqual({ MY_MODE: 'http://***@proxy/', PYTHONHASHSEED: '0' });
  });

  it('hashes lock files up to the top and follows no link', () => {
    const top = temporaryDirectory('top');
    mkdirSync(join(top, 'service'));
    writeFileSync(join(top, 'uv.lock'), '');
    writeFileSync(join(top, 'service', 'requirements-dev.txt'), 'abc');
    symlinkSync('/etc/hostname', join(top, 'poetry.lock'));
    expect(probeLocks(join(top, 'service'), top)).toEqual({
      'service/requirements-dev.txt': 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      'uv.lock': 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    });
  });

  it('takes no answer for a crash', () => {
    expect(readPython('Segmentation fault')).toEqual({ absent: ['python (it did not answer as expected)'] });
    expect(readNvidia('', '')).toEqual({ gpus: [], absent: ['cuda'] });
  });

  it('names the class of a host', () => {
    expect(hostClass({ cpu: 'Xeon', cores: 8, memory: 64 * 1024 ** 3, gpus: ['A100', 'A100'] })).toBe(
      '8 × Xeon, 64 GiB, 2 × A100',
    );
    expect(hostClass({})).toBe('no GPU');
  });
});
