import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fsckCache } from '../../src/workspace/fsck.js';
import { IgnoreRules } from '../../src/workspace/ignore-rules.js';
import { move } from '../../src/workspace/move.js';
import { loadTargets } from '../../src/workspace/pointers.js';
import { remove } from '../../src/workspace/remove.js';
import { pointerTo, storeDeepTree } from '../helpers/deep-tree.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { type TestWorkspace, testWorkspace } from '../helpers/workspace.js';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await testWorkspace();
});

describe('a link that came with a clone', () => {
  it('in place of .gitignore brings no private file into the repository', async () => {
    const secret = join(temporaryDirectory(), 'secret');
    writeFileSync(secret, 'private key\n');
    symlinkSync(secret, workspace.at('.gitignore'));
    workspace.write('model', 'model');
    await expect(workspace.add('model')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
    expect(lstatSync(workspace.at('.gitignore')).isSymbolicLink()).toBe(true);
    expect([readFileSync(secret, 'utf8'), workspace.has('model.mlv')]).toEqual(['private key\n', false]);
  });

  it.runIf(process.platform === 'linux')('in place of a pointer is reported, not followed', async () => {
    workspace.write('model', 'model');
    await workspace.add('model');
    symlinkSync('/dev/zero', workspace.at('endless.mlv'));
    symlinkSync('model.mlv', workspace.at('other.mlv'));
    const { targets, problems } = await workspace.status();
    expect(targets.map(({ path }) => path)).toEqual(['model']);
    expect(problems.map(({ code, data }) => [code, data.path])).toEqual([
      ['POINTER_UNSAFE', 'endless.mlv'],
      ['POINTER_UNSAFE', 'other.mlv'],
    ]);
  });

  it.runIf(process.platform === 'linux')('in place of .mlvignore is refused, not followed', async () => {
    workspace.write('data/a', 'a');
    symlinkSync('/dev/zero', workspace.at('.mlvignore'));
    await expect(workspace.add('data')).rejects.toMatchObject({ code: 'PATH_UNSUPPORTED' });
  });

  it('in place of a directory hides what Git still lists below: nothing behind it is moved or removed', async () => {
    const outside = temporaryDirectory();
    workspace.write('sub/model', 'model');
    await workspace.add('sub/model');
    workspace.git.commit('one');
    for (const name of ['model', 'model.mlv']) writeFileSync(join(outside, name), workspace.read(`sub/${name}`));
    workspace.delete('sub');
    symlinkSync(outside, workspace.at('sub'));
    await expect(remove(workspace.repository, ['sub/model'])).rejects.toMatchObject({ code: 'PATH_NOT_TRACKED' });
    await expect(move(workspace.repository, 'sub/model', 'mine')).rejects.toMatchObject({ code: 'PATH_NOT_TRACKED' });
    expect(readFileSync(join(outside, 'model'), 'utf8')).toBe('model');
    expect(lstatSync(join(outside, 'model.mlv')).isFile()).toBe(true);
  });
});

it('a directory with the name of a pointer is none', async () => {
  mkdirSync(workspace.at('data.mlv'));
  workspace.write('data.mlv/a.txt', 'a');
  expect(await workspace.status()).toMatchObject({ targets: [], problems: [] });
});

describe('an ignore rule of many stars', () => {
  it('takes no time that grows with their power', () => {
    const name = 'a'.repeat(240);
    const rules = IgnoreRules.none.with('', `${'*a'.repeat(40)}*b\n${'**/a*/'.repeat(20)}b\n`);
    const started = performance.now();
    for (let count = 0; count < 20; count++) {
      expect(rules.ignores(name, false)).toBe(false);
      expect(rules.ignores(Array(40).fill('aa').join('/'), false)).toBe(false);
    }
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  it('matches as one of few stars does', () => {
    const piece = fc.constantFrom('a', 'b', '*', '?', '**', '/', '[ab]');
    const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 });
    const property = fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), path, (pieces, parts) => {
      const pattern = pieces.join('').replace(/\*{3,}/g, '**');
      const text = parts.join('/');
      const few = IgnoreRules.none.with('', `/x/${pattern}`);
      // The same in a directory whose own pattern has stars enough for the other way.
      const many = IgnoreRules.none.with('', `/*x*/*y*/${pattern}`);
      expect(many.ignores(`x/y/${text}`, false)).toBe(few.ignores(`x/${text}`, false));
    });
    fc.assert(property, { numRuns: 2000 });
  });
});

describe('a tree that no file system could hold', () => {
  async function fsck(): ReturnType<typeof fsckCache> {
    const { targets } = await loadTargets(workspace.repository);
    return fsckCache(workspace.repository, targets);
  }

  it('with 5,000 levels is refused by name, and nothing else suffers', async () => {
    workspace.write('model', 'model');
    await workspace.add('model');
    workspace.delete('model');
    workspace.write('deep.mlv', pointerTo('deep', await storeDeepTree(workspace.repository.cache, 5000)));
    expect(await workspace.statusOf('deep')).toMatchObject({ state: 'deleted', missing: { objects: 1 } });
    expect((await fsck()).incomplete).toMatchObject([{ path: 'deep', objects: 1 }]);
    const report = await workspace.checkout(['model', 'deep']);
    expect(report).toMatchObject({ written: 1, failed: [{ error: { code: 'TREE_INVALID' } }] });
    expect(workspace.read('model')).toBe('model');
    await workspace.status();
  });

  it('whose directories double on every level is looked at once', async () => {
    const built = await storeDeepTree(workspace.repository.cache, 60, ['a', 'b']);
    workspace.write('bomb.mlv', pointerTo('bomb', built));
    expect(await workspace.statusOf('bomb')).toMatchObject({ state: 'deleted', missing: { objects: 0 } });
    expect(await fsck()).toMatchObject({ incomplete: [], contradicted: [] });
  });
});
