import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames, entryNameProblem, sortNames } from '../../src/objects/entry-name.js';
import {
  decodeTree,
  encodeTree,
  KIND,
  linkStaysInside,
  TREE_MAGIC,
  type TreeEntry,
} from '../../src/objects/tree-format.js';

const DIGEST = Buffer.alloc(32, 0xab);
const anyText = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
const name = anyText.filter(
  (text) => !/\p{Surrogate}/u.test(text) && entryNameProblem(Buffer.from(text)) === undefined,
);
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const count = fc.maxSafeNat();

const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
  fc.record({ kind: fc.constantFrom('file' as const, 'executable' as const), name, size: count, digest }),
  fc.record({
    kind: fc.constant('link' as const),
    name,
    target: anyText.filter((text) => !/\p{Surrogate}/u.test(text)),
  }),
  fc.record({ kind: fc.constant('tree' as const), name, size: count, files: count, digest }),
);

const byName = (left: TreeEntry, right: TreeEntry): number =>
  Buffer.compare(Buffer.from(left.name), Buffer.from(right.name));
const entries = fc
  .uniqueArray(entry, { selector: (each) => each.name, maxLength: 12 })
  .map((list) => list.sort(byName));

describe('trees', () => {
  it('come back as they were written, and the same entries are always the same bytes', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const bytes = encodeTree(list);
        expect(decodeTree(bytes)).toEqual(list);
        expect(encodeTree(decodeTree(bytes)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('are refused when they end anywhere before their end, but between entries', () => {
    const list: TreeEntry[] = [
      { kind: 'executable', name: 'a', size: 300, digest: DIGEST },
      { kind: 'link', name: 'b', target: 'a' },
      { kind: 'tree', name: 'c', size: 1, files: 2, digest: DIGEST },
    ];
    const bytes = encodeTree(list);
    const whole = [0, 1, 2, 3].map((length) => encodeTree(list.slice(0, length)).length);
    for (let length = 0; length < bytes.length; length++) {
      if (whole.includes(length)) expect(decodeTree(bytes.subarray(0, length)).length).toBe(whole.indexOf(length));
      else
        expect(() => decodeTree(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'TREE_INVALID' }));
    }
  });

  it('give an error or entries that are the same bytes again, whatever is in them', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.nat(255), (list, at, value) => {
        const bytes = Buffer.from(encodeTree(list));
        bytes[at % bytes.length] = value;
        let decoded: TreeEntry[];
        try {
          decoded = decodeTree(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'TREE_INVALID' });
          return;
        }
        // A link's target may hold any bytes; a checkout looks at what it says.
        if (decoded.some((each) => each.kind === 'link' && each.target.includes('\ufffd'))) return;
        expect(encodeTree(decoded).equals(bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function fileNamed(nameBytes: Buffer, size = Buffer.from([1])): Buffer {
  return Buffer.concat([Buffer.from([KIND.file, nameBytes.length]), nameBytes, size, DIGEST]);
}

describe('a reader refuses', () => {
  const BAD_NAMES = [
    '',
    '.',
    '..',
    'a/b',
    '/',
    'a\0',
    '.git',
    '.GIT',
    '.Git',
    '.git.',
    '.git ',
    '.git::$INDEX_ALLOCATION',
    'git~1',
    'GIT~1',
    '.g\u200cit',
    '\ufeff.git',
  ];

  it.each([
    ...BAD_NAMES.map((text) => Buffer.from(text)),
    Buffer.from([0xe9]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xc0, 0xae]),
  ])('the name %j', (bytes) => {
    expect(() => decodeTree(Buffer.concat([TREE_MAGIC, fileNamed(bytes)]))).toThrow(
      expect.objectContaining({ code: 'TREE_INVALID' }),
    );
  });

  it.each<[string, Buffer[]]>([
    ['another magic', [Buffer.from('mlvtree\x02')]],
    ['names out of order', [TREE_MAGIC, fileNamed(Buffer.from('b')), fileNamed(Buffer.from('a'))]],
    ['a name twice', [TREE_MAGIC, fileNamed(Buffer.from('a')), fileNamed(Buffer.from('a'))]],
    ['a number that is not the shortest', [TREE_MAGIC, fileNamed(Buffer.from('a'), Buffer.from([0x81, 0]))]],
    [
      'a number above 2^53 - 1',
      [TREE_MAGIC, fileNamed(Buffer.from('a'), Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]))],
    ],
    ['an unknown kind', [TREE_MAGIC, Buffer.from([0x21, 1, 0x61])]],
    ['a link without a target', [TREE_MAGIC, Buffer.from([KIND.link, 1, 0x61, 0])]],
    ['bytes behind the end', [TREE_MAGIC, fileNamed(Buffer.from('a')), Buffer.from([0])]],
  ])('%s', (_, parts) => {
    expect(() => decodeTree(Buffer.concat(parts))).toThrow(expect.objectContaining({ code: 'TREE_INVALID' }));
  });

  it.each(['.gitignore', 'git', '.gitx', 'x.git', '...', 'git~2', 'é', '🧪', 'a\nb'])('nothing about %j', (text) => {
    expect(entryNameProblem(Buffer.from(text))).toBeUndefined();
  });
});

describe('the order of names', () => {
  const text = fc.string({ unit: 'binary' }).filter((each) => !/\p{Surrogate}/u.test(each));

  it('is that of their UTF-8 bytes, also where UTF-16 has another', () => {
    const sign = (left: string, right: string): number =>
      Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    fc.assert(fc.property(text, text, (left, right) => Math.sign(compareNames(left, right)) === sign(left, right)));
    expect(sign('\uffff', '😀')).toBe(Math.sign(compareNames('\uffff', '😀')));
    fc.assert(
      fc.property(fc.array(fc.oneof(text, fc.constantFrom('\uffff', '😀', '\ue000', 'a😀', 'a\uffff'))), (names) => {
        const byBytes = [...names].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
        expect(sortNames([...names])).toEqual(byBytes);
      }),
    );
  });
});

it.each<[string, string, boolean]>([
  ['', 'a', true],
  ['', 'a/b', true],
  ['', './a', true],
  ['sub', '../a', true],
  ['sub/deep', '../../a', true],
  ['sub', '..', true],
  ['', '..', false],
  ['', '../a', false],
  ['sub', '../../a', false],
  ['sub', '.././../a', false],
  ['', 'a/..', false],
  ['', 'a/../../b', false],
  ['', '/etc/passwd', false],
  ['', 'C:/x', false],
  ['', 'c:x', false],
  ['', '..\\x', false],
  ['', 'a\0b', false],
  ['', '', false],
  ['', '.git/hooks', false],
  ['sub', '../.git', false],
])('a link in %j to %j stays inside: %s', (directory, target, expected) => {
  expect(linkStaysInside(directory === '' ? [] : directory.split('/'), target)).toBe(expected);
});
