import { describe, expect, it } from 'vitest';
import { writeFiles } from '../helpers/mlv-repository.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { cloneRepository, commitAll, git, makeRepository } from '../helpers/repository.js';

function repositoryWithCommit(): { path: string; commit: string } {
  const path = makeRepository();
  writeFiles(path, { 'train.py': 'print(1)\n' });
  return { path, commit: commitAll(path) };
}

/** A bare repository, and clones of it that have one commit. */
function sharedClones(count: number): { bare: string; clones: string[]; commit: string } {
  const { path, commit } = repositoryWithCommit();
  const bare = makeRepository({ name: 'bare', bare: true });
  git(path, 'push', '--quiet', bare, 'main');
  return { bare, clones: Array.from({ length: count }, () => cloneRepository(bare)), commit };
}

describe('a registry without a Git remote', () => {
  it('is empty, then holds what was registered, with its tag, and leaves the checkout alone', async () => {
    const { path, commit } = repositoryWithCommit();
    const registry = await testRegistry(path);
    expect(await (await registry.view()).models()).toEqual([]);
    const manifest = testManifest(commit);
    const { pushed, view } = await registry.change(() => ({
      subject: 'fraud@1.0.0: registered',
      register: { manifest },
    }));
    expect(pushed).toBe(false);
    expect((await view.model('fraud'))?.versions.get('1.0.0')?.summary.metrics.auc?.value).toBe(0.91);
    expect(await (await (await testRegistry(path)).view()).manifest('fraud', '1.0.0')).toEqual(manifest);
    expect(git(path, 'tag', '--list').trim()).toBe('fraud@1.0.0');
    expect(git(path, 'rev-parse', 'fraud@1.0.0^{commit}').trim()).toBe(commit);
    expect(git(path, 'status', '--porcelain')).toBe('');
    expect(git(path, 'log', '--format=%s %an', 'mlv-registry').trim()).toBe('fraud@1.0.0: registered Test Author');
  });

  it('refuses the same number twice', async () => {
    const { path, commit } = repositoryWithCommit();
    const registry = await testRegistry(path);
    const register = { manifest: testManifest(commit) };
    await registry.change(() => ({ subject: 'one', register }));
    await expect(registry.change(() => ({ subject: 'two', register }))).rejects.toMatchObject({
      code: 'VERSION_EXISTS',
    });
  });
});

describe('a registry with a Git remote', () => {
  it('is sent at once, and seen by another clone after its next write', async () => {
    const { bare, clones, commit } = sharedClones(2);
    const [first, second] = await Promise.all(clones.map((clone) => testRegistry(clone)));
    const one = testManifest(commit);
    await first!.change(() => ({ subject: 'one', register: { manifest: one } }));
    expect(git(bare, 'tag', '--list').trim()).toBe('fraud@1.0.0');
    const promoted = testEvent(one, { type: 'promoted', stage: 'production', from: 'none', traffic: 100 });
    const { view, pushed } = await second!.change(() => ({ subject: 'two', events: [promoted] }));
    expect(pushed).toBe(true);
    expect((await view.model('fraud'))?.stages.get('production')?.map(({ version }) => version)).toEqual(['1.0.0']);
    expect((await first!.pull()).received).toBe(1);
    await second!.pull();
    expect(git(clones[1]!, 'tag', '--list').trim()).toBe('fraud@1.0.0');
    git(bare, 'tag', '--force', '-m', 'moved', 'fraud@1.0.0', 'main');
    expect(await second!.pull()).toMatchObject({ tagsKept: expect.stringContaining('fraud@1.0.0') });
    expect((await (await first!.view()).model('fraud'))?.stages.has('production')).toBe(true);
  });

  it('keeps what was written with --no-push, and puts it behind what others wrote', async () => {
    const { bare, clones, commit } = sharedClones(2);
    const [first, second] = await Promise.all(clones.map((clone) => testRegistry(clone)));
    await first!.change(() => ({ subject: 'one', register: { manifest: testManifest(commit) } }));
    await second!.change(
      () => ({ subject: 'other', register: { manifest: testManifest(commit, { version: '1.1.0' }) } }),
      {
        push: false,
      },
    );
    git(clones[1]!, 'fetch', '--quiet');
    await expect(second!.view()).rejects.toMatchObject({ code: 'REGISTRY_DIVERGED' });
    expect(await second!.push()).toMatchObject({ received: 1, sent: 1 });
    expect([...(await (await second!.view()).model('fraud'))!.versions.keys()]).toEqual(['1.0.0', '1.1.0']);
    expect(git(bare, 'tag', '--list').trim().split('\n')).toEqual(['fraud@1.0.0', 'fraud@1.1.0']);
    expect(await second!.status({ fetch: true })).toMatchObject({ ahead: 0, behind: 0 });
  });

  it('is found by a shallow clone that has neither branch nor tags', async () => {
    const { bare, clones, commit } = sharedClones(1);
    const writer = await testRegistry(clones[0]!);
    await writer.change(() => ({ subject: 'one', register: { manifest: testManifest(commit) } }));
    const shallow = await testRegistry(cloneRepository(`file://${bare}`, '--depth', '1', '--no-tags'));
    expect((await shallow.view()).tip).toBeUndefined();
    expect(await (await shallow.viewOrFetch()).models()).toEqual(['fraud']);
  });
});
