import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openGit } from '../../src/git/open.js';
import type { ModelState, Registry } from '../../src/registry/registry.js';
import { openRegistry } from '../../src/registry/store.js';
import { makeBigRegistry } from '../helpers/big-registry.js';
import { cleanEnvironment } from '../helpers/cli.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let path: string;
let commit: string;

function cacheOf(repository: string): string {
  return join(repository, '.git', 'mlv', 'registry');
}

async function everything(registry: Registry): Promise<unknown> {
  const view = await registry.view();
  const states = await view.allModels();
  const events = await Promise.all(states.map(({ name }) => view.events(name)));
  return { states: states.map(plain), events, summaries: await view.summaries() };
}

function plain({ versions, stages, held, ...rest }: ModelState): unknown {
  return { ...rest, versions: [...versions], stages: [...stages], held: [...held] };
}

/** What is read without any cache. */
async function truth(): Promise<unknown> {
  rmSync(cacheOf(path), { recursive: true, force: true });
  const found = await everything(await testRegistry(path));
  rmSync(cacheOf(path), { recursive: true, force: true });
  return found;
}

/** A registry of the repository, and the Git commands that it starts. */
async function watched(): Promise<{ registry: Registry; commands: () => string[][] }> {
  const log = join(temporaryDirectory(), 'trace.json');
  const gitHere = await openGit(path, { env: { ...cleanEnvironment(), GIT_TRACE2_EVENT: log } });
  const commands = (): string[][] => {
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"event":"start"'));
    return lines.map((line) => (JSON.parse(line) as { argv: string[] }).argv.slice(1));
  };
  return { registry: openRegistry({ git: gitHere, remote: undefined, interactive: false }), commands };
}

beforeAll(() => {
  path = makeRepository();
  writeFiles(path, { 'train.py': 'print(1)\n' });
  commit = commitAll(path);
  makeBigRegistry(path, { models: 4, versions: 40, events: 200 }, cleanEnvironment());
});

describe('the derived state of a registry', () => {
  it('is read with three Git processes at most, and no file of the branch, once it is kept', async () => {
    const expected = await truth();
    await everything(await testRegistry(path));
    const { registry, commands } = await watched();
    expect(await everything(registry)).toEqual(expected);
    expect(commands().length).toBeLessThanOrEqual(3);
    expect(commands().flat()).not.toContain('cat-file');
  });

  it('costs no more processes with more models, versions and events', async () => {
    rmSync(cacheOf(path), { recursive: true, force: true });
    const { registry, commands } = await watched();
    await (await registry.view()).allModels();
    expect(commands().length).toBeLessThanOrEqual(6);
  });

  it('goes on from an older commit, and reads only what came since', async () => {
    await everything(await testRegistry(path));
    const writer = await testRegistry(path, { judge: () => {} });
    const manifest = testManifest(commit, { model: 'model-01', version: '2.0.0' });
    const promoted = testEvent(manifest, { type: 'promoted', stage: 'production', from: 'none', traffic: 100 });
    await writer.change(() => ({ subject: 'more', register: { manifest }, events: [promoted] }));
    const { registry, commands } = await watched();
    const state = await (await registry.view()).model('model-01');
    expect(state?.stages.get('production')?.map(({ version }) => version)).toEqual(['2.0.0']);
    expect(commands().map(([first]) => first)).toContain('diff-tree');
    const now = await everything(await testRegistry(path));
    expect(now).toEqual(await truth());
  });

  it('never changes an answer, however it is damaged', async () => {
    const expected = await truth();
    const damages: [string, (file: string, other: string) => void][] = [
      ['cut off', (file) => writeFileSync(file, readFileSync(file).subarray(0, 200))],
      ['empty', (file) => writeFileSync(file, '')],
      ['longer', (file) => appendFileSync(file, ' ')],
      [
        'one letter other',
        (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('production', 'Production')),
      ],
      ['that of another', (file, other) => writeFileSync(file, readFileSync(other))],
      [
        'of another format',
        (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/cache \d+ /, 'cache 0 ')),
      ],
    ];
    for (const [how, damage] of damages) {
      await everything(await testRegistry(path));
      const files = readdirSync(cacheOf(path)).map((name) => join(cacheOf(path), name));
      for (const [index, file] of files.entries()) damage(file, files[(index + 1) % files.length] as string);
      expect(await everything(await testRegistry(path)), how).toEqual(expected);
    }
  });

  it('of an older state of the branch is not taken for the newest, nor the other way round', async () => {
    await everything(await testRegistry(path));
    const registry = await testRegistry(path);
    const before = await registry.viewAt(git(path, 'rev-parse', 'mlv-registry~3').trim());
    const fresh = await testRegistry(path);
    rmSync(cacheOf(path), { recursive: true, force: true });
    const exact = await fresh.viewAt(before.tip as string);
    expect((await before.allModels()).map(plain)).toEqual((await exact.allModels()).map(plain));
    expect(await before.summaries()).toEqual(await exact.summaries());
  });

  it('lists models without reading any of them, until the branch moves on', async () => {
    await everything(await testRegistry(path));
    for (const name of readdirSync(cacheOf(path))) {
      if (name.endsWith('.state')) rmSync(join(cacheOf(path), name));
    }
    const { registry, commands } = await watched();
    const view = await registry.view();
    expect((await view.summaries()).map(({ model }) => model)).toEqual(await view.models());
    expect(commands().flat()).not.toContain('cat-file');
    const older = await registry.viewAt(git(path, 'rev-parse', 'mlv-registry~60').trim());
    expect(await older.summaries()).not.toEqual(await view.summaries());
  });

  it('is not needed: a directory that cannot be written to changes nothing', async () => {
    const expected = await truth();
    writeFiles(path, { '.git/mlv/registry': 'in the way' });
    expect(await everything(await testRegistry(path))).toEqual(expected);
    rmSync(join(path, '.git', 'mlv'), { recursive: true });
  });

  it('drops what belongs to no model any more', async () => {
    await everything(await testRegistry(path));
    expect(readdirSync(cacheOf(path)).filter((name) => name.endsWith('.state'))).toHaveLength(4);
  });
});

describe('a decision', () => {
  it('is never made on what is kept, even where that is forged with a right checksum', async () => {
    await everything(await testRegistry(path));
    const { StateCache } = await import('../../src/registry/state-cache.js');
    const cache = new StateCache(cacheOf(path));
    const tip = cache.tip();
    for (const [, tree] of tip?.models ?? []) {
      const state = cache.state(tree);
      if (state) cache.putModel(tree, { ...state, state: { ...state.state, stages: new Map() }, events: [] });
    }
    let stages = 0;
    await (await testRegistry(path)).change(async (view) => {
      stages = (await view.model('model-00'))?.stages.size ?? 0;
      return undefined;
    });
    expect(stages).toBeGreaterThan(0);
    rmSync(cacheOf(path), { recursive: true, force: true });
  });
});
