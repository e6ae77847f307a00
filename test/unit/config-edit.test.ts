import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LevelFile, parseFile, readSettings } from '../../src/config/document.js';
import { withoutKey, withValue } from '../../src/config/edit.js';
import { FIXED, OF_REMOTE, type SettingValue } from '../../src/config/settings.js';
import { LINK_MODES } from '../../src/core/link-mode.js';

const HOME = '/home/ada';
const local: LevelFile = { level: 'local', path: '/repo/.git/mlv/config.yaml' };
const project: LevelFile = { level: 'project', path: '/repo/mlv.yaml' };

function set(text: string, key: string, value: string, file = local): string {
  return withValue(text, file, { key, value, home: HOME }).text;
}

function get(text: string, key: string, file = local): SettingValue | undefined {
  return readSettings(parseFile(text, file), HOME).get(key)?.value;
}

const COMMENTED = `# at the top

mlv: 1 # the format
repository: 0198c5a0-1111-7222-8333-444455556666
hash: blake3

# about stages
stages:
  - name: production # the last one
    gates: [tests, review]
retention: {keep: 5}

# about the core
core:
  # how many
  jobs: 0x10 # sixteen

remote:
  origin: # the team's
    url: s3://bucket/a very long prefix/that goes on and on and on/and would be folded by a library that thinks in columns
    region: 'eu-central-1' # Frankfurt
# at the end
`;

const COMMENTS = ['# at the top', '# the format', '# about stages', '# the last one', '# about the core', '# how many'];
const MORE_COMMENTS = ['# sixteen', "# the team's", '# Frankfurt', '# at the end'];

