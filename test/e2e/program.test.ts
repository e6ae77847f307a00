import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { VERB_GROUPS } from '../../src/cli/program.js';
import { cleanEnvironment, collect, MLV_BIN, mlv, runMlv, startMlv } from '../helpers/cli.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const verbs = VERB_GROUPS.flatMap((group) => group.verbs)
  .filter(({ hidden }) => !hidden)
  .map(({ usage }) => usage.split(' ')[0] as string);

describe('help and usage', () => {
  it('prints the help that the build wrote word for word as the program would', async () => {
    const cwd = temporaryDirectory('nowhere');
    const [written, made] = await Promise.all([mlv(['--help'], { cwd }), mlv(['--no-color', '--help'], { cwd })]);
    expect(written).toContain('status');
    expect(written).toBe(made);
  });

  it('prints the verbs without arguments, with --help and with help', async () => {
    const cwd = temporaryDirectory();
    const [none, flag, verb] = await Promise.all([[], ['--help'], ['help']].map((args) => mlv(args, { cwd })));
    expect(none).toBe(flag);
    expect(none).toBe(verb);
    for (const name of verbs) expect(none).toMatch(new RegExp(`^ {2}${name}[ \\n]`, 'm'));
  });

  it('prints options, examples and exit codes of one verb, also of one below another', async () => {
    const cwd = temporaryDirectory();
    const [help, flag, nested] = await Promise.all(
      [
        ['help', 'checkout'],
        ['checkout', '--help'],
        ['help', 'remote', 'add'],
      ].map((args) => mlv(args, { cwd })),
    );
    expect(help).toBe(flag);
    expect(help).toMatch(/--force[\s\S]*Examples:[\s\S]*mlv checkout[\s\S]*Exit codes:[\s\S]*4 {2}/);
    expect(nested).toContain('--path-style');
  });

  it('answers every kind of wrong command line with exit code 2 and the way out', async () => {
    const cwd = temporaryDirectory();
    const cases: [args: string[], words: string][] = [
      [['statsu'], 'did you mean status?'],
      [['add'], "missing required argument 'path'"],
      [['add', '--stag', 'x'], 'did you mean --stage?'],
      [['mv', 'a', 'b', 'c'], 'too many arguments'],
      [['init', '--hash', 'md5'], 'blake3, sha256'],
      [['completion', 'tcsh'], 'bash, zsh, fish'],
      [['help', 'nothing'], 'unknown command'],
      [['gc', '--dry-run', '--yes'], 'contradict'],
    ];
    const results = await Promise.all(cases.map(([args]) => runMlv(args, { cwd })));
    for (const [at, [args, words]] of cases.entries()) {
      expect([args, results[at]?.exitCode, results[at]?.stdout]).toEqual([args, 2, '']);
      expect(results[at]?.stderr).toContain(words);
    }
    const json = await runMlv(['statsu', '--json'], { cwd });
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'USAGE', hint: 'did you mean status?' } });
  });
});

describe('output', () => {
  it.each([
    [['pull', '-f'], 'did you mean --force?'],
    [['pull', '--threads', '3'], 'did you mean --jobs?'],
    [['push', '--tags'], 'did you mean --all-tags?'],
    [['ls', '-R'], 'did you mean --recursive?'],
    [['upload'], 'did you mean mlv push?'],
    [['install'], 'did you mean mlv hooks install?'],
    [['commit'], 'did you mean git add and git commit, which record pointers?'],
    [['remote', 'rm', 'x'], 'did you mean mlv remote remove?'],
    [['remote', '-v'], 'did you mean mlv remote list?'],
    [['config', '--list'], 'did you mean mlv config list?'],
    [['config', 'core.jobs'], 'did you mean mlv config get core.jobs, or mlv config set'],
    [['push', '-Z'], 'mlv help push'],
  ])('knows what other tools call it: %j', async (args, hint) => {
    const result = await runMlv(args, { cwd: temporaryDirectory() });
    expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining(hint)]);
  });

  it('prints stacks only with --debug', async () => {
    const cwd = temporaryDirectory();
    const [plain, debug] = await Promise.all([runMlv(['status'], { cwd }), runMlv(['--debug', 'status'], { cwd })]);
    expect(plain.stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(debug.stderr).toMatch(/NOT_A_GIT_REPOSITORY[\s\S]*^ {4}at /m);
  });

  it('is what was asked for and nothing else with --quiet', async () => {
    const cwd = await makeMlvRepository({ model: 'm' });
    expect(await runMlv(['-q', 'add', 'model'], { cwd })).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    expect(await runMlv(['ls', '--quiet'], { cwd })).toMatchObject({ stdout: 'model\n', stderr: '' });
    expect((await runMlv(['-q', 'ls', 'nope'], { cwd })).stderr).not.toBe('');
  });

  it('is silent when its reader goes away, and fails when it cannot be written', async () => {
    const cwd = await makeMlvRepository();
    writeFiles(
      cwd,
      Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`data/${'long-name'.repeat(10)}-${at}`, ''])),
    );
    await mlv(['add', 'data'], { cwd });
    const shell = spawnSync('bash', ['-c', 'set -o pipefail; "$0" "$1" ls data | head -1', process.execPath, MLV_BIN], {
      cwd,
      env: cleanEnvironment(),
      encoding: 'utf8',
    });
    expect([shell.status, shell.stderr]).toEqual([0, '']);
    expect(shell.stdout.split('\n')).toHaveLength(2);
    if (process.platform !== 'linux') return;
    const full = spawnSync(process.execPath, [MLV_BIN, 'ls', 'data'], {
      cwd,
      env: cleanEnvironment(),
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    });
    expect([full.status, full.stderr.toString()]).toEqual([1, expect.stringContaining('no space is left')]);
  });

  it('has colours only on request of the environment, and never against NO_COLOR or --no-color', async () => {
    const cwd = await makeMlvRepository({ model: 'm' });
    await mlv(['add', 'model'], { cwd });
    writeFiles(cwd, { model: 'changed' });
    const status = (args: string[], env: Record<string, string | undefined>) => mlv(['status', ...args], { cwd, env });
    expect(await status([], { NO_COLOR: undefined, FORCE_COLOR: '1' })).toContain('\u001b[');
    expect(await status([], { NO_COLOR: undefined })).not.toContain('\u001b[');
    expect(await status([], { NO_COLOR: '1', FORCE_COLOR: '1' })).not.toContain('\u001b[');
    expect(await status(['--no-color'], { NO_COLOR: undefined, FORCE_COLOR: '1' })).not.toContain('\u001b[');
  });

  it('on a terminal shows progress of long work at once, and takes it away again', async () => {
    const cwd = await makeMlvRepository();
    writeFileSync(join(cwd, 'big'), Buffer.alloc(768 << 20, 'x'));
    const command = `${process.execPath} ${MLV_BIN} add big`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd, env: cleanEnvironment({ TERM: 'xterm' }) });
    const { stdout, exitCode } = await collect(child);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\r\u001b\[2KAdding: .* of 768 MiB \(\d+ %\), .*\/s, .* left/);
    expect(stdout.lastIndexOf('\r\u001b[2K')).toBeGreaterThan(stdout.lastIndexOf('/s'));
  });
});

