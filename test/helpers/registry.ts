import { openGit } from '../../src/git/open.js';
import type { RegistryEvent } from '../../src/registry/event.js';
import type { Manifest } from '../../src/registry/manifest.js';
import { manifestDigest } from '../../src/registry/manifest-format.js';
import type { Registry } from '../../src/registry/registry.js';
import { openRegistry, type RegistryOptions } from '../../src/registry/store.js';
import { cleanEnvironment } from './cli.js';

/** Opens the registry of a repository as a command would, without a configured remote. */
export async function testRegistry(cwd: string, options: Partial<RegistryOptions> = {}): Promise<Registry> {
  const git = await openGit(cwd, { env: cleanEnvironment() });
  return openRegistry({ git, remote: undefined, interactive: false, ...options });
}

/** A manifest with little in it. */
export function testManifest(commit: string, changes: Partial<Manifest> = {}): Manifest {
  return {
    mlv: 1,
    model: 'fraud',
    version: '1.0.0',
    artifacts: [
      {
        path: 'model.pkl',
        oid: `blake3:${'a'.repeat(64)}`,
        sha256: `sha256:${'b'.repeat(64)}`,
        size: 12,
      },
    ],
    data: [],
    params: { 'model.depth': 6 },
    metrics: { auc: { value: 0.91, better: 'higher' } },
    commit,
    author: 'Test Author <author@example.com>',
    created: '2026-03-01T09:30:00Z',
    ...changes,
  };
}

/** An event about a version, by the tests' author. */
export function testEvent<E extends Partial<RegistryEvent> & { type: RegistryEvent['type'] }>(
  manifest: Manifest,
  event: E,
): RegistryEvent {
  const { model, version, author } = manifest;
  const base = { mlv: 1, model, version, manifest: manifestDigest(manifest), by: author, at: '2026-03-02T10:00:00Z' };
  return { ...base, ...event } as unknown as RegistryEvent;
}
