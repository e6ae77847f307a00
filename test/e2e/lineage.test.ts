import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** Raw files are prepared, a model is trained on what came of them, and registered and promoted. */
async function registered(): Promise<string> {
  const cwd = await makeMlvRepository({
    'raw/january.csv': '1\n',
    'raw/february.csv': '2\n',
    'other.csv': '3\n',
    'prepare.sh': 'mkdir -p data; cat raw/*.csv > data/all.csv\n',
    'train.sh': '(echo model; cat data/all.csv) > model.bin; echo \'{"acc": 0.9}\' > metrics.json\n',
    'params.yaml': 'seed: 1\n',
  });
  await mlv(['remote', 'add', 'origin', temporaryDirectory('remote')], { cwd });
  await mlv(['add', '-q', 'raw', 'other.csv'], { cwd });
  commitAll(cwd);
  await mlv(['run', '-q', '-n', 'prepare', '-d', 'raw', '-d', 'prepare.sh', '-o', 'data', '--', 'sh', 'prepare.sh'], {
    cwd,
  });
  const train = ['-d', 'data/all.csv', '-p', 'params.yaml', '-o', 'model.bin', '-m', 'metrics.json'];
  await mlv(['run', '-q', '-n', 'train', ...train, '--', 'sh', 'train.sh'], { cwd });
  commitAll(cwd);
  await mlv(['push', '-q'], { cwd });
  await mlv(['register', 'fraud', 'model.bin', '--version', '1.0.0'], { cwd });
  await mlv(['promote', 'fraud@1.0.0', 'staging'], { cwd });
  return cwd;
}

