import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Config, listSettings, resolveConfig } from '../../src/config/config.js';
import { parseFile, readSettings } from '../../src/config/document.js';
import { configPaths, FILE_LEVELS, type FileLevel } from '../../src/config/levels.js';
import type { SettingValue } from '../../src/config/settings.js';

const HOME = '/home/ada';
const paths = { cache: '/repo/.git/mlv', home: HOME };

interface Given {
  files?: Partial<Record<FileLevel, string>>;
  environment?: NodeJS.ProcessEnv;
  flags?: Record<string, SettingValue | undefined>;
}

function configOf({ files = {}, environment = {}, flags = {} }: Given): Config {
  const levels = FILE_LEVELS.filter((level) => files[level] !== undefined).map((level) => {
    const parsed = parseFile(files[level] ?? '', { level, path: `/${level}.yaml` });
    return [level, readSettings(parsed, HOME)] as const;
  });
  return resolveConfig({ files: Object.fromEntries(levels), environment, flags, project: undefined, paths });
}

/** The same setting on each level, with a value that tells the level. */
const LEVELS = ['system', 'user', 'project', 'local', 'environment', 'flags'] as const;

function jobsOn(levels: readonly (typeof LEVELS)[number][]): Config {
  const value = (level: (typeof LEVELS)[number]): number => LEVELS.indexOf(level) + 100;
  const given: Given = { files: {} };
  for (const level of levels) {
    if (level === 'environment') given.environment = { MLV_CORE_JOBS: String(value(level)) };
    else if (level === 'flags') given.flags = { 'core.jobs': value(level) };
    else given.files = { ...given.files, [level]: `core:\n  jobs: ${value(level)}\n` };
  }
  return configOf(given);
}

describe('precedence', () => {
  const pairs = LEVELS.flatMap((weak, index) => LEVELS.slice(index + 1).map((strong) => [strong, weak] as const));

  test.each(pairs)('%s is stronger than %s', (strong, weak) => {
    const config = jobsOn([strong, weak]);
    expect(config.core.jobs).toBe(LEVELS.indexOf(strong) + 100);
    expect(config.origin('core.jobs')?.level).toBe(strong);
  });

  test('of any set of levels the strongest decides', () => {
    fc.assert(
      fc.property(fc.subarray([...LEVELS], { minLength: 1 }), (levels) => {
        expect(jobsOn(levels).origin('core.jobs')?.level).toBe(levels.at(-1));
      }),
    );
  });

  test('is by key: levels add up, also within one remote', () => {
    const config = configOf({
      files: {
        user: 'core:\n  jobs: 3\n',
        project: 'core:\n  remote: origin\nremote:\n  origin:\n    url: s3://bucket/models\n    region: eu-central-1\n',
        local: 'remote:\n  origin:\n    access-key-id: AKIA\n    region: us-east-1\n',
      },
      environment: { MLV_REMOTE_ORIGIN_PROFILE: 'team' },
    });
    expect(config.core).toMatchObject({ jobs: 3, remote: 'origin', stage: false });
    expect(config.remotes.get('origin')).toEqual({
      url: 's3://bucket/models',
      region: 'us-east-1',
      accessKeyId: 'AKIA',
      profile: 'team',
    });
    expect(config.origin('remote.origin.region')).toEqual({
      level: 'local',
      where: '/local.yaml:4',
      file: '/local.yaml',
      line: 4,
    });
  });

  test('a flag that was not given changes nothing', () => {
    expect(configOf({ files: { user: 'core:\n  jobs: 3\n' }, flags: { 'core.jobs': undefined } }).core.jobs).toBe(3);
  });
});

