import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

describe('mlv remote', () => {
  it('adds, lists, chooses and removes; the first becomes the default', async () => {
    const cwd = await makeMlvRepository({ 'deep/file': '' });
    const first = parseDocument(
      'remote add',
      await mlv(['remote', 'add', 'nas', '../store', '--json'], { cwd: join(cwd, 'deep') }),
    );
    expect(first).toMatchObject({ name: 'nas', url: './store', added: true, default: true, level: 'project' });
    await mlv(
      ['remote', 'add', 'cloud', 's3://bucket/prefix', '--region', 'eu-west-1', '--path-style', '--sse', 'AES256'],
      { cwd },
    );
    const listed = parseDocument('remote list', await mlv(['remote', 'list', '--json'], { cwd }));
    expect(listed.default).toBe('nas');
    expect(listed.remotes[0]).toMatchObject({
      name: 'cloud',
      url: 's3://bucket/prefix',
      default: false,
      settings: { region: 'eu-west-1', 'path-style': 'true', sse: 'AES256' },
    });
    expect(await mlv(['remote', 'list'], { cwd })).toMatch(/^ {2}cloud +s3:\/\/bucket\/prefix.*\n\* nas +\.\/store/);
    expect(await mlv(['remote', 'default'], { cwd })).toBe('nas\n');
    await mlv(['remote', 'default', 'cloud', '--local'], { cwd });
    expect(await mlv(['remote', 'default'], { cwd })).toBe('cloud\n');
    const removed = parseDocument('remote remove', await mlv(['remote', 'remove', 'cloud', '--json'], { cwd }));
    expect(removed.levels).toEqual(['project']);
    expect(await mlv(['remote', 'list'], { cwd })).not.toContain('cloud');
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).not.toContain('cloud');
  });

  it('takes the same remote twice, refuses another one of that name, and unknown names', async () => {
    const cwd = await makeMlvRepository();
    await mlv(['remote', 'add', 'nas', '/mnt/nas'], { cwd });
    expect(parseDocument('remote add', await mlv(['remote', 'add', 'nas', '/mnt/nas', '--json'], { cwd })).added).toBe(
      false,
    );
    const other = await runMlv(['remote', 'add', 'nas', '/mnt/other', '--json'], { cwd });
    expect([other.exitCode, JSON.parse(other.stdout).error.code]).toEqual([2, 'REMOTE_EXISTS']);
    for (const args of [
      ['remove', 'none'],
      ['default', 'none'],
    ]) {
      const result = await runMlv(['remote', ...args], { cwd });
      expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining('the remotes are: nas')]);
    }
    const invalid = await runMlv(['remote', 'add', 'ftp', 'ftp://host/path'], { cwd });
    expect([invalid.exitCode, invalid.stderr]).toEqual([2, expect.stringContaining('s3://')]);
    expect(await mlv(['remote', 'list'], { cwd })).not.toContain('ftp');
  });

  it('never writes or prints a credential where it may be seen', async () => {
    const cwd = await makeMlvRepository();
    const url = 'https://user:hunter2@example.com/bucket';
    const refused = await runMlv(['remote', 'add', 'web', url], { cwd });
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout + refused.stderr).not.toContain('hunter2');
    await mlv(['remote', 'add', 'cloud', 's3://bucket'], { cwd });
    const key = 'remote.cloud.secret-access-key';
    const committed = await runMlv(['config', 'set', '--project', key, 'hunter2'], { cwd });
    expect([committed.exitCode, committed.stderr]).toEqual([2, expect.stringContaining('--local')]);
    const outputs = [await mlv(['config', 'set', key, 'hunter2', '--json'], { cwd })];
    for (const args of [
      ['config', 'get', key],
      ['config', 'list', '--show-origin'],
      ['remote', 'list', '--json'],
      ['config', 'list', '--json', '--local'],
    ]) {
      outputs.push(await mlv(args, { cwd }));
    }
    expect(outputs.join('')).not.toContain('hunter2');
    expect(outputs.join('')).toContain('***');
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).not.toContain('hunter2');
    expect(readFileSync(join(cwd, '.git/mlv/config.yaml'), 'utf8')).toContain('hunter2');
  });

  it('needs a verb, and says which there are', async () => {
    const cwd = await makeMlvRepository();
    const result = await runMlv(['remote'], { cwd });
    expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining('a verb is missing')]);
    expect((await runMlv(['remote', 'lst'], { cwd })).stderr).toContain('did you mean list?');
  });
});