describe('setting a value', () => {
  test('changes that value alone, and keeps comments, order and unknown keys', () => {
    const changed = set(COMMENTED, 'core.jobs', '4', project);
    expect(changed).toBe(COMMENTED.replace('0x10', '4'));
    expect(set(changed, 'remote.origin.region', 'x', project)).toBe(changed.replace("'eu-central-1'", 'x'));
  });

  test('adds a line behind its neighbours and leaves every other byte alone', () => {
    const staged = set(COMMENTED, 'core.stage', 'true', project);
    expect(staged).toBe(COMMENTED.replace('# sixteen\n', '# sixteen\n  stage: true\n'));
    const linked = set(COMMENTED, 'cache.link', 'copy', project);
    expect(linked).toBe(COMMENTED.replace('# Frankfurt\n', '# Frankfurt\ncache:\n  link: [copy]\n'));
    expect(set('core:\n    jobs: 1', 'core.stage', 'true')).toBe('core:\n    jobs: 1\n    stage: true\n');
  });

  test('manages files written in flow style, with the rest rendered anew', () => {
    expect(set('{core: {jobs: 1}}\n', 'core.stage', 'true')).toBe('{core: {jobs: 1, stage: true}}\n');
    expect(get(set('core: {}\n', 'core.stage', 'true'), 'core.stage')).toBe(true);
    expect(get(set('cache:\n  link:\n  - copy\n', 'cache.link', 'hardlink'), 'cache.link')).toEqual(['hardlink']);
  });

  test('makes the sections that it needs, also where they are there without content', () => {
    expect(set('', 'core.jobs', '4')).toBe('core:\n  jobs: 4\n');
    expect(set('# mine\n', 'core.stage', 'YES')).toBe('# mine\n\ncore:\n  stage: true\n');
    expect(set('core:\n', 'core.jobs', '4')).toBe('core:\n  jobs: 4\n');
    expect(set('remote:\n  a:\n', 'remote.b.url', '/srv')).toBe('remote:\n  a:\n  b:\n    url: /srv\n');
    expect(set('', 'cache.link', 'hardlink, copy')).toBe('cache:\n  link: [hardlink, copy]\n');
  });

  test('keeps a home directory as it was typed', () => {
    expect(set('', 'cache.dir', '~/cache')).toBe('cache:\n  dir: ~/cache\n');
    expect(get(set('', 'cache.dir', '~/cache'), 'cache.dir')).toBe('/home/ada/cache');
  });

  test('quotes text that YAML would read as something else', () => {
    for (const value of [
      'true',
      'null',
      '007',
      '1e3',
      '~',
      'a: b',
      '# no comment',
      '- x',
      '*alias',
      '{',
      '"',
      "'",
      '!tag',
    ]) {
      expect(get(set('', 'remote.a.profile', value), 'remote.a.profile')).toBe(value);
    }
  });

  test('refuses an unknown key, a wrong value, and what a committed file may not hold', () => {
    const refused = (key: string, value: string, file = local) => {
      try {
        return set('', key, value, file);
      } catch (error) {
        return error;
      }
    };
    expect(refused('core.job', '4')).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN', hint: "did you mean 'core.jobs'?" });
    expect(refused('remote.a.b.url', 'x')).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN' });
    expect(refused('remote.a_€.url', 'x')).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN' });
    expect(refused('toString', 'x')).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN' });
    expect(refused('remote.a.toString', 'x')).toMatchObject({ code: 'CONFIG_KEY_UNKNOWN' });
    expect(refused('core.jobs', '4000')).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(refused('cache.dir', '/tmp', project)).toMatchObject({ code: 'CONFIG_INVALID' });
    const committed = refused('remote.a.secret-access-key', 'topsecret', project);
    expect(committed).toMatchObject({ code: 'CREDENTIAL_IN_COMMITTED_CONFIG' });
    expect(String(committed)).not.toContain('topsecret');
    expect(refused('remote.a.url', 'https://ada:pw@example.com', project)).toMatchObject({
      code: 'CREDENTIAL_IN_COMMITTED_CONFIG',
    });
  });

  test('refuses a file that it cannot read, and a section that is none', () => {
    expect(() => set('core: [', 'core.jobs', '4')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => set('core: 5\n', 'core.jobs', '4')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => set('mlv: 2\n', 'core.jobs', '4', project)).toThrow(
      expect.objectContaining({ code: 'FORMAT_TOO_NEW' }),
    );
  });

  test('says when the file holds a credential', () => {
    const secretAfter = (text: string, key: string, value: string) =>
      withValue(text, local, { key, value, home: HOME }).secret;
    expect(secretAfter('', 'remote.a.session-token', 'x')).toBe(true);
    expect(secretAfter('', 'remote.a.url', 'sftp://ada:pw@host')).toBe(true);
    expect(secretAfter('remote:\n  a:\n    access-key-id: x\n', 'core.jobs', '1')).toBe(true);
    expect(secretAfter('', 'remote.a.url', 'sftp://ada@host')).toBe(false);
  });
});

describe('unsetting', () => {
  test('takes the key with the sections that it leaves empty, and nothing else', () => {
    const text = 'core:\n  jobs: 4\nremote:\n  a:\n    url: /srv\n  b:\n    url: /mnt # ours\n';
    expect(withoutKey(text, local, 'remote.a.url')?.text).toBe(
      'core:\n  jobs: 4\nremote:\n  b:\n    url: /mnt # ours\n',
    );
    expect(withoutKey(text, local, 'core.jobs')?.text).toBe(
      'remote:\n  a:\n    url: /srv\n  b:\n    url: /mnt # ours\n',
    );
    expect(withoutKey(text, local, 'remote.b')?.text).toBe('core:\n  jobs: 4\nremote:\n  a:\n    url: /srv\n');
  });

  test('can empty a file, and keeps its comments', () => {
    expect(withoutKey('core:\n  jobs: 4\n', local, 'core.jobs')?.text).toBe('');
    const left = withoutKey('# top\n\n# about\ncore:\n  jobs: 4\n# end\n', local, 'core.jobs')?.text ?? '';
    expect(left).toBe('# top\n\n# about\n# end\n');
    expect(readSettings(parseFile(left, local), HOME).size).toBe(0);
  });

  test('removes a key that is a mistake, and answers that a key was not there', () => {
    expect(withoutKey('core:\n  job: 4\n  jobs: 3\n', local, 'core.job')?.text).toBe('core:\n  jobs: 3\n');
    expect(withoutKey('core:\n  jobs: 3\n', local, 'core.stage')).toBeUndefined();
    expect(withoutKey('core:\n  jobs: 3\n', local, 'core.jobs.deep')).toBeUndefined();
    expect(withoutKey('', local, 'core.stage')).toBeUndefined();
  });
});

