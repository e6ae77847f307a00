import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { cloneRepository, commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let origin: string;
let store: string;
let bare: string;

function oidOf(pointer: string): string {
  return /^oid: (\S+)$/m.exec(readFileSync(join(origin, pointer), 'utf8'))?.[1] ?? '';
}

/** Lets two weeks pass at the remote. */
function pass(): void {
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
    const then = statSync(join(store, name)).mtimeMs / 1000 - 14 * 24 * 60 * 60;
    utimesSync(join(store, name), then, then);
  }
}

/** A version on a branch that is deleted everywhere, its tag, too; gives the oid that only the registry names. */
async function registeredAndForgotten(): Promise<{ oid: string; files: number }> {
  git(origin, 'checkout', '--quiet', '-b', 'experiment');
  writeFiles(origin, { 'data/file.txt': 'of the experiment '.repeat(1000), 'data/deep/other.txt': 'small' });
  await mlv(['add', '-q', 'data'], { cwd: origin });
  const commit = commitAll(origin, 'experiment');
  await mlv(['push', '-q'], { cwd: origin });
  const oid = oidOf('data.mlv');
  const item = { path: 'data', oid, sha256: `sha256:${'b'.repeat(64)}`, size: 18_005, files: 2 };
  const registry = await testRegistry(origin);
  await registry.change(() => ({
    subject: 'fraud@1.0.0: registered',
    register: { manifest: testManifest(commit, { artifacts: [item] }) },
  }));
  git(origin, 'checkout', '--quiet', 'main');
  git(origin, 'branch', '--quiet', '-D', 'experiment');
  for (const where of [origin, bare]) git(where, 'tag', '-d', 'fraud@1.0.0');
  git(origin, 'reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
  git(origin, 'gc', '--quiet', '--prune=now');
  return { oid, files: 2 };
}

beforeEach(async () => {
  store = join(temporaryDirectory('store'), 'remote');
  origin = await makeMlvRepository({ 'data/file.txt': 'of main' });
  bare = makeRepository({ name: 'bare', bare: true });
  git(origin, 'remote', 'add', 'origin', bare);
  await mlv(['remote', 'add', '-q', 'store', store], { cwd: origin });
  await mlv(['add', '-q', 'data'], { cwd: origin });
  commitAll(origin);
  git(origin, 'push', '--quiet', 'origin', 'main');
  await mlv(['push', '-q'], { cwd: origin });
});

describe('mlv gc --remote', () => {
  it('keeps what only a version of the registry names', async () => {
    const { oid } = await registeredAndForgotten();
    for (let round = 0; round < 2; round += 1) {
      pass();
      expect(JSON.parse(await mlv(['gc', '--remote', '--yes', '--json'], { cwd: origin })).setAside.objects).toEqual(
        [],
      );
    }
    const other = cloneRepository(bare);
    writeFiles(other, { 'data.mlv': `mlv: 1\npath: data\noid: ${oid}\nsize: 18005\nfiles: 2\n` });
    await mlv(['pull', '-q'], { cwd: other });
    expect(readFileSync(join(other, 'data/file.txt'), 'utf8')).toBe('of the experiment '.repeat(1000));
  });

  it('lets go of versions that no rule keeps, though their tags lead to them, and says which rule keeps the others', async () => {
    const registry = await testRegistry(origin);
    const oids: string[] = [];
    for (const version of ['1.0.0', '1.1.0']) {
      git(origin, 'checkout', '--quiet', '-b', `experiment-${version}`, 'main');
      writeFiles(origin, { 'data/file.txt': `of ${version} `.repeat(1000) });
      await mlv(['add', '-q', 'data'], { cwd: origin });
      const commit = commitAll(origin, version);
      await mlv(['push', '-q'], { cwd: origin });
      oids.push(oidOf('data.mlv'));
      const item = { path: 'data', oid: oidOf('data.mlv'), sha256: `sha256:${'b'.repeat(64)}`, size: 9000, files: 1 };
      const manifest = testManifest(commit, { version, artifacts: [item] });
      await registry.change(() => ({ subject: version, register: { manifest } }));
    }
    git(origin, 'checkout', '--quiet', 'main');
    git(origin, 'branch', '--quiet', '-D', 'experiment-1.0.0', 'experiment-1.1.0');
    git(origin, 'reflog', 'expire', '--expire=now', '--expire-unreachable=now', '--all');
    pass();
    const all = JSON.parse(await mlv(['gc', '--remote', '--json'], { cwd: origin }));
    expect([all.setAside.records, all.retention]).toEqual([0, null]);
    const rule = ['-c', 'retention.last=1', 'gc', '--remote'];
    const thinned = JSON.parse(await mlv([...rule, '--json'], { cwd: origin }));
    expect(thinned.setAside.objects.map(({ oid }: { oid: string }) => oid)).toEqual([oids[0]]);
    expect(thinned.retention).toEqual({
      kept: [{ model: 'fraud', version: '1.1.0', reasons: ['the newest'] }],
      released: ['fraud@1.0.0'],
    });
    expect(await mlv(rule, { cwd: origin })).toMatch(/fraud@1\.1\.0 {2}the newest\n {4}1 version that no rule keeps/);
  });

  it('keeps what was attached to an approval', async () => {
    writeFiles(origin, { 'report.html': 'all is well' });
    await mlv(['add', '-q', 'report.html'], { cwd: origin });
    await mlv(['push', '-q', 'report.html'], { cwd: origin });
    const manifest = testManifest(git(origin, 'rev-parse', 'HEAD').trim());
    const attachment = {
      name: 'report.html',
      oid: oidOf('report.html.mlv'),
      sha256: `sha256:${'b'.repeat(64)}`,
      size: 11,
    };
    const approved = testEvent(manifest, { type: 'approved', stage: 'production', attachments: [attachment] });
    const registry = await testRegistry(origin, { judge: () => {} });
    await registry.change(() => ({ subject: 'approved', register: { manifest }, events: [approved] }));
    await mlv(['rm', '-q', 'report.html'], { cwd: origin });
    pass();
    expect(JSON.parse(await mlv(['gc', '--remote', '--json'], { cwd: origin })).setAside.objects).toEqual([]);
  });

  it('does nothing where the registry cannot be read', async () => {
    await registeredAndForgotten();
    git(origin, 'checkout', '--quiet', 'mlv-registry');
    writeFiles(origin, { 'models/fraud/versions/1.0.0.yaml': 'mlv: 1\nmodel: fraud\n' });
    commitAll(origin, 'tampered');
    git(origin, 'checkout', '--quiet', 'main');
    pass();
    const result = await runMlv(['gc', '--remote', '--yes', '--json'], { cwd: origin });
    expect(result.exitCode).toBe(5);
    expect(JSON.parse(result.stdout).error).toMatchObject({
      code: 'REGISTRY_INVALID',
      data: { path: 'models/fraud/versions/1.0.0.yaml' },
    });
    expect(readdirSync(store)).not.toContain('gc');
  });
});
