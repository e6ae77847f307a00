import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Oid } from '../../src/objects/oid.js';
import { ContentSha256 } from '../../src/registry/content-sha256.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const LARGE = Buffer.alloc(3 * 1024 * 1024, 'large');

async function added(): Promise<
  TestWorkspace & { file: Oid; directory: Oid; totals: { files: number; size: number } }
> {
  const workspace = await testWorkspace();
  workspace.write('model', 'model');
  for (const [path, content] of [
    ['data/a/x', 'one'],
    ['data/a-b', 'two'],
    ['data/large', LARGE],
    ['data/line\nbreak', 'three'],
  ] as const) {
    workspace.write(path, content);
  }
  await workspace.add(['model', 'data']);
  const { oid, files = 0, size } = workspace.pointer('data');
  return { ...workspace, file: workspace.pointer('model').oid, directory: oid, totals: { files, size } };
}

function memoryFiles(directory: string): string[] {
  const names = readdirSync(join(directory, 'sha256'), { recursive: true, withFileTypes: true });
  return names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}

describe('the SHA-256 of objects', () => {
  it('is that of the bytes, and of a directory that of what sha256sum would print', async () => {
    const { repository, file, directory, totals } = await added();
    const digests = new ContentSha256(repository.cache);
    expect(await digests.file(file, 5)).toBe(`sha256:${sha256('model')}`);
    const lines = [
      `${sha256('two')}  a-b\n`,
      `${sha256('one')}  a/x\n`,
      `${sha256(LARGE)}  large\n`,
      `\\${sha256('three')}  line\\nbreak\n`,
    ];
    expect(await digests.directory(directory, totals)).toBe(`sha256:${sha256(lines.join(''))}`);
  });

  it('is computed once: afterwards nothing is read, and of a newer directory only what is new', async () => {
    const workspace = await added();
    const { repository, file, directory, totals } = workspace;
    const { cache } = repository;
    const first = new ContentSha256(cache);
    const known = [await first.file(file, 5), await first.directory(directory, totals)];
    workspace.write('data/new', 'new');
    await workspace.add('data');
    for (const content of ['model', 'one', 'two', 'three', LARGE])
      rmSync(workspace.objectPath(workspace.oidOf(content)));
    const again = new ContentSha256(cache, { related: [directory] });
    expect([await again.file(file, 5), await again.directory(directory, totals)]).toEqual(known);
    const { oid } = workspace.pointer('data');
    expect(await again.directory(oid, totals)).toMatch(/^sha256:/);
  });

  it('is never told of a damaged object', async () => {
    const workspace = await added();
    const { repository, file, directory, totals } = workspace;
    for (const content of ['model', LARGE]) {
      const path = workspace.objectPath(workspace.oidOf(content));
      chmodSync(path, 0o644);
      writeFileSync(path, Buffer.from(content).fill(0));
    }
    const digests = new ContentSha256(repository.cache);
    await expect(digests.file(file, 5)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    await expect(digests.directory(directory, totals)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
  });

  it('is computed anew where what was remembered is cut off or changed', async () => {
    const { repository, file, directory, totals } = await added();
    const { cache } = repository;
    const first = new ContentSha256(cache);
    const right = [await first.file(file, 5), await first.directory(directory, totals)];
    for (const damage of [(bytes: Buffer) => bytes.subarray(0, -1), (bytes: Buffer) => bytes.fill(1, 50, 60)]) {
      for (const path of memoryFiles(cache.directory)) writeFileSync(path, damage(readFileSync(path)));
      const again = new ContentSha256(cache);
      expect([await again.file(file, 5), await again.directory(directory, totals)]).toEqual(right);
    }
  });

  it('is the oid itself where objects are named by SHA-256', async () => {
    const workspace = await testWorkspace({ algorithm: 'sha256' });
    workspace.write('model', 'model');
    await workspace.add('model');
    const { oid } = workspace.pointer('model');
    rmSync(workspace.objectPath(oid));
    expect(await new ContentSha256(workspace.repository.cache).file(oid, 5)).toBe(oid);
  });
});
