import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository } from '../helpers/registered.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

let source: RegisteringRepository;

beforeAll(async () => {
  source = await registeringRepository();
});

/** A repository with a remote of its own. */
async function consumer(): Promise<string> {
  const cwd = await makeMlvRepository();
  await mlv(['remote', 'add', 'origin', join(temporaryDirectory('store'), 'objects'), '-q'], { cwd });
  return cwd;
}

describe('mlv import', () => {
  it('takes files and directories in, says where they came from, and pushes them like any other', async () => {
    const cwd = await consumer();
    const commit = git(source.cwd, 'rev-parse', 'HEAD').trim();
    const url = source.upstream;
    const document = parseDocument('import', await mlv(['import', url, 'data/deep', '--json'], { cwd }));
    expect(document).toMatchObject({ path: 'deep', files: 1, source: { url, path: 'data/deep', commit } });
    await mlv(['import', url, 'model.pkl', '-o', 'models/', '--rev', 'main'], { cwd });
    await mlv(['import', url, 'train.py', '--stage'], { cwd });
    expect(read(cwd, 'models/model.pkl.mlv')).toContain('rev: main');
    expect(read(cwd, 'models/model.pkl.mlv')).toContain(`commit: ${commit}`);
    expect(git(cwd, 'status', '--porcelain', '--', 'train.py.mlv')).toBe('A  train.py.mlv\n');
    commitAll(cwd);
    await mlv(['push', '-q'], { cwd });
    const clone = cloneRepository(cwd);
    await mlv(['pull', '-q'], { cwd: clone });
    expect([read(clone, 'deep/test.csv'), read(clone, 'models/model.pkl')]).toEqual(['a,b\n3,4\n', 'model 1']);
    expect(await mlv(['status'], { cwd: clone })).toContain('nothing changed');
  });

  it('is the origin that why and lineage tell of', async () => {
    const cwd = await consumer();
    await mlv(['import', source.upstream, 'data', '-q'], { cwd });
    const why = await mlv(['why', 'data/deep/test.csv'], { cwd });
    expect(why).toContain(`import of data of ${source.upstream}`);
    const { imports } = parseDocument('why', await mlv(['why', 'data', '--json'], { cwd }));
    expect(imports).toMatchObject([{ path: 'data', commit: git(source.cwd, 'rev-parse', 'HEAD').trim() }]);
    expect(await mlv(['lineage', 'data', '--up'], { cwd })).toContain('import of data');
    // A file of the same content that came from elsewhere is no origin of the directory, but one of its file.
    await mlv(['import', source.upstream, 'data/deep/test.csv', '-o', 'other.csv', '-q'], { cwd });
    const importsOf = async (path: string) =>
      parseDocument('why', await mlv(['why', path, '--json'], { cwd })).imports.map((each) => each.path);
    expect(await importsOf('data')).toEqual(['data']);
    expect((await importsOf('data/deep/test.csv')).sort()).toEqual(['data', 'data/deep/test.csv']);
    expect(await mlv(['lineage', 'data', '--mermaid'], { cwd })).toContain('[/"import of data');
  });

  it('refuses what is there, and what would leave the repository', async () => {
    const cwd = await consumer();
    writeFileSync(join(cwd, 'model.pkl'), 'mine');
    const there = await runMlv(['import', source.upstream, 'model.pkl'], { cwd });
    expect([there.exitCode, read(cwd, 'model.pkl')]).toEqual([1, 'mine']);
    const outside = await runMlv(['import', source.upstream, 'model.pkl', '-o', '../out'], { cwd });
    expect([outside.exitCode, existsSync(join(cwd, '../out'))]).toEqual([2, false]);
    await mlv(['import', source.upstream, 'model.pkl', '--force'], { cwd });
    expect(read(cwd, 'model.pkl')).toBe('model 1');
  });
});
