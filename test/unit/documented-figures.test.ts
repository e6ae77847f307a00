import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/config.js';
import { FIXED, type FixedKey, OF_REMOTE, textOf } from '../../src/config/settings.js';
import { isStaleTemporary, temporaryName } from '../../src/core/temporary-name.js';
import { PATCH_LIMIT, UNTRACKED_FILE_LIMIT, UNTRACKED_TOTAL_LIMIT } from '../../src/git/difference.js';
import { MAX_TREE_LEVELS } from '../../src/objects/tree-format.js';
import { MANIFEST_LIMIT } from '../../src/registry/manifest-format.js';
import {
  DULL_CHUNKS,
  LEAST_SAVING,
  LOOKED_AT,
  MOST_BITS,
  SAMPLE_BLOCK_BYTES,
  SAMPLE_BLOCKS,
} from '../../src/transfer/chunk-codec.js';
import { DEFAULT_CHUNKER } from '../../src/transfer/chunker-params.js';
import { LEASE_MS } from '../../src/transfer/collection-lease.js';
import { MOST_SCATTERED, OF_DIRECTORY, OFTEN_FILES, REWRITTEN_TO } from '../../src/transfer/fragmentation.js';
import { GEAR_WINDOW } from '../../src/transfer/gear-scan.js';
import { DEFAULT_PACK_BYTES, MOST_CHUNK_BYTES, PACK_BYTES_LIMITS } from '../../src/transfer/pack-format.js';
import { DEFAULT_RANGES } from '../../src/transfer/range-plan.js';
import { encodeRemoteInfo, newRemoteInfo, REMOTE_INFO_MAX_BYTES } from '../../src/transfer/remote-info.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A document as one line, so that it does not matter where its lines end. */
function document(name: string): string {
  return readFileSync(`${ROOT}docs/${name}`, 'utf8').replaceAll(/\s+/g, ' ');
}

function bytes(count: number): string {
  const [unit, size] = count >= 2 ** 30 ? ['GiB', 2 ** 30] : count >= 2 ** 20 ? ['MiB', 2 ** 20] : ['KiB', 2 ** 10];
  return `${count / size} ${unit}`;
}

function thousands(count: number): string {
  return count.toLocaleString('en');
}

const { gap, most } = DEFAULT_RANGES;
const { spare } = OF_DIRECTORY;
const { min, target, max } = DEFAULT_CHUNKER;

