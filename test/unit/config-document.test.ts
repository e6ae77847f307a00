import { describe, expect, test } from 'vitest';
import { parseFile, readSettings } from '../../src/config/document.js';
import type { FileLevel } from '../../src/config/levels.js';
import { projectOf } from '../../src/config/project-format.js';

function settings(text: string, level: FileLevel = 'project'): Record<string, unknown> {
  const entries = readSettings(parseFile(text, { level, path: '/repo/mlv.yaml' }), '/home/ada');
  return Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
}

function failure(
  text: string,
  level: FileLevel = 'project',
): { code?: string; message?: string; hint?: string; data?: object } {
  try {
    settings(text, level);
  } catch (error) {
    return error as object;
  }
  return {};
}

const UUID = '0198c5a0-1111-7222-8333-444455556666';

describe('mlv.yaml', () => {
  test('that is nested too deeply is refused in words of its own, with the line', () => {
    for (const nested of ['['.repeat(20_000), `${'{a: '.repeat(20_000)}1`, `\n${'- '.repeat(20_000)}x`]) {
      const { code, message } = failure(`mlv: 1\nstages: ${nested}\n`);
      expect(code).toBe('CONFIG_INVALID');
      expect(message).toMatch(/^\/repo\/mlv\.yaml:\d+: it is nested too deeply$/);
    }
  });

  test('keeps unknown top-level keys for others', () => {
    const text = `mlv: 1\nrepository: ${UUID}\nhash: blake3\nstages: [a]\ndatasets:\n  core:\n    nonsense: 1\ncore:\n  jobs: 2\n`;
    expect(settings(text)).toEqual({ 'core.jobs': 2 });
  });

  test.each(['', '# only a comment\n', 'core:\n', 'remote:\n  origin:\n', 'core: {}\n', '---\n'])(
    'may be as empty as %j',
    (text) => {
      expect(settings(text)).toEqual({});
    },
  );

  test('of a newer format is refused before anything else in it', () => {
    const text = `mlv: 2\ncore:\n  new-setting: 1\n`;
    expect(failure(text)).toMatchObject({ code: 'FORMAT_TOO_NEW', message: expect.stringContaining('mlv.yaml:1') });
    expect(failure('mlv: one\n')).toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test.each([
    ['cache:\n  dir: /etc\n', 'cache.dir'],
    ['core:\n  hash-implementation: wasm\n', 'core.hash-implementation'],
    ['core:\n  verify: false\n', 'core.verify'],
  ])('may not decide %j', (text, key) => {
    const levels = ['system', 'user', 'local', 'environment', 'flags'];
    expect(failure(text)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`mlv.yaml:2: '${key}'`),
      hint: expect.stringContaining(`mlv config set --local ${key}`),
      data: { levels, line: 2 },
    });
    for (const level of ['system', 'user', 'local'] as const) expect(settings(text, level)).toHaveProperty([key]);
  });

  test.each([
    'access-key-id: AKIAEXAMPLE',
    'secret-access-key: topsecret',
    'session-token: topsecret',
    'url: https://ada:topsecret@example.com/data',
    'url: https://topsecret@example.com/data',
    'url: sftp://ada:top@secret@example.com/data',
    'endpoint: https://topsecret@example.com',
  ])('with the credential %j written by hand is refused, and the credential not repeated', (line) => {
    const text = `remote:\n  origin:\n    ${line}\n`;
    const error = failure(text);
    expect(error).toMatchObject({
      code: 'CREDENTIAL_IN_COMMITTED_CONFIG',
      message: expect.stringContaining('mlv.yaml:3'),
    });
    expect(JSON.stringify([error, error.message, error.hint])).not.toMatch(/topsecret|AKIAEXAMPLE|top@secret/);
    expect(Object.keys(settings(text, 'local'))).toHaveLength(1);
  });
});