describe('Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends a long add with 130, and the next one is as good as new',
    async (signal) => {
      const cwd = await makeMlvRepository();
      mkdirSync(join(cwd, 'data'));
      // Of holes, and so large that the add is not over before this process gets its turn on a busy machine.
      writeFileSync(join(cwd, 'data/big'), '');
      truncateSync(join(cwd, 'data/big'), 4 * 1024 ** 3);
      const child = startMlv(['add', 'data', '--json'], { cwd });
      const ended = collect(child);
      // What it writes is there: it listens to signals since long before.
      const temporaries = (): string[] => readdirSync(join(cwd, '.git/mlv/tmp'));
      await vi.waitFor(() => expect(temporaries()).not.toEqual([]), { timeout: 120_000, interval: 5 });
      child.kill(signal);
      const result = await ended;
      expect(result.exitCode).toBe(130);
      expect(result.stderr).toContain('mlv: interrupted');
      expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'INTERRUPTED' } });
      expect(await mlv(['status'], { cwd })).toBe('nothing is tracked yet\n');
      truncateSync(join(cwd, 'data/big'), 64 * 1024 ** 2);
      await mlv(['add', 'data'], { cwd });
    },
  );
});

describe('mlv completion', () => {
  /** What bash offers for a command line that ends where the cursor is. */
  function offered(script: string, words: string[], cwd: string): string[] {
    const line = words.map((word) => `'${word}'`).join(' ');
    const ask = `${script}\nCOMP_WORDS=(mlv ${line}); COMP_CWORD=${words.length}; _mlv; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const result = spawnSync('bash', ['-c', ask], { cwd, encoding: 'utf8' });
    expect(result.stderr).toBe('');
    return result.stdout.split('\n').filter(Boolean);
  }

  it('offers verbs, options, choices, settings and files in bash', async () => {
    const cwd = temporaryDirectory();
    writeFiles(cwd, { 'my file.bin': '', other: '' });
    const script = await mlv(['completion', 'bash'], { cwd });
    expect(offered(script, [''], cwd)).toEqual(verbs);
    expect(offered(script, ['che'], cwd)).toEqual(['checkout']);
    expect(offered(script, ['-C', 'add', 'rem'], cwd)).toEqual(['remote']);
    expect(offered(script, ['remote', ''], cwd)).toEqual(['add', 'list', 'remove', 'default', 'copy']);
    expect(offered(script, ['remote', 'add', '--path'], cwd)).toEqual(['--path-style']);
    expect(offered(script, ['init', '--hash', ''], cwd)).toEqual(['blake3', 'sha256']);
    expect(offered(script, ['config', 'get', 'cache.'], cwd)).toEqual(['cache.dir', 'cache.link']);
    expect(offered(script, ['add', 'my'], cwd)).toEqual(['my file.bin']);
    expect(offered(script, ['add', '--', ''], cwd).sort()).toEqual(['my file.bin', 'other']);
  });

  it('names every verb for zsh and fish', async () => {
    for (const shell of ['zsh', 'fish']) {
      const script = await mlv(['completion', shell], { cwd: temporaryDirectory() });
      for (const verb of verbs) expect(script).toContain(`'${verb}`);
    }
  });
});