describe('a document says the figure that the program has', () => {
  it.each([
    ['formats/remote.md', `UTF-8 JSON, at most ${bytes(REMOTE_INFO_MAX_BYTES)},`],
    [
      'formats/remote.md',
      `| most bytes of a pack, ${bytes(PACK_BYTES_LIMITS.least)} to ${bytes(PACK_BYTES_LIMITS.most)};`,
    ],
    ['formats/remote.md', `at most ${bytes(gap)} apart to requests of at most ${bytes(most)}.`],
    ['formats/remote.md', `with ${bytes(gap)} for each request`],
    ['formats/remote.md', `more than ${MOST_SCATTERED} times what it would in one piece, the next one`],
    ['formats/remote.md', `until the rest costs at most ${REWRITTEN_TO} times. So no version of a file`],
    ['formats/remote.md', `and ${spare.most} requests beyond (${bytes(spare.most * gap)}:`],
    ['formats/remote.md', `until the rest costs at most ${REWRITTEN_TO} times and ${spare.to} requests.`],
    ['formats/remote.md', `Of a directory of more than ${thousands(OFTEN_FILES)} files every fourth`],
    ['formats/remote.md', `void ${LEASE_MS / 60_000} minutes after its last modification`],
    ['formats/pack.md', `(${bytes(DEFAULT_PACK_BYTES)} unless the remote says otherwise)`],
    ['formats/pack.md', `than the raw one, which is at most ${bytes(MOST_CHUNK_BYTES)} |`],
    [
      'formats/pack.md',
      `${SAMPLE_BLOCKS} × ${bytes(SAMPLE_BLOCK_BYTES)} of a chunk's bytes: above ${MOST_BITS} bits a byte`,
    ],
    [
      'formats/chunking.md',
      `with \`min\` ${bytes(min)}, \`target\` ${bytes(target)} and \`max\` ${bytes(max)} the cuts are Xet's`,
    ],
    [
      'formats/chunking.md',
      `\`min\` is at least ${GEAR_WINDOW}, \`max\` and \`whole\` are at most ${bytes(MOST_CHUNK_BYTES)}.`,
    ],
    ['formats/tree.md', `directories that lie more than ${thousands(MAX_TREE_LEVELS)} levels deep`],
    ['formats/registry.md', `(a manifest: ${bytes(MANIFEST_LIMIT)})`],
    ['formats/run.md', `(it is not above ${bytes(PATCH_LIMIT)})`],
    ['formats/run.md', `above ${bytes(UNTRACKED_FILE_LIMIT)}, beyond ${bytes(UNTRACKED_TOTAL_LIMIT)} in all,`],
    [
      'registering.md',
      `files up to ${bytes(UNTRACKED_FILE_LIMIT)} each, ${bytes(UNTRACKED_TOTAL_LIMIT)} in all, among it)`,
    ],
  ])('%s: %s', (name, sentence) => {
    expect(document(name)).toContain(sentence);
  });

  it('formats/pack.md: when chunks are tried, and what they must save', () => {
    expect([DULL_CHUNKS, LOOKED_AT, LEAST_SAVING]).toEqual([16, 8, 1 / 8]);
    const text = document('formats/pack.md');
    expect(text).toContain('Behind 16 chunks of one file in a row that are not tried, one of eight is looked at');
    expect(text).toContain('does not make smaller by an eighth is stored as it is');
  });

  it('formats/cache.md: how long what another machine left is respected', () => {
    expect(document('formats/cache.md')).toContain('that of another machine after a week');
    const name = temporaryName().replace(/^[^-]+/, 'another');
    const week = 7 * 24 * 3600 * 1000;
    expect([week - 1, week + 1].map((age) => isStaleTemporary(name, age))).toEqual([false, true]);
  });

  it('formats/remote.md: the mlv.json of a new remote', () => {
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(readFileSync(`${ROOT}docs/formats/remote.md`, 'utf8')) ?? [];
    const info = newRemoteInfo('00000000-0000-4000-8000-000000000001', 'blake3');
    expect(example).toBe(encodeRemoteInfo(info).toString());
  });
});

describe('the settings', () => {
  const rows = new Map(
    [
      ...readFileSync(`${ROOT}docs/configuration.md`, 'utf8').matchAll(/^\| `([a-z.-]+)`( \*)? \| (?:`(.*)`)? ?\|/gm),
    ].map(([, key = '', personal, fallback]) => [key, { fallback, personal: personal !== undefined }]),
  );
  const paths = { cache: '/repository/.git/mlv', home: '/home/ada' };
  const { values } = resolveConfig({ files: {}, environment: {}, flags: {}, project: undefined, paths });

  it.each(Object.keys(FIXED) as FixedKey[])('%s is documented with its default, and who may set it', (key) => {
    const value = values.get(key)?.value;
    // Where the cache is follows from the repository.
    const fallback = key === 'cache.dir' ? '.git/mlv' : value === undefined ? undefined : textOf(value);
    expect(rows.get(key)).toEqual({ fallback, personal: !FIXED[key].project });
  });

  it('that are documented are all there', () => {
    expect([...rows.keys()].filter((key) => !Object.hasOwn(FIXED, key))).toEqual([]);
  });

  it('of a remote are all documented', () => {
    const text = document('remotes.md');
    const missing = Object.keys(OF_REMOTE).filter((key) => !new RegExp(`[\`.]${key}\``).test(text));
    expect(missing).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const text = readFileSync(`${ROOT}docs/architecture.md`, 'utf8');
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' });
  const names = new Set(sources.map((path) => basename(path)));

  it('names no file that is not there', () => {
    const named = [...text.matchAll(/`([\w./-]+\.ts|build\/[\w.-]+)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(50);
    const isThere = (path: string): boolean =>
      path.includes('/') ? existsSync(`${ROOT}src/${path}`) || existsSync(`${ROOT}${path}`) : names.has(path);
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  it('names every folder of src', () => {
    const folders = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((each) => each.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });
});
