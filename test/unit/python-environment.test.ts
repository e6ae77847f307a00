import { createHash } from 'node:crypto';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPython } from '../../src/provenance/python-find.js';
import { compareEnvironment, planPackages, readWantedPython } from '../../src/provenance/python-plan.js';
import { readRecordedLock } from '../../src/provenance/read-lock.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

describe('recorded packages', () => {
  it('are names with versions, and the installer is none of them', () => {
    const { wanted, refused } = planPackages([
      'numpy==2.0.0',
      'torch==2.1.0+cu118',
      'x==1!2.0rc1',
      'pip==23.2',
      'Zope.Interface==6.0',
    ]);
    expect(wanted.map(({ name, version }) => `${name} ${version}`)).toEqual([
      'numpy 2.0.0',
      'torch 2.1.0+cu118',
      'x 1!2.0rc1',
      'Zope.Interface 6.0',
    ]);
    expect(refused).toEqual([]);
  });

  it('are never an option, a URL, a path, a second line or anything else', () => {
    const hostile = [
      '--index-url=http://evil.example==1.0',
      '-r==1.0',
      '-r /etc/passwd',
      'numpy==2.0.0 --index-url=http://evil.example',
      'numpy==2.0.0\n--index-url=http://evil.example',
      'numpy @ http://evil.example/numpy.whl',
      'numpy==@http://evil.example',
      'git+https://evil.example/x==1',
      '../../evil==1.0',
      './evil==1.0',
      'numpy==1.0;python_version>"3"',
      'numpy==1.0,!=2',
      'numpy===1.0',
      'numpy>=1.0',
      'numpy',
      '==1.0',
      'numpy==',
      'numpy==-1',
      'numpy==${HOME}',
      'numpy==1.*',
      `${'a'.repeat(200)}==1`,
      7,
      null,
      { name: 'numpy' },
    ];
    expect(planPackages(hostile)).toEqual({ wanted: [], refused: hostile.map((each) => String(each).slice(0, 200)) });
  });

  it('are compared by the names that an index knows', () => {
    const { wanted } = planPackages(['Scikit_Learn==1.5', 'numpy==2.0', 'gone==1.0']);
    expect(compareEnvironment(wanted, ['scikit-learn==1.5', 'numpy==2.1', 'more==1'])).toEqual({
      missing: ['gone==1.0'],
      other: [{ name: 'numpy', before: '2.0', after: '2.1' }],
    });
  });
});

describe('a recorded Python', () => {
  it('has a version, its minor one, and an implementation', () => {
    expect(readWantedPython('3.11.7')).toEqual({ version: '3.11.7', minor: '3.11', implementation: 'cpython' });
    expect(readWantedPython('3.10.13 (pypy)')).toMatchObject({ minor: '3.10', implementation: 'pypy' });
    expect(readWantedPython('3.14.0rc2')).toMatchObject({ version: '3.14.0rc2', minor: '3.14' });
    for (const text of [undefined, '', '3', '--help', '/bin/sh', '3.11; rm', '3.11.7 (../x)', 3.11]) {
      expect(readWantedPython(text)).toBeUndefined();
    }
  });

  function programs(given: Record<string, string>): { env: NodeJS.ProcessEnv; home: string } {
    const home = temporaryDirectory('programs');
    for (const [name, text] of Object.entries(given)) {
      writeFileSync(join(home, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(home, name), 0o755);
    }
    return { env: { PATH: home }, home };
  }
  const python = (version: string, path = '/there/python') => `echo ${version} cpython ${path}`;
  const wanted = { version: '3.11.7', minor: '3.11', implementation: 'cpython' };

  it('is taken of the same minor version, the very same version before others', async () => {
    const surroundings = programs({
      'python3.11': python('3.11.9'),
      python3: python('3.11.7', '/other/python'),
      python: 'exit 1',
    });
    expect(await findPython(wanted, { ...surroundings, anyPython: false })).toEqual({
      kind: 'venv',
      program: '/other/python',
      version: '3.11.7',
    });
  });

  it('is not replaced by another minor version unless that was asked for', async () => {
    const surroundings = programs({ python3: python('3.12.1') });
    await expect(findPython(wanted, { ...surroundings, anyPython: false })).rejects.toMatchObject({
      code: 'ENVIRONMENT_FAILED',
      data: { wanted: '3.11.7', found: ['3.12.1'] },
    });
    expect(await findPython(wanted, { ...surroundings, anyPython: true })).toMatchObject({ version: '3.12.1' });
  });

  it('is asked of uv first, which may get it', async () => {
    const { env, home } = programs({ python: 'exit 1' });
    const state = join(home, 'state');
    const uv = `case "$1 $2" in "python find") test -e ${state} && echo ${home}/uv-python || exit 2;; "python install") : > ${state};; esac`;
    for (const [name, text] of Object.entries({ uv, 'uv-python': python('3.11.7', `${home}/uv-python`) })) {
      writeFileSync(join(home, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const found = await findPython(wanted, { env, home, anyPython: false });
    expect(found).toEqual({ kind: 'uv', program: `${home}/uv-python`, version: '3.11.7' });
  });
});

describe('a recorded lock file', () => {
  const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const at = (files: Record<string, string>) => {
    const worktree = temporaryDirectory('tree');
    writeFiles(worktree, files);
    return { layout: { worktree } } as never;
  };
  const uv = `version = 1
[[package]]
name = "numpy"
version = "2.0.0"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "mine"
version = "0.1"
source = { editable = "." }
`;
  const requirements = `# pinned\n--index-url http://evil.example\nnumpy==2.0.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\npandas[excel]==2.2 ; python_version > "3"\n-e .\nscipy>=1\n`;

  it('gives what it pins, and names what it takes from elsewhere', async () => {
    expect(await readRecordedLock(at({ 'a/uv.lock': uv }), { 'a/uv.lock': digest(uv) })).toEqual({
      path: 'a/uv.lock',
      packages: ['numpy==2.0.0'],
      leftOut: ['mine'],
    });
    expect(
      await readRecordedLock(at({ 'requirements.txt': requirements }), { 'requirements.txt': digest(requirements) }),
    ).toEqual({
      path: 'requirements.txt',
      packages: ['numpy==2.0.0', 'pandas==2.2'],
      leftOut: ['--index-url http://evil.example', '-e .', 'scipy>=1'],
    });
  });

  it('is passed over where it has other bytes, is a link, lies outside or cannot be read', async () => {
    const tree = at({ 'uv.lock': `${uv}\n`, 'poetry.lock': '[[[', 'sub/uv.lock': uv });
    symlinkSync('sub/uv.lock', join((tree as { layout: { worktree: string } }).layout.worktree, 'requirements.txt'));
    const locks = {
      'uv.lock': digest(uv),
      'poetry.lock': digest('[[['),
      'requirements.txt': digest(uv),
      '../uv.lock': digest(uv),
      'none/uv.lock': digest(uv),
    };
    expect(await readRecordedLock(tree, locks)).toBeUndefined();
  });
});
