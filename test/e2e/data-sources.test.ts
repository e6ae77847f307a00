import { readFileSync, rmSync } from 'node:fs';
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

describe('mlv annotate', () => {
  it('keeps in the pointer where data came from, shows it, and carries it on', async () => {
    const repository = await makeMlvRepository({ 'sales.csv': 'id,v\n1,a\n' });
    const at = { cwd: repository };
    await mlv(['add', '-q', 'sales.csv'], at);
    const origin = ['--url', 'https://data.example.org/sales', '--from', '2024-01', '--licence', 'CC-BY-4.0'];
    const result = await runMlv(['annotate', 'sales.csv', ...origin, '--set', 'team=pricing', '--schema'], at);
    expect(result).toMatchObject({ exitCode: 0, stderr: 'To record it in Git:\n  git add -- sales.csv.mlv\n' });
    commitAll(repository);
    await mlv(['annotate', 'sales.csv', '--to', '2024-06', '--unset', 'team'], at);
    writeFiles(repository, { 'sales.csv': 'id,v\n1,a\n2,b\n' });
    await mlv(['add', '-q', 'sales.csv'], at);
    await mlv(['mv', 'sales.csv', 'nl.csv'], at);
    const shown = parseDocument('annotate', await mlv(['annotate', 'nl.csv', '--show', '--json'], at));
    expect(shown.annotation).toMatchObject({
      urls: ['https://data.example.org/sales'],
      from: '2024-01',
      to: '2024-06',
      licence: 'CC-BY-4.0',
      schema: { rows: 1, columns: [{ name: 'id', type: 'int' }, { name: 'v' }] },
    });
    expect(shown.annotation).not.toHaveProperty('facts');
    expect(await mlv(['annotate', 'nl.csv'], at)).toContain('(of an earlier content)');
    const list = parseDocument('ls', await mlv(['ls', '--json'], at));
    expect(list.entries[0]?.annotation).toEqual(shown.annotation);
    await mlv(['checkout'], at);
    expect((await runMlv(['status', '--exit-code'], at)).exitCode).toBe(0);
  });

  it('refuses credentials, what is no licence, and what is not tracked', async () => {
    const secret = await runMlv(['annotate', 'data', '--url', 'https://me:secret@host/x'], { cwd });
    expect(secret).toMatchObject({ exitCode: 2, stderr: expect.not.stringContaining('secret') });
    for (const args of [
      ['--licence', 'ours'],
      ['--set', 'x'],
      ['--set', 'urls=x'],
      ['--schema'],
      ['--show', '--set', 'a=b'],
    ]) {
      expect((await runMlv(['annotate', 'data', ...args], { cwd })).exitCode, args.join(' ')).toBe(2);
    }
    expect((await runMlv(['annotate', 'README.md'], { cwd })).exitCode).toBe(2);
  });

  it('is also done by a stage, and a changed source is no reason to run it again', async () => {
    const repository = await makeMlvRepository();
    const settings = readFileSync(join(repository, 'mlv.yaml'), 'utf8');
    const declare = (licence: string): void => {
      const source = `{url: https://a.example.org/x, licence: ${licence}}`;
      const stage = `  fetch:\n    cmd: echo x > raw.csv\n    outs: [raw.csv]\n    source: ${source}\n`;
      writeFiles(repository, { 'mlv.yaml': `${settings}stages:\n${stage}` });
    };
    declare('MIT');
    const at = { cwd: repository };
    await mlv(['repro', '-q'], at);
    const why = parseDocument('why', await mlv(['why', 'raw.csv', '--json'], at));
    expect(why.annotations).toEqual({ 'raw.csv': { urls: ['https://a.example.org/x'], licence: 'MIT' } });
    expect(await mlv(['why', 'raw.csv'], at)).toContain('licence  MIT');
    declare('CC-BY-4.0');
    const again = parseDocument('repro', await mlv(['repro', '--json'], at));
    expect(again.stages).toMatchObject([{ state: 'current', files: ['raw.csv.mlv'] }]);
    const graph = parseDocument('lineage', await mlv(['lineage', 'raw.csv', '--json'], at));
    expect(graph.nodes.find(({ kind }) => kind === 'content')).toMatchObject({ annotation: { licence: 'CC-BY-4.0' } });
    commitAll(repository);
    await mlv(['register', 'raw', 'raw.csv', '--version', '1.0.0'], at);
    const version = parseDocument('show', await mlv(['show', 'raw@1.0.0', '--json'], at));
    expect(version.annotations).toMatchObject({ 'raw.csv': { licence: 'CC-BY-4.0' } });
  });
});