describe('errors carry file, line and the nearest key', () => {
  test.each([
    ['core:\n  # a comment\n  job: 4\n', 3, "'core.job'", 'core.jobs'],
    ['cache:\n  links: [copy]\n', 2, "'cache.links'", 'cache.link'],
    [
      'remote:\n  origin:\n    url: /srv\n    path_style: true\n',
      4,
      "'remote.origin.path_style'",
      'remote.origin.path-style',
    ],
    ['core: {jobs: 2,\n  Stage: true}\n', 2, "'core.Stage'", 'core.stage'],
  ])('%j', (text, line, key, near) => {
    expect(failure(text)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: `/repo/mlv.yaml:${line}: ${key} is not a setting of mlv`,
      hint: `did you mean '${near}'?`,
      data: { line, file: '/repo/mlv.yaml' },
    });
  });

  test('a key that is near none lists what there is', () => {
    expect(failure('core:\n  completely-different: 1\n').hint).toContain('core.jobs, core.hash-implementation');
    expect(failure('remote:\n  long-name-of-a-remote:\n    zzzzzz: 1\n').hint).toMatch(
      /^the settings are: remote\.long-name-of-a-remote\.url, /,
    );
  });

  test('an unknown section is an error where the file is for mlv alone', () => {
    expect(failure('cores:\n  jobs: 1\n', 'user')).toMatchObject({
      code: 'CONFIG_INVALID',
      data: { line: 1, key: 'cores' },
    });
  });

  test.each([
    ['core:\n  jobs: 0\n', 2],
    ['core:\n  jobs: 257\n', 2],
    ['core:\n  jobs: 1.5\n', 2],
    ['core:\n  jobs: [1]\n', 2],
    ['core:\n  jobs:\n', 2],
    ['core:\n  stage: maybe\n', 2],
    ['core:\n  remote: a.b\n', 2],
    ['core: 5\n', 1],
    ['core:\n  - jobs\n', 2],
    ['cache:\n  link: [reflink, reflink]\n', 2],
    ['cache:\n  link: []\n', 2],
    ['cache:\n  link: [teleport]\n', 2],
    ['remote:\n  __proto__:\n    url: x\n', 2],
    ['remote:\n  origin: s3://bucket\n', 2],
    ['remote:\n  origin:\n    endpoint: file:///etc\n', 3],
    ['remote:\n  origin:\n    url: "a\\nb"\n', 3],
    ['remote:\n  origin:\n    sse: none\n', 3],
    ['a: &x {jobs: 3}\ncore: *x\n', 2],
    ['core:\n  jobs: 1\n  jobs: 2\n', 3],
    ['core:\n  jobs: 1\ncore:\n  stage: true\n', 3],
    ['- a\n', 1],
    ['just text\n', 1],
    ['core: [1\nb: 2\n', 2],
    ['a: 1\n---\nb: 2\n', 2],
  ])('%j is invalid in line %i', (text, line) => {
    expect(failure(text)).toMatchObject({ code: 'CONFIG_INVALID', data: { line } });
  });

  test('a relative cache directory is invalid on the levels that may name one', () => {
    for (const dir of ['cache', '../cache', './x', '~ada/x']) {
      expect(failure(`cache:\n  dir: ${dir}\n`, 'local')).toMatchObject({ code: 'CONFIG_INVALID', data: { line: 2 } });
    }
  });

  test('absurd nesting is an error like any other', () => {
    expect(failure(`x: ${'['.repeat(200_000)}`)).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('the project', () => {
  const project = (text: string) => projectOf(parseFile(text, { level: 'project', path: '/repo/mlv.yaml' }));

  test('is what the three keys say, and is not there without them', () => {
    const text = `hash: sha256\nmlv: 1\nrepository: ${UUID.toUpperCase()}\n`;
    expect(project(text)).toEqual({ format: 1, repository: UUID, hash: 'sha256' });
    expect(project('core:\n  jobs: 1\n')).toBeUndefined();
    expect(project('')).toBeUndefined();
  });

  test.each([
    [`mlv: 1\nrepository: ${UUID}\n`, "key 'hash' is missing"],
    ['mlv: 1\nhash: blake3\n', "'repository' is missing"],
    [`repository: ${UUID}\nhash: blake3\n`, "'mlv' is missing"],
    [`mlv: 1\nrepository: x\nhash: blake3\n`, "mlv.yaml:2: 'repository' must be a UUID"],
    [`mlv: 1\nrepository: ${UUID}\nhash: md5\n`, "mlv.yaml:3: 'hash' must be blake3 or sha256"],
  ])('that is broken is an error: %j', (text, reason) => {
    expect(() => project(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => project(text)).toThrow(reason);
  });
});
