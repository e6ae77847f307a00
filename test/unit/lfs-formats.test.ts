import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LfsFilters, parseAttributes, withoutLfs } from '../../src/interop/lfs-attributes.js';
import { batchRequest, parseBatchAnswer } from '../../src/interop/lfs-batch.js';
import { lfsEndpoint, parseAuthenticate } from '../../src/interop/lfs-endpoint.js';
import { parseLfsPointer } from '../../src/interop/lfs-pointer.js';

const OID = 'a'.repeat(64);
const V1 = 'version https://git-lfs.github.com/spec/v1\n';

describe('pointers of Git LFS', () => {
  it('are read, with extensions', () => {
    const parse = (text: string) => parseLfsPointer(Buffer.from(text));
    expect(parse(`${V1}oid sha256:${OID}\nsize 12\n`)).toEqual({ oid: OID, size: 12, extensions: [], original: OID });
    expect(
      parse(`${V1}ext-1-b sha256:${'c'.repeat(64)}\next-0-a sha256:${'b'.repeat(64)}\noid sha256:${OID}\nsize 1\n`),
    ).toEqual({
      oid: OID,
      size: 1,
      extensions: ['a', 'b'],
      original: 'b'.repeat(64),
    });
    expect(parse(`version http://git-media.io/v/2\noid sha256:${OID}\nsize 1`)?.size).toBe(1);
  });

  it.each([
    '',
    V1,
    `${V1}oid md5:${OID}\nsize 1\n`,
    `${V1}oid sha256:${OID}\nsize -1\n`,
    `${V1}oid sha256:${OID}\nsize 1\nmore things here\n`,
    `${V1}oid sha256:${OID}\noid sha256:${OID}\nsize 1\n`,
    `${V1}oid sha256:${OID}\nsize 1\nunknown 1\n`,
    `${V1}oid sha256:../../../${OID.slice(9)}\nsize 1\n`,
    `version https://example.com/v9\noid sha256:${OID}\nsize 1\n`,
    `${V1}oid sha256:${OID}\nsize 1\n${' '.repeat(2000)}`,
  ])('%j is none', (text) => {
    expect(parseLfsPointer(Buffer.from(text))).toBeUndefined();
  });

  it('never fail on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseLfsPointer(Buffer.concat([Buffer.from(V1), bytes]));
      }),
    );
  });
});

describe('.gitattributes', () => {
  const filters = (files: Record<string, string>, above?: string): LfsFilters =>
    new LfsFilters(
      new Map(Object.entries(files).map(([path, text]) => [path, parseAttributes(text)])),
      above === undefined ? undefined : parseAttributes(above),
    );

  it('say what is tracked: the last line of the deepest file that says something', () => {
    const found = filters(
      {
        '.gitattributes':
          '[attr]big filter=lfs -text\n*.bin filter=lfs\n/only.top big\n"a b.*" filter=lfs\ndir/ filter=lfs\n!x filter=lfs\n',
        'sub/.gitattributes': '*.bin !filter\nkeep/** filter=lfs\nkeep/not.bin -filter\n#c.bin filter=lfs\n',
      },
      'sub/always.txt filter=lfs\n',
    );
    const tracked = ['x.bin', 'only.top', 'a b.c', 'deep/er/x.bin', 'sub/keep/a/b', 'sub/always.txt'];
    const others = ['sub/x.bin', 'sub/only.top', 'dir/x', 'x', 'sub/keep/not.bin', 'X.BIN', 'sub/c.bin'];
    expect(tracked.filter((path) => !found.tracks(path))).toEqual([]);
    expect(others.filter((path) => found.tracks(path))).toEqual([]);
  });

  it('lose what Git LFS says and nothing else', () => {
    const text =
      '# large\n[attr]big filter=lfs diff=lfs merge=lfs -text\n*.bin\tfilter=lfs diff=lfs merge=lfs -text\r\n*.psd big\n*.md eol=lf filter=lfs\n*.txt text\n*.x !filter\n';
    const file = parseAttributes(text);
    const macros = filters({ '.gitattributes': text }).lfsMacros;
    expect(withoutLfs(file, macros)).toBe('# large\n*.md eol=lf\n*.txt text\n*.x !filter\n');
    expect(withoutLfs(parseAttributes('*.bin filter=lfs lockable\n'), macros)).toBe('');
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('*.a text', '', '# x', '"q q" -text', '*.b filter=other', '  *.c eol=lf ')),
        (lines) => {
          const plain = `${lines.join('\n')}\nend text\n`;
          return withoutLfs(parseAttributes(plain), new Set()) === plain;
        },
      ),
    );
  });
});