describe('lineage', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await registered();
  });

  it('impact names the version that was trained on a file, through two runs, and where it stands', async () => {
    const result = await runMlv(['impact', 'raw/january.csv'], { cwd });
    expect(result).toMatchObject({ stdout: 'fraud@1.0.0  staging\n', stderr: '', exitCode: 0 });
    expect(await mlv(['impact', 'other.csv'], { cwd })).toBe('');
    const json = parseDocument('impact', await mlv(['impact', 'raw', '--json'], { cwd }));
    expect(json).toMatchObject({ versions: [{ version: 'fraud@1.0.0', stages: ['staging'] }], gaps: [] });
  });

  it('goes on naming it when the data is another one today', async () => {
    writeFiles(cwd, { 'raw/january.csv': 'mended\n' });
    await mlv(['add', '-q', 'raw'], { cwd });
    expect(await mlv(['impact', 'raw/january.csv'], { cwd })).toBe('');
    expect(await mlv(['impact', 'raw/january.csv@HEAD'], { cwd })).toContain('fraud@1.0.0');
  });

  it('lineage shows both ways, as text, JSON, Mermaid and DOT', async () => {
    const text = await mlv(['lineage', 'model.bin'], { cwd });
    expect(text).toMatch(/came of\n +run train .*\n +data\/all\.csv .*\n +data .*\n +run prepare .*\n/);
    expect(text).toMatch(/went into\n +fraud@1\.0\.0 \(staging\)/);
    const json = parseDocument('lineage', await mlv(['lineage', 'fraud@1.0.0', '--up', '--json'], { cwd }));
    expect(json.nodes.map(({ kind }) => kind)).toContain('run');
    expect(json.nodes).toContainEqual(expect.objectContaining({ kind: 'content', paths: ['prepare.sh'] }));
    expect(await mlv(['lineage', 'fraud@1.0.0', '--up'], { cwd })).toContain('    model.bin (blake3:');
    expect(await mlv(['lineage', 'model.bin', '--mermaid'], { cwd })).toMatch(/^flowchart LR\n {2}n1/);
    expect(await mlv(['lineage', 'model.bin', '--dot'], { cwd })).toMatch(/^digraph lineage \{\n/);
  });

  it('why shows the run that made a file, a file in a directory, or a version', async () => {
    expect(await mlv(['why', 'model.bin'], { cwd })).toMatch(/^run train .*\n +command +sh train\.sh\n/);
    expect(await mlv(['why', 'data/all.csv'], { cwd })).toContain('run prepare');
    expect(await mlv(['why', 'fraud@1.0.0'], { cwd })).toContain('run train');
    const none = await runMlv(['why', 'other.csv'], { cwd });
    expect([none.exitCode, none.stderr]).toEqual([4, expect.stringContaining("no run is known that made 'other.csv'")]);
  });

  it('restore brings code, data and model of a version back, also what no commit had', async () => {
    const project = await registered();
    writeFiles(project, { 'params.yaml': 'seed: 2\n', 'train.sh': 'exit 1\n' });
    await mlv(['register', 'fraud', 'model.bin', '--data', 'raw', '--version', '1.1.0', '--allow-dirty', '--push'], {
      cwd: project,
    });
    writeFiles(project, { 'model.bin': 'other', 'params.yaml': 'seed: 3\n' });
    const to = join(temporaryDirectory('restored'), 'fraud');
    const result = await mlv(['restore', 'fraud@1.1.0', '--to', to, '--json'], { cwd: project });
    expect(parseDocument('restore', result)).toMatchObject({ version: 'fraud@1.1.0', difference: true });
    const read = (name: string): string => readFileSync(join(to, name), 'utf8');
    expect([read('params.yaml'), read('train.sh'), read('raw/january.csv')]).toEqual(['seed: 2\n', 'exit 1\n', '1\n']);
    expect(read('model.bin')).toContain('model');
    expect(read('.mlv-version/manifest.yaml')).toContain('version: 1.1.0');
    const again = await runMlv(['restore', 'fraud@1.1.0', '--to', to], { cwd: project });
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('there already')]);
    expect(await mlv(['status', '--json'], { cwd: to })).not.toContain('"state": "modified"');

    // As a restore that was killed leaves it.
    rmSync(join(to, '.mlv-version'), { recursive: true });
    const unfinished = await runMlv(['restore', 'fraud@1.1.0', '--to', to], { cwd: project });
    expect([unfinished.exitCode, unfinished.stderr]).toEqual([1, expect.stringContaining('was finished in it')]);
    expect(unfinished.stderr).toContain(`git worktree remove --force ${to}`);
    git(project, 'worktree', 'remove', '--force', to);
    await mlv(['restore', 'fraud@1.1.0', '--to', to], { cwd: project });

    rmSync(join(project, '.git/mlv/objects'), { recursive: true });
    const fetched = join(temporaryDirectory('restored'), 'fraud');
    await mlv(['restore', 'fraud@1.1.0', '--to', fetched], { cwd: project });
    expect(readFileSync(join(fetched, 'train.sh'), 'utf8')).toBe('exit 1\n');
  });

  it('restore writes through no link that a commit has, and leaves nothing half restored', async () => {
    const project = await registered();
    const victim = temporaryDirectory('victim');
    symlinkSync(victim, join(project, '.mlv-version'));
    commitAll(project, 'a trap');
    await mlv(['register', 'trap', 'model.bin'], { cwd: project });
    const to = join(temporaryDirectory('restored'), 'trap');
    const result = await runMlv(['restore', 'trap@1.0.0', '--to', to, '--json'], { cwd: project });
    expect([result.exitCode, JSON.parse(result.stdout).error.code]).toEqual([5, 'POINTER_UNSAFE']);
    expect([readdirSync(victim), existsSync(to)]).toEqual([[], false]);
  });

  it('says what it could not look at', async () => {
    const bare = await registered();
    rmSync(join(bare, '.git/mlv/objects'), { recursive: true });
    const result = await runMlv(['impact', 'model.bin'], { cwd: bare });
    expect(result.stdout).toBe('fraud@1.0.0  staging\n');
    expect(result.stderr).toContain('2 records of runs are not in the cache');
  });
});
