import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const FIRST = 'id,age,city\n1,30,Ede\n2,40,Bonn\n';
const SECOND = 'id,age,city\n1,30,Ede\n2,,Bonn\n3,99,Rome\n4,x,Rome\n5,1\n';

/** A tracked directory with a table in two versions, on a remote, and a clone that has none of its bytes. */
async function published(): Promise<{ cwd: string; clone: string }> {
  const cwd = await makeMlvRepository({ 'data/people.csv': FIRST, 'small.csv': 'a\n1\n', 'README.md': '# x\n' });
  await mlv(['remote', 'add', 'origin', temporaryDirectory('remote')], { cwd });
  await mlv(['add', '-q', 'data'], { cwd });
  commitAll(cwd);
  writeFiles(cwd, { 'data/people.csv': SECOND, 'small.csv': 'a\n2\n' });
  await mlv(['add', '-q', 'data'], { cwd });
  await mlv(['push', '-q'], { cwd });
  commitAll(cwd);
  return { cwd, clone: cloneRepository(cwd) };
}

let cwd: string;
let clone: string;
beforeAll(async () => {
  ({ cwd, clone } = await published());
});

describe('mlv schema', () => {
  it('profiles a file in a tracked directory whose bytes are only on the remote', async () => {
    const result = await runMlv(['schema', 'data/people.csv', '--json'], { cwd: clone });
    const profile = parseDocument('schema', result.stdout);
    expect(profile).toMatchObject({ path: 'data/people.csv', rows: 4, malformed: { count: 1, first: [{ line: 6 }] } });
    expect(profile.columns[1]).toMatchObject({ name: 'age', type: 'mixed', nulls: 1, kinds: { int: 2, string: 1 } });
    const text = await runMlv(['schema', 'data/people.csv'], { cwd: clone });
    expect(text.stdout).toMatch(/^data\/people\.csv: csv, 4 rows, 3 columns\n/);
    expect(text.stderr).toContain('line 6: it has 2 cells where 3 belong\n');
  });

  it('profiles what was, of mlv and of Git, and what is in the workspace', async () => {
    const then = parseDocument('schema', await mlv(['schema', 'data/people.csv@HEAD~1', '--json'], { cwd }));
    expect(then).toMatchObject({ rows: 2, columns: [{ name: 'id' }, { name: 'age', type: 'int', max: 40 }, {}] });
    const git = parseDocument('schema', await mlv(['schema', 'small.csv@HEAD~1', '--json'], { cwd }));
    expect(git.columns[0]).toMatchObject({ max: 1 });
    writeFiles(cwd, { 'new.tsv': 'a\tb\n1\t\u001b[31mred\n' });
    const text = await mlv(['schema', 'new.tsv'], { cwd });
    expect(text).toContain('\\033[31mred');
    rmSync(join(cwd, 'new.tsv'));
  });

  it('says what it cannot read', async () => {
    const readme = await runMlv(['schema', 'README.md'], { cwd });
    expect(readme).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('its name does not tell what it is') });
    expect((await runMlv(['schema', 'data'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['schema', 'gone.csv'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['schema', 'small.csv', '--sample', 'x'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['schema', 'small.csv', '--delimiter', 'ab'], { cwd })).exitCode).toBe(2);
  });
});

describe('mlv diff --schema', () => {
  it('tells what drifted between two commits, and ends with 3 where asked', async () => {
    const result = await runMlv(['diff', '--schema', '--exit-code', 'HEAD~1', 'HEAD', 'data/people.csv'], { cwd });
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toMatch(/^!? +2 → 4 rows$/m);
    expect(result.stdout).toMatch(/^! {2}age +int → mixed$/m);
    expect(result.stdout).toMatch(/^! {2}city +new values Rome$/m);
    const json = parseDocument('diff', await mlv(['diff', '--schema', 'HEAD~1', 'data/people.csv', '--json'], { cwd }));
    expect(json.schema).toMatchObject({ path: 'data/people.csv', drift: true, rows: { before: 2, after: 4 } });
    expect(json.changes).toHaveLength(1);
    const same = await runMlv(['diff', '--schema', '--exit-code', 'data/people.csv'], { cwd });
    expect(same).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('wants one file, which is on both sides', async () => {
    expect((await runMlv(['diff', '--schema'], { cwd })).exitCode).toBe(2);
    const gone = await runMlv(['diff', '--schema', 'HEAD~1', 'HEAD', 'data/new.csv'], { cwd });
    expect(gone).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is not in revision 'HEAD~1'") });
  });
});
