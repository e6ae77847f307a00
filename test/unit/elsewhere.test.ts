import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elsewhereAddress, looksLikeGitUrl } from '../../src/git/elsewhere-address.js';
import { elsewhereEnvironment } from '../../src/git/elsewhere-environment.js';
import { elsewherePath, pathCandidates } from '../../src/workspace/elsewhere-path.js';
import { isGitSource, type PointerSource, readSource, withSource } from '../../src/workspace/pointer-source.js';

describe('the address of a repository elsewhere', () => {
  it('is printed and stored without credentials', () => {
    const shown = (url: string): string => elsewhereAddress(url, '/').shown;
    expect(shown('https://ann:geheim@example.com/a.git')).toBe('https://example.com/a.git');
    expect(shown('https://token@example.com:8443/a.git')).toBe('https://example.com:8443/a.git');
    expect(shown('ssh://git:geheim@example.com:2222/a.git')).toBe('ssh://git@example.com:2222/a.git');
    expect(shown('git@example.com:team/a.git')).toBe('git@example.com:team/a.git');
    expect(shown('https://example.com/a.git?token=geheim')).toBe('https://example.com/a.git?token=***');
  });

  it('never starts a program and never looks like an option', () => {
    for (const bad of [
      'ext::sh',
      'fd::1',
      '-x',
      '--upload-pack=x',
      'ssh://-o/x',
      'ssh://-o@h/x',
      '-h:x',
      'u@-h:x',
      'svn://h/x',
      '',
    ]) {
      expect(() => elsewhereAddress(bad, '/'), bad).toThrow(expect.objectContaining({ code: 'REMOTE_URL_INVALID' }));
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const { url } = elsewhereAddress(text, '/nowhere');
          expect(url.startsWith('-') || /^[a-z0-9+.-]+::/i.test(url)).toBe(false);
        } catch (error) {
          expect(['REMOTE_URL_INVALID', 'PATH_NOT_FOUND']).toContain((error as { code?: string }).code);
        }
      }),
    );
  });

  it('is told from a path or a revision where these are expected, too', () => {
    expect(['https://h/x', 'git@h:x', 'ssh://h/x', 'file:///x'].map(looksLikeGitUrl)).toEqual([true, true, true, true]);
    expect(['data/x', 'HEAD', 'main:x', 's3://b/k', 'model.pkl@v1', 'fraud@production'].map(looksLikeGitUrl)).toEqual(
      Array(6).fill(false),
    );
  });
});

describe('the environment of a Git that reads a repository elsewhere', () => {
  it('has no ties, no other transports, and without a source reaches nothing', () => {
    const env = {
      GIT_DIR: '/x',
      GIT_INDEX_FILE: '/y',
      HOME: '/h',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'a.b',
      GIT_CONFIG_VALUE_0: 'c',
    };
    const open = elsewhereEnvironment(env, { url: 'https://u:p@h/x', local: false });
    expect(open).toMatchObject({ HOME: '/h', GIT_CONFIG_KEY_0: 'a.b', GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh' });
    expect([open.GIT_DIR, open.GIT_INDEX_FILE]).toEqual([undefined, undefined]);
    expect(Object.values(open)).toContain('https://u:p@h/x');
    const closed = elsewhereEnvironment(env);
    expect(closed.GIT_ALLOW_PROTOCOL).toBe('none');
    expect(Object.values(closed)).not.toContain('https://u:p@h/x');
    const narrow = elsewhereEnvironment({ GIT_ALLOW_PROTOCOL: 'https' }, { url: 'x', local: false });
    expect(narrow.GIT_ALLOW_PROTOCOL).toBe('https');
  });
});

describe('a path in a repository elsewhere', () => {
  it('stays inside', () => {
    expect([elsewherePath('./data//x/'), elsewherePath('.'), elsewherePath('')]).toEqual(['data/x', '', '']);
    for (const bad of ['../x', 'a/../../x', '/etc/passwd', '.git/config', 'a/.GIT/x']) {
      expect(() => elsewherePath(bad), bad).toThrow(expect.objectContaining({ code: 'PATH_OUTSIDE_REPOSITORY' }));
    }
  });

  it('is decided by few pointers', () => {
    const file = (path: string, mode = '100644') => ({ path, mode, blob: path });
    const files = ['a.mlv', 'data.mlv', 'data/x.mlv', 'src/y.mlv', 'src/z.py', '.mlv'].map((path) => file(path));
    const names = (path: string) => {
      const found = pathCandidates([...files, file('link.mlv', '120000')], path);
      return [found.pointers.map((each) => each.path), found.file?.path, found.below.map((each) => each.path)];
    };
    expect(names('data/x/1.png')).toEqual([['data.mlv', 'data/x.mlv'], undefined, []]);
    expect(names('src')).toEqual([['src/y.mlv'], undefined, ['src/z.py']]);
    expect(names('src/z.py')).toEqual([[], 'src/z.py', []]);
    expect(names('a.mlv')).toEqual([['a.mlv'], undefined, []]);
    expect(names('link')).toEqual([[], undefined, []]);
  });
});

describe('the source in a pointer', () => {
  const pointer = `mlv: 1\npath: x\noid: blake3:${'a'.repeat(64)}\nsize: 1\n`;

  it('survives being written and read', () => {
    const word = fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
    const source: fc.Arbitrary<PointerSource> = fc.record(
      {
        url: word,
        oid: fc.constant(`blake3:${'b'.repeat(64)}` as PointerSource['oid']),
        path: word,
        rev: word,
        commit: fc.constant('c'.repeat(40)),
        etag: word,
        version: word,
        size: fc.nat(),
        modified: word,
        remote: word,
      },
      { requiredKeys: ['url', 'oid'] },
    );
    fc.assert(
      fc.property(source, (wanted) => {
        const text = withSource(pointer, wanted);
        expect(readSource(text)).toEqual(wanted);
        expect(withSource(text, wanted)).toBe(text);
      }),
    );
  });

  it('is none where it is text, or lacks what it needs', () => {
    const oid = `blake3:${'b'.repeat(64)}`;
    const none = [
      'source: a web page',
      `source: {oid: '${oid}'}`,
      'source: {url: x}',
      `source: {url: x, oid: '${oid}', commit: HEAD}`,
    ];
    for (const each of none) expect(readSource(`${pointer}${each}\n`), each).toBeUndefined();
    const git = readSource(`${pointer}source: {url: x, oid: '${oid}', commit: ${'c'.repeat(40)}, path: p}\n`);
    expect(git && isGitSource(git)).toBe(true);
  });
});
