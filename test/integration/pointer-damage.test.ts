import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fsckCache } from '../../src/workspace/fsck.js';
import { loadTargets } from '../../src/workspace/pointers.js';
import { testWorkspace } from '../helpers/workspace.js';

it.each(['model.bin', 'data'])(
  'one changed bit in any byte of the pointer of %s is found, and the pointer named',
  async (target) => {
    const workspace = await testWorkspace();
    workspace.write('model.bin', 'the model');
    workspace.write('data/a', 'one');
    workspace.write('data/b', 'two');
    await workspace.add(['model.bin', 'data']);
    const path = workspace.at(`${target}.mlv`);
    const good = readFileSync(path);
    const unnoticed: string[] = [];
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = (good[at] as number) ^ 1;
      writeFileSync(path, bad);
      const { targets, problems } = await loadTargets(workspace.repository);
      const named = targets.filter((each) => each.path === target);
      const report = await fsckCache(workspace.repository, named);
      const found = [
        ...problems.map(({ message }) => message),
        ...report.contradicted.map((each) => each.path),
        ...report.incomplete.map((each) => each.path),
      ];
      if (!found.some((text) => text.includes(target)))
        unnoticed.push(`${at}: ${JSON.stringify(bad.toString('latin1'))}`);
    }
    expect(unnoticed).toEqual([]);
  },
);