describe('the batch API', () => {
  const asked = [{ oid: OID, size: 5 }];
  const parse = (value: unknown) =>
    parseBatchAnswer(JSON.stringify(value), asked, { now: 1000, base: 'https://example.com/lfs' });

  it('is asked, and answers', () => {
    expect(JSON.parse(batchRequest(asked))).toEqual({
      operation: 'download',
      transfers: ['basic'],
      hash_algo: 'sha256',
      objects: asked,
    });
    const download = { href: '/x', header: { Authorization: 'a', 'bad header': 'x', Other: 'a\r\nb' }, expires_in: 5 };
    expect(
      parse({
        objects: [
          { oid: OID, size: 5, actions: { download } },
          { oid: 'b'.repeat(64), size: 1 },
        ],
      }),
    ).toEqual([
      { oid: OID, download: { href: 'https://example.com/x', headers: { Authorization: 'a' }, expires: 6000 } },
    ]);
  });

  it.each([
    [{ objects: [{ oid: OID, error: { code: 404, message: 'gone' } }] }, 'gone (404)'],
    [{ objects: [{ oid: OID, size: 9 }] }, 'the server says that it has 9 bytes'],
    [{ objects: [{ oid: OID, size: 5, actions: { download: { href: 'file:///etc/passwd' } } }] }, 'of the kind file:'],
    [{ objects: [{ oid: OID, size: 5 }] }, 'does not say where'],
    [{ objects: [] }, 'did not answer'],
  ])('%j', (value, problem) => {
    expect(parse(value)).toMatchObject([{ oid: OID, problem: expect.stringContaining(problem) }]);
  });

  it('is no other answer', () => {
    expect(parse({})).toBeUndefined();
    expect(parse({ transfer: 'tus', objects: [] })).toBeUndefined();
    expect(parseBatchAnswer('<html>', asked, { now: 0, base: 'https://example.com' })).toBeUndefined();
  });
});

describe('the address of a server', () => {
  it.each([
    [
      { url: 'https://lfs.example.com/x', remoteUrl: 'https://git.example.com/a' },
      { kind: 'http', url: 'https://lfs.example.com/x' },
    ],
    [{ remoteUrl: 'https://git.example.com/a/b' }, { kind: 'http', url: 'https://git.example.com/a/b.git/info/lfs' }],
    [
      { remoteUrl: 'https://git.example.com/a/b.git/' },
      { kind: 'http', url: 'https://git.example.com/a/b.git/info/lfs' },
    ],
    [{ remoteUrl: '/srv/git/a' }, { kind: 'directory', path: '/srv/git/a' }],
    [{ remoteUrl: 'file:///srv/git/a' }, { kind: 'directory', path: '/srv/git/a' }],
    [
      { remoteUrl: 'git@example.com:a/b.git' },
      {
        kind: 'ssh',
        host: 'example.com',
        user: 'git',
        path: 'a/b.git',
        fallback: 'https://example.com/a/b.git/info/lfs',
      },
    ],
    [
      { remoteUrl: 'ssh://git@example.com:2222/a/b' },
      {
        kind: 'ssh',
        host: 'example.com',
        user: 'git',
        port: '2222',
        path: '/a/b',
        fallback: 'https://example.com/a/b.git/info/lfs',
      },
    ],
    [{ remoteUrl: '-oProxyCommand=x:y' }, undefined],
    [{ remoteUrl: 'ssh://-oProxyCommand=x/y' }, undefined],
    [
      { url: 'ssh://50%@example.com/a.git' },
      {
        kind: 'ssh',
        host: 'example.com',
        user: '50%',
        path: '/a.git',
        fallback: 'https://example.com/a.git/info/lfs',
      },
    ],
    [{ remoteUrl: 'ext::sh -c x' }, undefined],
    [{}, undefined],
  ])('%j', (urls, endpoint) => {
    expect(lfsEndpoint(urls)).toEqual(endpoint);
  });

  it('comes over SSH as JSON, or not at all', () => {
    expect(parseAuthenticate('{"href": "https://x/y", "header": {"Authorization": "a"}}')).toEqual({
      href: 'https://x/y',
      headers: { Authorization: 'a' },
    });
    expect(parseAuthenticate('Welcome!')).toBeUndefined();
    expect(parseAuthenticate('{"href": "file:///x"}')).toBeUndefined();
  });
});
