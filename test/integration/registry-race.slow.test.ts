import { describe, expect, it } from 'vitest';
import { manifestDigest } from '../../src/registry/manifest-format.js';
import type { Registry } from '../../src/registry/registry.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { cloneRepository, commitAll, git, makeRepository } from '../helpers/repository.js';

/** Registrations and promotions of one clone, each. */
const EACH = 50;

async function registerAndPromote(registry: Registry, commit: string, minor: number): Promise<void> {
  for (let patch = 0; patch < EACH; patch += 1) {
    const manifest = testManifest(commit, { version: `1.${minor}.${patch}` });
    await registry.change(() => ({ subject: `fraud@${manifest.version}: registered`, register: { manifest } }));
    await registry.change(async (view) => {
      const state = (await view.model('fraud'))?.versions.get(manifest.version);
      if (state?.manifest !== manifestDigest(manifest)) throw new Error('what was registered is not there');
      const event = testEvent(manifest, { type: 'promoted', stage: 'production', from: 'none', traffic: 100 });
      return { subject: `fraud@${manifest.version}: promoted`, events: [event] };
    });
  }
}

describe('two clones of one repository', () => {
  it('racing 200 registrations and promotions lose none and duplicate none', async () => {
    const path = makeRepository();
    writeFiles(path, { 'train.py': 'print(1)\n' });
    const commit = commitAll(path);
    const bare = makeRepository({ name: 'bare', bare: true });
    git(path, 'push', '--quiet', bare, 'main');
    const clones = [cloneRepository(bare), cloneRepository(bare)];
    const registries = await Promise.all(clones.map((clone) => testRegistry(clone)));
    await Promise.all(registries.map((registry, minor) => registerAndPromote(registry, commit, minor)));

    const reader = await testRegistry(cloneRepository(bare));
    const view = await reader.view();
    const events = await view.events('fraud');
    const wanted = [0, 1].flatMap((minor) => Array.from({ length: EACH }, (_, patch) => `1.${minor}.${patch}`)).sort();
    const of = (type: string) => events.filter(({ event }) => event.type === type).map(({ event }) => event.version);
    expect(of('registered').sort()).toEqual(wanted);
    expect(of('promoted').sort()).toEqual(wanted);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(git(bare, 'tag', '--list').trim().split('\n').sort()).toEqual(wanted.map((version) => `fraud@${version}`));
    expect(git(bare, 'rev-list', '--count', 'mlv-registry').trim()).toBe(String(4 * EACH));
    expect(git(bare, 'rev-list', '--count', '--merges', 'mlv-registry').trim()).toBe('0');
    for (const registry of registries) {
      await registry.pull();
      expect((await registry.view()).tip).toBe(view.tip);
    }
  });
});
