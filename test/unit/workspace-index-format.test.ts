import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { type HashFunction, loadHash } from '../../src/objects/hash.js';
import { KIND } from '../../src/objects/tree-format.js';
import { DirectoryBlock } from '../../src/workspace/directory-block.js';
import { decodeIndex, encodeIndex } from '../../src/workspace/index-format.js';

let hash: HashFunction;

beforeAll(async () => {
  hash = await loadHash('blake3');
});

interface Shape {
  files: { name: string; size: number; time: number }[];
  links: string[];
  folders: Shape[];
}

function shapeWith(folders: fc.Arbitrary<Shape[]>): fc.Arbitrary<Shape> {
  const file = fc.record({ name: fc.stringMatching(/^f[a-z\n é🧪]{0,5}$/u), size: fc.maxSafeNat(), time: fc.double() });
  return fc.record({
    files: fc.uniqueArray(file, { selector: ({ name }) => name, maxLength: 4 }),
    links: fc.array(fc.stringMatching(/^[a-z/é]{1,9}$/u), { maxLength: 3 }),
    folders,
  });
}

const leaf = shapeWith(fc.constant([]));
const shape = shapeWith(fc.array(shapeWith(fc.array(leaf, { maxLength: 2 })), { maxLength: 2 }));

function blockOf({ files, links, folders }: Shape): DirectoryBlock {
  const names = [
    ...files.map(({ name }) => name),
    ...links.map((_, at) => `l${at}`),
    ...folders.map((_, at) => `t${at}`),
  ];
  const block = new DirectoryBlock(names);
  for (const [at, { size, time }] of files.entries()) {
    block.kinds[at] = KIND.file;
    block.setStat(at, { size, mtimeMs: time, ctimeMs: time / 3, ino: at });
    block.setDigest(at, Buffer.alloc(32, at + 1));
  }
  for (const [at, target] of links.entries()) {
    block.kinds[files.length + at] = KIND.link;
    block.targets.set(files.length + at, target);
  }
  for (const [at, folder] of folders.entries()) {
    block.kinds[files.length + links.length + at] = KIND.tree;
    block.children.set(files.length + links.length + at, blockOf(folder));
  }
  block.treeDigest = Buffer.alloc(32, names.length);
  block.size = 12345678901234;
  block.files = names.length;
  return block;
}

it('an index comes back as it was written', () => {
  fc.assert(
    fc.property(shape, fc.option(fc.constant(Buffer.alloc(32, 9)), { nil: undefined }), (each, base) => {
      const target = { base, block: blockOf(each) };
      expect(decodeIndex(Buffer.concat(encodeIndex(target, hash)), hash)).toEqual(target);
    }),
  );
});

it('an index with any byte flipped, or cut anywhere, counts as none', () => {
  const block = blockOf({
    files: [{ name: 'f', size: 1, time: 2 }],
    links: ['x'],
    folders: [{ files: [], links: [], folders: [] }],
  });
  const bytes = Buffer.concat(encodeIndex({ base: undefined, block }, hash));
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x10;
    expect(decodeIndex(damaged, hash)).toBeUndefined();
    expect(decodeIndex(bytes.subarray(0, at), hash)).toBeUndefined();
  }
  expect(decodeIndex(bytes, hash)).toBeDefined();
});
