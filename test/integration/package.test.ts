import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface LockedPackage {
  dev?: boolean;
  hasInstallScript?: boolean;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};

describe('the package', () => {
  it('holds the program, its documents and formats, the Python log, README, LICENSE and nothing else', () => {
    const directory = temporaryDirectory('package');
    for (const name of ['package.json', '.npmignore', '.npmrc', 'LICENSE', 'bin', 'tsconfig.json', 'biome.json']) {
      cpSync(join(root, name), join(directory, name), { recursive: true });
    }
    const others = [
      'src/cli/main.ts',
      'test/a.test.ts',
      'docs/img/a.md',
      'fixtures/a',
      'bench/a',
      'python/__pycache__/mlv_log.pyc',
      'python/other.py',
      '.ci/run',
    ];
    const wanted = ['README.md', 'dist/cli/main.js', 'docs/formats/pointer.md', 'docs/guide.md', 'python/mlv_log.py'];
    for (const path of [...wanted, ...others, '.env', 'secret.pem', 'mlv.yaml', 'package-lock.json']) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), 'x\n');
    }

    const packed = packedFiles(directory);

    expect(packed).toEqual([...wanted, 'LICENSE', 'bin/mlv.js', 'bin/package.json', 'package.json'].sort());
  });

  it('needs no install script of a dependency, since npm 11 runs none', () => {
    const production = Object.entries(lock.packages).filter(([, entry]) => !entry.dev);
    expect(production.length).toBeGreaterThan(10);
    const names = production.filter(([, entry]) => entry.hasInstallScript).map(([name]) => name);
    // ssh2 compiles faster ciphers where it can. It prefers those of Node, and the SFTP tests run without them.
    expect(names.filter((name) => !/^node_modules\/(?:ssh2|cpu-features)$/.test(name))).toEqual([]);
  });

  it('is locked with the binaries of every platform, without which `npm ci` of npm 11 refuses the lock file', () => {
    const absent = Object.entries(lock.packages).flatMap(([parent, entry]) =>
      Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${parent}/node_modules/${name}`])
        .map((name) => `${name}, for ${parent}`),
    );
    expect(absent).toEqual([]);
  });

  it('is locked without addresses, so that it installs from whichever registry npm is set up for', () => {
    expect(Object.keys(lock.packages).filter((name) => lock.packages[name]?.resolved !== undefined)).toEqual([]);
  });
});

function packedFiles(directory: string): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const result = spawnSync('npm', args, { cwd: directory, encoding: 'utf8', shell: process.platform === 'win32' });
  expect(result.status, result.stderr).toBe(0);
  // npm 11 prints a list, npm 12 an object by package name.
  const report = JSON.parse(result.stdout) as Record<string, { files: Array<{ path: string }> }>;
  return (Object.values(report)[0]?.files ?? []).map((file) => file.path).sort();
}