const line = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 120 })
  .map((text) => text.replace(/[\u0000-\u001f\u007f]/g, '').trim())
  .filter((text) => text !== '');
const flag = fc.constantFrom('true', 'false');
const BY_KEY: Record<string, fc.Arbitrary<string>> = {
  'core.stage': flag,
  'core.verify': flag,
  'core.jobs': fc.integer({ min: 1, max: 256 }).map(String),
  'hooks.large-file': fc.integer({ min: 2 ** 20 }).map(String),
  'core.hash-implementation': fc.constantFrom('auto', 'native', 'wasm'),
  'core.remote': fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/),
  'registry.remote': fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/),
  'registry.run-checks': fc.boolean().map(String),
  'retention.last': fc.integer({ min: 1, max: 1_000_000 }).map(String),
  'cache.dir': fc.constantFrom('/mnt/cache', '~/cache', '/a b/#c: d'),
  'cache.link': fc.subarray([...LINK_MODES], { minLength: 1 }).map((modes) => modes.join(',')),
  endpoint: fc.webUrl(),
  sse: fc.constantFrom('AES256', 'aws:kms'),
  compression: fc.constantFrom('auto', 'off'),
  checksum: fc.constantFrom('when-required', 'when-supported'),
  'path-style': flag,
  'unsigned-payload': flag,
  'identity-file': fc.constantFrom('/home/ada/.ssh/key', '/a b/#c: d'),
  'credentials-file': fc.constantFrom('/home/ada/key.json', '/a b/#c: d'),
  'known-hosts': fc.constantFrom('strict', 'accept-new'),
  'mirror-of': fc.constantFrom('origin', 'b-2', '1'),
};
const assignment = fc.oneof(
  fc.constantFrom(...Object.keys(FIXED)).chain((key) => fc.tuple(fc.constant(key), BY_KEY[key] ?? line)),
  fc
    .tuple(fc.constantFrom('origin', 'b', '1', 'constructor'), fc.constantFrom(...Object.keys(OF_REMOTE)))
    .chain(([name, key]) => fc.tuple(fc.constant(`remote.${name}.${key}`), BY_KEY[key] ?? line)),
);

describe('any settings one after the other', () => {
  test('can be read back, each with its last value, and no comment or unknown key is lost', () => {
    fc.assert(
      fc.property(fc.array(assignment, { minLength: 1, maxLength: 8 }), (assignments) => {
        const start = COMMENTED.slice(COMMENTED.indexOf('# about the core')).replace('0x10', '16');
        const text = assignments.reduce((result, [key, value]) => set(result, key, value), start);
        for (const [key, value] of new Map(assignments)) {
          expect(get(text, key)).toEqual(get(set('', key, value), key));
          if (!key.startsWith('cache.dir')) expect(String(get(text, key))).toBe(value);
        }
        for (const comment of [...COMMENTS.slice(4), ...MORE_COMMENTS]) expect(text).toContain(comment);
      }),
      { numRuns: 200 },
    );
  });

  test('can all be unset again', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(assignment, { minLength: 1, maxLength: 6, selector: ([key]) => key }),
        (assignments) => {
          const full = assignments.reduce((result, [key, value]) => set(result, key, value), '# kept\n');
          const empty = assignments.reduce(
            (result, [key]) => withoutKey(result, local, key)?.text ?? 'key was lost',
            full,
          );
          expect(empty.trim()).toBe('# kept');
        },
      ),
    );
  });

  test('in a committed file leave what belongs to others untouched', () => {
    const text = set(set(COMMENTED, 'core.stage', 'true', project), 'remote.b.url', '/srv', project);
    for (const comment of [...COMMENTS, ...MORE_COMMENTS]) expect(text).toContain(comment);
    const others = COMMENTED.slice(0, COMMENTED.indexOf('# about the core'));
    expect(text.startsWith(others)).toBe(true);
  });
});
