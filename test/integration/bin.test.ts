import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the starter with a program of our own in place of `dist/cli/main.js`, or none. */
function layOut(program?: string): string {
  const directory = temporaryDirectory('bin');
  write(join(directory, 'bin', 'mlv.js'), readFileSync(join(root, 'bin', 'mlv.js'), 'utf8'));
  copyFileSync(join(root, 'bin', 'package.json'), join(directory, 'bin', 'package.json'));
  copyFileSync(join(root, 'package.json'), join(directory, 'package.json'));
  if (program !== undefined) {
    write(join(directory, 'dist', 'cli', 'package.json'), '{ "type": "commonjs" }');
    write(
      join(directory, 'dist', 'cli', 'start.js'),
      'exports.load = (name) => require(`./${name}`);\nexports.leave = () => {};\n',
    );
    write(join(directory, 'dist', 'cli', 'main.js'), program);
  }
  return directory;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function run(directory: string, args: string[], nodeOptions: string[] = []) {
  return spawnSync(process.execPath, [...nodeOptions, join(directory, 'bin', 'mlv.js'), ...args], { encoding: 'utf8' });
}

describe('bin/mlv.js', () => {
  const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;

  it.each(['--version', '-V'])('answers %s without the program', (flag) => {
    const result = run(layOut(), [flag]);
    expect([result.status, result.stdout, result.stderr]).toEqual([0, `${version}\n`, '']);
  });

  it('says what to run when the checkout is not built', () => {
    const result = run(layOut(), ['status']);
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('npm run build');
  });

  it('hands the arguments over and ends with the exit code that the program gives', () => {
    const program = 'exports.main = async (args) => (console.log(JSON.stringify(args)), 5);\n';
    const result = run(layOut(program), ['add', '--', '-x', 'a b']);
    expect([result.status, result.stdout]).toEqual([5, '["add","--","-x","a b"]\n']);
  });

  it('prints one line when the program cannot be loaded, and the stack with --debug', () => {
    const directory = layOut("require('a-package-that-is-not-installed');\n");
    const plain = run(directory, ['status']);
    expect(plain.status).toBe(1);
    expect(plain.stderr).toMatch(/^mlv: cannot start: .*a-package-that-is-not-installed/);
    expect(plain.stderr).not.toMatch(/^ {4}at /m);
    expect(run(directory, ['status', '--debug']).stderr).toMatch(/^ {4}at /m);
  });

  it.each([
    ['18.20.8', 1],
    ['20.18.3', 1],
    ['20.19.0', 0],
    ['24.0.0', 0],
  ])('on Node %s ends with %i', (node, status) => {
    const directory = layOut();
    const pretend = join(directory, 'pretend.cjs');
    const versions = `{ ...process.versions, node: '${node}' }`;
    writeFileSync(pretend, `Object.defineProperty(process, 'versions', { value: ${versions} });\n`);
    const result = run(directory, ['--version'], ['--require', pretend]);
    expect(result.status).toBe(status);
    expect(result.stderr).toEqual(
      status === 0 ? '' : expect.stringContaining(`Node 20.19 or newer is needed, this is ${node}`),
    );
  });
});