describe('mlv config', () => {
  it('sets, gets, lists and unsets, and the strongest level wins', async () => {
    const cwd = await makeMlvRepository();
    const env = { XDG_CONFIG_HOME: temporaryDirectory('config') };
    const get = async (args: string[] = [], more: Record<string, string> = {}): Promise<string> =>
      (await mlv([...args, 'config', 'get', 'core.jobs'], { cwd, env: { ...env, ...more } })).trim();
    expect(await get()).toBe('32');
    for (const [level, jobs] of [
      ['--user', '2'],
      ['--project', '3'],
      ['--local', '4'],
    ] as const) {
      const set = parseDocument(
        'config set',
        await mlv(['config', 'set', level, 'core.jobs', jobs, '--json'], { cwd, env }),
      );
      expect([set.level, set.value, await get()]).toEqual([level.slice(2), jobs, jobs]);
    }
    expect(await get([], { MLV_CORE_JOBS: '5' })).toBe('5');
    expect(await get(['-c', 'core.jobs=6'], { MLV_CORE_JOBS: '5' })).toBe('6');
    expect((await mlv(['config', 'get', '--user', 'core.jobs'], { cwd, env })).trim()).toBe('2');
    const origin = await mlv(['config', 'list', '--show-origin'], { cwd, env });
    expect(origin).toMatch(/^core\.jobs=4 +local \(.*config\.yaml:\d+\)$/m);
    expect(
      parseDocument('config list', await mlv(['config', 'list', '--project', '--json'], { cwd, env })).settings,
    ).toMatchObject([{ key: 'core.jobs', value: '3', level: 'project' }]);
    parseDocument('config unset', await mlv(['config', 'unset', 'core.jobs', '--json'], { cwd, env }));
    expect(await get()).toBe('3');
    const again = await runMlv(['config', 'unset', 'core.jobs', '--json'], { cwd, env });
    expect([again.exitCode, JSON.parse(again.stdout).error.code]).toEqual([1, 'CONFIG_NOT_SET']);
  });

  it('refuses what is wrong and suggests what is right', async () => {
    const cwd = await makeMlvRepository();
    const cases: [args: string[], exitCode: number, words: string][] = [
      [['config', 'get', 'core.job'], 2, "did you mean 'core.jobs'?"],
      [['config', 'set', 'core.jobs', 'many'], 2, 'a whole number'],
      [['config', 'set', '--project', 'cache.dir', '/tmp'], 2, '--local'],
      [['config', 'get', 'core.remote'], 1, 'is not set'],
      [['config', 'set', '--local', '--user', 'core.jobs', '1'], 2, 'exclude each other'],
      [['-c', 'core.jobs', 'status'], 2, '-c core.jobs=4'],
      [['-c', 'nope=1', 'status'], 2, "'nope' is not a setting"],
    ];
    const results = await Promise.all(cases.map(([args]) => runMlv(args, { cwd })));
    for (const [at, [args, exitCode, words]] of cases.entries()) {
      expect([args, results[at]?.exitCode]).toEqual([args, exitCode]);
      expect(results[at]?.stderr).toContain(words);
    }
  });

  it('works outside of a repository for the levels that are there', async () => {
    const cwd = temporaryDirectory();
    const env = { XDG_CONFIG_HOME: temporaryDirectory('config') };
    await mlv(['config', 'set', '--user', 'core.stage', 'yes'], { cwd, env });
    expect(await mlv(['config', 'get', 'core.stage'], { cwd, env })).toBe('true\n');
    expect((await runMlv(['config', 'set', 'core.stage', 'no'], { cwd, env })).stderr).toContain('--user');
  });
});

describe('mlv doctor and mlv version', () => {
  it('finds all well in a good repository, and tells what it measured', async () => {
    const cwd = await makeMlvRepository();
    mkdirSync(join(cwd, 'store'));
    await mlv(['remote', 'add', 'nas', './store'], { cwd });
    const document = parseDocument('doctor', await mlv(['doctor', '--json'], { cwd }));
    expect(document.ok).toBe(true);
    const byName = Object.fromEntries(document.checks.map((check) => [check.name, check]));
    expect(Object.keys(byName)).toEqual([
      'mlv',
      'node',
      'git',
      'hash',
      'repository',
      'configuration',
      'cache',
      'merge driver',
      'link modes',
      'remote nas',
    ]);
    expect(byName.hash?.data?.gibPerSecond).toBeGreaterThan(0);
    expect(byName['link modes']?.data?.supported).toContain('copy');
    expect(byName['remote nas']?.data?.inUse).toBe(false);
    const text = await mlv(['doctor', '--offline'], { cwd });
    expect(text).toContain('ok      repository: ');
    expect(text).not.toContain('remote nas');
  });

  it('ends with 1 when a remote cannot be used, and never fails outside of a repository', async () => {
    const cwd = await makeMlvRepository();
    const endpoint = 'http://127.0.0.1:1';
    await mlv(['remote', 'add', 'cloud', 's3://bucket', '--endpoint', endpoint, '--region', 'us-east-1'], { cwd });
    const nothing = {
      HOME: temporaryDirectory(),
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    };
    const result = await runMlv(['doctor', '--json'], { cwd, env: nothing });
    expect(result.exitCode).toBe(1);
    const document = parseDocument('doctor', result.stdout);
    expect(document.ok).toBe(false);
    expect(document.checks.at(-1)).toMatchObject({
      name: 'remote cloud',
      state: 'problem',
      data: { code: 'REMOTE_DENIED' },
    });
    const outside = await runMlv(['doctor'], { cwd: temporaryDirectory() });
    expect([outside.exitCode, outside.stdout]).toEqual([0, expect.stringContaining('warning repository: ')]);
  });

  it('tell the versions of everything that matters, also without Git', async () => {
    const cwd = temporaryDirectory();
    const plain = await mlv(['version'], { cwd });
    expect(plain).toBe(await mlv(['--version'], { cwd }));
    const document = parseDocument('version', await mlv(['version', '--json'], { cwd }));
    expect(document).toEqual(parseDocument('version', await mlv(['--version', '--json'], { cwd })));
    expect([document.mlv, document.node]).toEqual([plain.trim(), process.versions.node]);
    const env = { PATH: temporaryDirectory('empty') };
    expect(parseDocument('version', await mlv(['version', '--json'], { cwd, env })).git).toBeNull();
    const doctor = await runMlv(['status'], { cwd, env });
    expect([doctor.exitCode, doctor.stderr]).toEqual([1, expect.stringMatching(/git/i)]);
  });
});
