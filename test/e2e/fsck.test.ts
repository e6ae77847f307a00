import { appendFileSync, chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadHash } from '../../src/objects/hash.js';
import { digestOf, type Oid } from '../../src/objects/oid.js';
import { StatIndex } from '../../src/workspace/stat-index.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** A repository whose data is pushed, its remote, and where the objects of its two targets lie. */
async function pushed() {
  const store = join(temporaryDirectory('store'), 'store');
  const cwd = await makeMlvRepository({ 'data/a': 'a'.repeat(20_000), model: 'm'.repeat(20_000) });
  const { targets } = parseDocument('add', await mlv(['add', '--json', 'data', 'model'], { cwd }));
  await mlv(['remote', 'add', 'origin', store], { cwd });
  commitAll(cwd);
  await mlv(['push'], { cwd });
  const hex = targets[1]?.oid.split(':')[1] as string;
  return {
    cwd,
    store,
    oid: targets[1]?.oid as Oid,
    model: join(cwd, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2)),
  };
}

function damage(path: string): void {
  chmodSync(path, 0o644);
  appendFileSync(path, '!');
}

describe('mlv fsck', () => {
  it('finds nothing where all is well, remote included', async () => {
    const { cwd } = await pushed();
    const document = parseDocument('fsck', await mlv(['fsck', '--remote', '--deep', '--json'], { cwd }));
    expect(document).toMatchObject({
      cache: { objects: 3, damaged: [] },
      workspace: { unnoticed: [] },
      remotes: [{ findings: [] }],
    });
    expect(await mlv(['fsck'], { cwd })).toMatch(
      /^cache: 3 objects \(.*\) read, 0 damaged\nworkspace: nothing changed unnoticed\n$/,
    );
  });

  it('names a damaged object and ends with 5; --repair gets it again', async () => {
    const { cwd, model } = await pushed();
    damage(model);
    const found = await runMlv(['fsck', '--json'], { cwd });
    expect(found.exitCode).toBe(5);
    expect(parseDocument('fsck', found.stdout)).toMatchObject({
      cache: { damaged: [{ path: model }] },
      error: { code: 'OBJECT_CORRUPT' },
    });
    const repaired = parseDocument('fsck', await mlv(['fsck', '--repair', '--json'], { cwd }));
    expect(repaired.cache.damaged[0]?.movedTo).toContain('corrupt');
    expect(readFileSync(model, 'utf8')).toBe('m'.repeat(20_000));
    await mlv(['fsck'], { cwd });
  });

  it('reads files again that nothing says were written to, as after a disk lost bytes', async () => {
    const { cwd, oid } = await pushed();
    const file = join(cwd, 'model');
    writeFileSync(file, 'x'.repeat(20_000));
    expect(await mlv(['fsck'], { cwd })).toContain('nothing changed unnoticed');
    // Now the index is made to say that this very file, with these times, had the old content when it was read.
    await new Promise((resolve) => setTimeout(resolve, 60));
    await mlv(['status'], { cwd });
    const index = new StatIndex(join(cwd, '.git'), await loadHash('blake3'));
    const block = index.loadFiles();
    block.setDigest(block.find('model'), digestOf(oid));
    index.saveFiles(block);
    expect(await mlv(['status'], { cwd })).toBe('2 targets, nothing changed\n');
    const found = await runMlv(['fsck', '--json'], { cwd });
    expect(found.exitCode).toBe(5);
    expect(parseDocument('fsck', found.stdout).workspace.unnoticed).toEqual(['model']);
    await mlv(['fsck', '--repair'], { cwd });
    expect(await mlv(['status'], { cwd })).toContain('model  modified');
  });

  it('names what a remote lost and ends with 4; --repair uploads it again', async () => {
    const { cwd, store } = await pushed();
    rmSync(join(store, 'packs'), { recursive: true });
    const found = await runMlv(['fsck', '--remote', '--json'], { cwd });
    expect(found.exitCode).toBe(4);
    const [remote] = parseDocument('fsck', found.stdout).remotes;
    expect(remote?.findings.map(({ kind }) => kind)).toContain('pack-missing');
    const repaired = parseDocument('fsck', await mlv(['fsck', '--remote=origin', '--repair', '--json'], { cwd }));
    expect(repaired.remotes).toMatchObject([{ repaired: true }]);
    await mlv(['fsck', '--remote', '--deep'], { cwd });
  });

  it('finds a flipped byte in a pack with --deep, and ends with 5', async () => {
    const { cwd, store } = await pushed();
    const [folder] = readdirSync(join(store, 'packs/blake3')) as [string];
    const [name] = readdirSync(join(store, 'packs/blake3', folder)) as [string];
    const pack = join(store, 'packs/blake3', folder, name);
    const bytes = readFileSync(pack);
    bytes[100] = (bytes[100] as number) ^ 1;
    chmodSync(pack, 0o644);
    writeFileSync(pack, bytes);
    const result = await runMlv(['fsck', '--remote', '--deep'], { cwd });
    expect(result.stderr).toMatch(/mlv fsck --remote=\S+ --repair --deep$/m);
    expect([result.exitCode, result.stdout]).toEqual([5, expect.stringContaining(name)]);
  });
});
