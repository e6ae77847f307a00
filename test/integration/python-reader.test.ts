import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ObjectCache } from '../../src/objects/cache.js';
import type { Algorithm } from '../../src/objects/oid.js';
import { DirectoryRemote } from '../../src/remotes/directory.js';
import { push } from '../../src/transfer/push.js';
import type { PushRoot } from '../../src/transfer/roots.js';
import { randomBytes } from '../helpers/big-data.js';
import { describeTree } from '../helpers/describe-tree.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { directory, flipByte, keysOf, openCache, openSession, type Spec, store } from '../helpers/transfer.js';

const SCRIPT = fileURLToPath(new URL('../../docs/formats/read_remote.py', import.meta.url));
/** The interpreter that has what the script needs: .ci/run makes one with `blake3`. */
const PYTHON = process.env.MLV_TEST_PYTHON ?? 'python3';
const KiB = 1024;

const has = (module: string): boolean => spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;
const hasPython = has('hashlib');
const unavailable: Partial<Record<Algorithm, string>> = {};
if (!hasPython) unavailable.sha256 = `${PYTHON} is not there`;
if (!hasPython || !has('blake3')) unavailable.blake3 = `${PYTHON} has no module blake3 (pip install blake3)`;
if (process.env.MLV_TEST_PYTHON && Object.keys(unavailable).length > 0) throw new Error(JSON.stringify(unavailable));

const text = (rows: number): Buffer => Buffer.from(Array.from({ length: rows }, (_, row) => `${row},a,b\n`).join(''));
const SPEC: Record<string, Spec> = {
  'large.bin': randomBytes(5 * KiB * KiB, 1),
  'large.csv': text(600_000),
  'middle.csv': text(70_000),
  'middle.bin': randomBytes(900 * KiB, 2),
  'run.sh': { executable: Buffer.from('#!/bin/sh\n') },
  'überraschung 🎁\n': text(100),
  empty: '',
  nothing: directory(),
  sub: directory({ below: directory({ link: { link: '../../run.sh' }, 'a.bin': randomBytes(10, 3) }) }),
};

function read(remote: DirectoryRemote, oid: string): { status: number | null; stderr: string; target: string } {
  const target = join(temporaryDirectory('out'), 'target');
  const { status, stderr } = spawnSync(PYTHON, [SCRIPT, remote.url, oid, target], { encoding: 'utf8' });
  return { status, stderr, target };
}

describe.each(['sha256', 'blake3'] as const)('a remote read by a program in another language (%s)', (algorithm) => {
  let cache: ObjectCache;
  let remote: DirectoryRemote;
  let root: PushRoot;

  beforeAll(async () => {
    cache = await openCache(algorithm);
    remote = new DirectoryRemote(join(temporaryDirectory('remote'), 'new'));
    root = await store(cache, directory(SPEC));
    await push(openSession(cache, remote, { compress: true }), [root]);
  });

  it('gives a directory, and files stored in every way', async (context) => {
    context.skip(unavailable[algorithm] !== undefined, unavailable[algorithm]);
    const { status, stderr, target } = read(remote, root.oid);
    expect([status, stderr]).toEqual([0, '']);
    const found = describeTree(target);
    expect(Object.keys(found).length).toBe(Object.keys(SPEC).length + 3);
    for (const name of ['large.bin', 'large.csv', 'middle.csv', 'middle.bin', 'empty', 'überraschung 🎁\n']) {
      expect(readFileSync(join(target, name)).equals(Buffer.from(SPEC[name] as Buffer))).toBe(true);
    }
    for (const each of [SPEC['large.csv'] as Buffer, text(10)]) {
      const file = await store(cache, each, { path: 'file' });
      await push(openSession(cache, remote, { compress: true }), [file]);
      expect(readFileSync(read(remote, file.oid).target).equals(each)).toBe(true);
    }
  });

  it('refuses what is damaged', async (context) => {
    context.skip(unavailable[algorithm] !== undefined, unavailable[algorithm]);
    const [pack] = await keysOf(remote, 'packs/');
    const path = join(remote.url, pack as string);
    expect(existsSync(path)).toBe(true);
    chmodSync(path, 0o644);
    await flipByte(remote, pack as string, 100);
    const { status, stderr } = read(remote, root.oid);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^damaged: chunk [0-9a-f]{64} in pack/)]);
  });
});
