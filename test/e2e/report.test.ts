import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const STAGES = `stages:
  train:
    cmd: cat data/a.csv params.yaml > model.bin; cp measured.json metrics.json
    deps: [data/a.csv, measured.json]
    params: [params.yaml]
    outs: [model.bin]
    metrics: [metrics.json]
`;

/** A branch on which data, a parameter, a metric and a version are other than on main, pushed with its objects. */
async function branched(): Promise<string> {
  const cwd = await makeMlvRepository({
    'data/a.csv': 'id,v\n1,a\n',
    'data/old @bob|.txt': 'x',
    'params.yaml': 'lr: 0.1\ndepth: 3\n',
    'measured.json': '{"auc": 0.8}\n',
    'logged.sh': 'echo y > side.bin; echo \'{"f1": 0.5}\' > ignored.json\n',
    '.gitignore': 'ignored.json\n',
  });
  writeFiles(cwd, { 'mlv.yaml': readFileSync(join(cwd, 'mlv.yaml'), 'utf8') + STAGES });
  await mlv(['remote', 'add', 'origin', temporaryDirectory('remote')], { cwd });
  await mlv(['add', '-q', 'data'], { cwd });
  await mlv(['repro', '-q'], { cwd });
  await mlv(
    ['run', '-q', '-n', 'side', '-d', 'logged.sh', '-o', 'side.bin', '-m', 'ignored.json', '--', 'sh', 'logged.sh'],
    { cwd },
  );
  commitAll(cwd);
  await mlv(['push', '-q'], { cwd });
  git(cwd, 'checkout', '-q', '-b', 'work');
  writeFiles(cwd, {
    'data/a.csv': 'id,v\n1,a\n2,b\n',
    'data/new.txt': 'new',
    'params.yaml': 'lr: 0.2\ndepth: 3\n',
    'measured.json': '{"auc": 0.9}\n',
    'logged.sh': 'echo z > side.bin; echo \'{"f1": 0.4}\' > ignored.json\n',
  });
  await mlv(['add', '-q', 'data'], { cwd });
  await mlv(['repro', '-q'], { cwd });
  await mlv(
    ['run', '-q', '-n', 'side', '-d', 'logged.sh', '-o', 'side.bin', '-m', 'ignored.json', '--', 'sh', 'logged.sh'],
    { cwd },
  );
  commitAll(cwd);
  await mlv(['push', '-q'], { cwd });
  await mlv(['register', 'fraud', 'model.bin', '--version', '1.0.0'], { cwd });
  return cwd;
}

describe('mlv report', () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await branched();
  });

  it('tells in Markdown what a branch changes', async () => {
    const text = await mlv(['report', '--md', '--schema'], { cwd });
    expect(text).toMatch(/^<!-- mlv report -->\n## Data and models\n/);
    expect(text).toContain('| `data` | changed | 2 → 3 |');
    expect(text).toContain('- added `data/new.txt`, 3 B');
    expect(text).toContain('| `auc` | `metrics.json` | 0.8 | 0.9 | +0.1 | better |');
    expect(text).toContain('| `f1` | `ignored.json` | 0.5 | 0.4 | -0.1 | worse |');
    expect(text).toContain('| `lr` | `params.yaml` | `0.1` | `0.2` |');
    expect(text).toContain('| `data/a.csv` | `v` | `new values b` | drift |');
    expect(text).toMatch(/\| <code>fraud&#64;1&#46;0&#46;0<\/code> \| `[0-9a-f]{12}` \|/);
    expect(text).not.toContain('Not looked at');
  });

  it('says the same in a clone that has no objects, from the remote, as JSON and in a file', async () => {
    const clone = cloneRepository(cwd);
    const report = parseDocument('report', await mlv(['report', '--base', 'origin/main', '--json'], { cwd: clone }));
    expect(report).toMatchObject({
      data: [{ path: 'data' }, { path: 'model.bin' }, { path: 'side.bin', change: 'changed' }],
      params: [{ name: 'lr', before: 0.1, after: 0.2 }],
      metrics: [
        { source: 'ignored.json', name: 'f1', verdict: 'worse' },
        { source: 'metrics.json', name: 'auc', verdict: 'better' },
      ],
      unchanged: { params: 1, metrics: 0 },
      versions: [{ name: 'fraud@1.0.0' }],
      notes: [],
    });
    await mlv(['report', '--base', 'origin/main', '-o', 'report.md'], { cwd: clone });
    expect(readFileSync(join(clone, 'report.md'), 'utf8')).toBe(report.markdown);
  });

  it('compares with what both sides have in common, and says what it lacks', async () => {
    const clone = cloneRepository(cwd);
    git(clone, 'checkout', '-q', '-b', 'main', 'origin/main');
    writeFiles(clone, { 'params.yaml': 'lr: 0.7\ndepth: 3\n' });
    commitAll(clone);
    const report = parseDocument(
      'report',
      await mlv(['report', '--base', 'main', '--head', 'work', '--json'], { cwd: clone }),
    );
    expect(report.params).toMatchObject([{ before: 0.1, after: 0.2 }]);
    const nothing = await mlv(['report', '--base', 'main', '--head', 'main'], { cwd });
    expect(nothing).toContain('Neither data nor parameters, metrics or versions changed.');
    expect((await runMlv(['report', '--base', 'nowhere'], { cwd })).exitCode).toBe(2);
  });

  it('is there without a remote, and names what could not be looked at', async () => {
    const clone = cloneRepository(cwd);
    await mlv(['remote', 'remove', 'origin'], { cwd: clone });
    const report = parseDocument('report', await mlv(['report', '--base', 'origin/main', '--json'], { cwd: clone }));
    expect(report.data.map(({ path }) => path)).toEqual(['data', 'model.bin', 'side.bin']);
    expect(report.notes).toHaveLength(2);
    expect(report.metrics).toMatchObject([{ name: 'auc' }]);
  });
});