describe('what is in force', () => {
  test('without any level are the defaults', () => {
    const config = configOf({});
    expect(config.core).toEqual({
      stage: false,
      jobs: 32,
      hashImplementation: 'auto',
      remote: undefined,
      verify: true,
    });
    expect(config.cache).toEqual({ dir: '/repo/.git/mlv', link: ['reflink', 'copy'] });
    expect(config.remotes.size).toBe(0);
    expect(config.origin('core.jobs')).toEqual({ level: 'default' });
    expect(config.origin('core.remote')).toBeUndefined();
  });

  test('has a type for every setting of a remote', () => {
    const url =
      'url: s3://bucket\n    region: eu-west-1\n    profile: "007"\n    endpoint: https://minio.example.com:9000\n';
    const rest = 'path-style: true\n    sse: aws:kms\n    sse-kms-key-id: 1234\n    storage-class: STANDARD_IA\n';
    const checks = 'compression: off\n    checksum: when-required\n    unsigned-payload: no\n';
    const config = configOf({ files: { project: `remote:\n  1:\n    ${url}    ${rest}    ${checks}` } });
    expect(config.remotes.get('1')).toEqual({
      url: 's3://bucket',
      region: 'eu-west-1',
      profile: '007',
      endpoint: 'https://minio.example.com:9000',
      pathStyle: true,
      sse: 'aws:kms',
      sseKmsKeyId: '1234',
      storageClass: 'STANDARD_IA',
      compression: 'off',
      checksum: 'when-required',
      unsignedPayload: false,
    });
  });

  test('takes a list as a sequence, as text with commas, from everywhere', () => {
    const link = (given: Given): readonly string[] => configOf(given).cache.link;
    expect(link({ files: { user: 'cache:\n  link: [hardlink, copy]\n' } })).toEqual(['hardlink', 'copy']);
    expect(link({ files: { project: 'cache:\n  link: symlink , copy\n' } })).toEqual(['symlink', 'copy']);
    expect(link({ environment: { MLV_CACHE_LINK: 'hardlink,copy' } })).toEqual(['hardlink', 'copy']);
    expect(link({ flags: { 'cache.link': ['copy'] } })).toEqual(['copy']);
  });

  test('expands the home directory in a path', () => {
    expect(configOf({ files: { user: 'cache:\n  dir: ~/cache/../mlv\n' } }).cache.dir).toBe('/home/ada/mlv');
    expect(configOf({ environment: { MLV_CACHE_DIR: '/mnt/cache' } }).cache.dir).toBe('/mnt/cache');
  });

  test('an unknown key is not answered', () => {
    expect(() => configOf({}).origin('core.job')).toThrow(
      expect.objectContaining({ code: 'CONFIG_KEY_UNKNOWN', hint: "did you mean 'core.jobs'?" }),
    );
    expect(() => configOf({ flags: { 'core.nothing': '1' } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_KEY_UNKNOWN' }),
    );
  });
});

describe('the environment', () => {
  test('reaches every setting, whatever dashes its name has', () => {
    const environment = {
      MLV_CORE_STAGE: 'yes',
      MLV_CORE_HASH_IMPLEMENTATION: 'wasm',
      MLV_CORE_VERIFY: '0',
      MLV_CORE_REMOTE: 'store',
      MLV_REMOTE_STORE_SSE_KMS_KEY_ID: 'key',
      MLV_REMOTE_STORE_SECRET_ACCESS_KEY: 'secret',
      MLV_REMOTE_STORE_URL: 's3://bucket',
    };
    const config = configOf({ environment });
    expect(config.core).toMatchObject({ stage: true, hashImplementation: 'wasm', verify: false, remote: 'store' });
    expect(config.remotes.get('store')).toEqual({ sseKmsKeyId: 'key', secretAccessKey: 'secret', url: 's3://bucket' });
    expect(config.origin('core.stage')).toEqual({ level: 'environment', where: 'MLV_CORE_STAGE' });
  });

  test('means a remote that is there by any spelling, and makes one where none is', () => {
    const files = { project: 'remote:\n  My-Store_1:\n    url: s3://bucket\n' };
    const config = configOf({
      files,
      environment: { MLV_REMOTE_MY_STORE_1_REGION: 'r', MLV_REMOTE_TO_BE_URL: '/srv' },
    });
    expect([...config.remotes.keys()]).toEqual(['My-Store_1', 'to-be']);
    expect(config.remotes.get('My-Store_1')).toEqual({ url: 's3://bucket', region: 'r' });
  });

  test('is passed over where it means no setting', () => {
    const environment = {
      MLV_CORE_JOB: 'x',
      MLV_REMOTE_URL: 'x',
      MLV_REMOTE__URL: 'x',
      MLV_: 'x',
      MLV_CORE_JOBS: '',
      HOME: '/',
    };
    expect(listSettings(configOf({ environment }))).toEqual(listSettings(configOf({})));
  });

  test('an invalid value names the variable', () => {
    expect(() => configOf({ environment: { MLV_CORE_JOBS: 'many' } })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: "MLV_CORE_JOBS: 'many' is not a value for 'core.jobs'",
        hint: 'it must be a whole number from 1 to 256',
      }),
    );
  });
});

describe('the list', () => {
  test('shows every value with its origin, in order, and no credential', () => {
    const config = configOf({
      files: {
        project: 'remote:\n  b:\n    url: sftp://ada@host/dir\n',
        local: 'remote:\n  b:\n    secret-access-key: topsecret\n  a:\n    url: https://ada:topsecret@example.com/x\n',
      },
      environment: { MLV_REMOTE_B_SESSION_TOKEN: 'topsecret', MLV_REMOTE_C_URL: 'https://topsecret@example.com' },
      flags: { 'remote.b.access-key-id': 'topsecret' },
    });
    const list = listSettings(config);
    const keys = list.map(({ key }) => key);
    expect(keys).toEqual([...keys].sort());
    expect(JSON.stringify(list)).not.toContain('topsecret');
    expect(list).toContainEqual(expect.objectContaining({ key: 'remote.a.url', value: 'https://***@example.com/x' }));
    expect(list).toContainEqual(expect.objectContaining({ key: 'remote.b.secret-access-key', value: '***' }));
    expect(list).toContainEqual(expect.objectContaining({ key: 'remote.b.url', value: 'sftp://ada@host/dir' }));
    expect(list).toContainEqual({ key: 'cache.link', value: 'reflink,copy', origin: { level: 'default' } });
    expect(config.remotes.get('b')?.secretAccessKey).toBe('topsecret');
  });
});

describe('the paths of the levels', () => {
  const repository = { worktree: '/repo', commonDir: '/repo/.git' };

  test('follow XDG and the repository', () => {
    expect(configPaths({ env: { XDG_CONFIG_HOME: '/xdg' }, home: HOME, repository })).toEqual({
      system: '/etc/mlv/config.yaml',
      user: '/xdg/mlv/config.yaml',
      project: '/repo/mlv.yaml',
      local: '/repo/.git/mlv/config.yaml',
      cache: '/repo/.git/mlv',
      home: HOME,
    });
  });

  test('work outside of a repository, and with an XDG directory that is not absolute', () => {
    const outside = configPaths({ env: { XDG_CONFIG_HOME: 'relative', XDG_CACHE_HOME: '/var/cache' }, home: HOME });
    expect(outside.user).toBe('/home/ada/.config/mlv/config.yaml');
    expect(outside.cache).toBe('/var/cache/mlv');
    expect(outside).not.toHaveProperty('project');
    expect(outside).not.toHaveProperty('local');
  });
});
