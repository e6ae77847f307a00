import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { PYTHON, pythonLacks } from '../helpers/python.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const lacks = pythonLacks('venv', 'ensurepip');
/** Writes a wheel (which is a ZIP file) of a module that knows its version, and unpacks it into a directory where one is named. */
const WHEEL = `
import sys, zipfile
name, version, out, into = sys.argv[1:5]
path, info = f"{out}/{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr(f"{name}.py", f"VERSION = {version!r}\\n")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", "")
zipfile.ZipFile(path).extractall(into)
`;

function python(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(PYTHON, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** A version that was trained in an environment with two packages, of which the index has lost one since. */
async function trained(): Promise<{ cwd: string; env: Record<string, string> }> {
  const cwd = await makeMlvRepository({ 'train.py': 'import lucky\nopen("model.txt", "w").write(lucky.VERSION)\n' });
  const [used, wheels] = [join(temporaryDirectory('used'), 'venv'), temporaryDirectory('wheels')];
  python('-m', 'venv', '--without-pip', used);
  const own = spawnSync(join(used, 'bin/python'), ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']);
  const packages = String(own.stdout).trim();
  for (const [name, version] of [
    ['lucky', '1.0'],
    ['lost', '2.0'],
  ] as const) {
    python('-c', WHEEL, name, version, wheels, packages);
  }
  rmSync(join(wheels, 'lost-2.0-py3-none-any.whl'));
  python('-c', WHEEL, 'lucky', '3.0', wheels, temporaryDirectory('nowhere'));
  const path = `${join(used, 'bin')}:${process.env.PATH}`;
  await mlv(['run', '-d', 'train.py', '-o', 'model.txt', '--', 'python', 'train.py'], {
    cwd,
    env: { VIRTUAL_ENV: used, PATH: path },
  });
  commitAll(cwd, 'train');
  await mlv(['register', 'fraud', 'model.txt'], { cwd });
  return { cwd, env: { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, UV_NO_INDEX: '1', UV_FIND_LINKS: wheels } };
}

describe('mlv restore --env', () => {
  it('makes the recorded environment, names what it lacks, and reproduces in it', async ({ skip }) => {
    if (lacks !== undefined) return skip(`needs venv: ${lacks}`);
    const { cwd, env } = await trained();
    const to = join(temporaryDirectory('restored'), 'fraud');
    const result = await runMlv(['restore', 'fraud@1.0.0', '--env', '--to', to, '--json'], { cwd, env });
    expect(result.exitCode, result.stderr).toBe(4);
    const { environment } = parseDocument('restore', result.stdout);
    expect(environment).toMatchObject({ missing: ['lost==2.0'], other: [], same: false });
    expect(JSON.parse(result.stdout).error).toMatchObject({ code: 'PACKAGES_MISSING', data: { paths: ['lost==2.0'] } });
    const inside = spawnSync(join(to, '.venv/bin/python'), ['-c', 'import lucky; print(lucky.VERSION)'], {
      encoding: 'utf8',
    });
    expect(inside.stdout).toBe('1.0\n');
    expect(git(to, 'status', '--short')).toBe('');

    // What an interrupt left, or time, is made anew; what mlv did not make is left alone.
    rmSync(join(to, '.venv/bin'), { recursive: true });
    expect((await runMlv(['restore', 'fraud@1.0.0', '--env', '--to', to], { cwd, env })).exitCode).toBe(4);
    expect(existsSync(join(to, '.venv/bin/python'))).toBe(true);
    rmSync(join(to, '.venv'), { recursive: true });
    mkdirSync(join(to, '.venv'));
    writeFileSync(join(to, '.venv/mine'), 'mine');
    const foreign = await runMlv(['restore', 'fraud@1.0.0', '--env', '--to', to], { cwd, env });
    expect([foreign.exitCode, foreign.stderr]).toEqual([1, expect.stringContaining('mlv did not make it')]);
    expect(readFileSync(join(to, '.venv/mine'), 'utf8')).toBe('mine');

    const again = await runMlv(['reproduce', 'fraud@1.0.0', '--env', '--no-record', '--json'], { cwd, env });
    expect(again.exitCode, again.stderr).toBe(0);
    expect(parseDocument('reproduce', again.stdout)).toMatchObject({
      verdict: 'bit-identical',
      notes: ['the Python environment that was made is not the one that was recorded'],
    });
  });

  it('says what is missing where the recorded Python is not there, and leaves the restored tree', async () => {
    const cwd = await makeMlvRepository({ 'model.txt': 'model' });
    const programs = temporaryDirectory('programs');
    const answer = JSON.stringify({ version: '2.6.1', implementation: 'cpython', packages: [['x', '1.0']] });
    writeFiles(programs, { python3: `#!/bin/sh\nprintf '%s' '${answer}'\n` });
    spawnSync('chmod', ['+x', join(programs, 'python3')]);
    await mlv(['add', 'model.txt'], { cwd });
    commitAll(cwd, 'model');
    await mlv(['register', 'fraud', 'model.txt'], { cwd, env: { PATH: `${programs}:${process.env.PATH}` } });
    const to = join(temporaryDirectory('restored'), 'fraud');
    const result = await runMlv(['restore', 'fraud@1.0.0', '--env', '--to', to], { cwd });
    expect([result.exitCode, result.stderr]).toEqual([1, expect.stringContaining('Python 2.6 is not here')]);
    expect(readFileSync(join(to, 'model.txt'), 'utf8')).toBe('model');
    expect(existsSync(join(to, '.venv'))).toBe(false);
  });
});
