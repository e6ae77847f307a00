import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { quickly } from '../helpers/quick-probe.js';
import { cloneRepository, commitAll, git } from '../helpers/repository.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const { collect, mlv, run: runMlv, start: startMlv } = quickly;

/** A repository with tracked data, code, parameters, and a "training" that adds up the data. */
let template: Promise<string> | undefined;

async function project(): Promise<string> {
  template ??= makeProject();
  const cwd = temporaryDirectory('project');
  cpSync(await template, cwd, { recursive: true });
  return cwd;
}

async function makeProject(): Promise<string> {
  const cwd = await makeMlvRepository({
    'data/a.csv': '1\n2\n',
    'src/train.sh': 'cat data/*.csv > model.bin\necho \'{"acc": 0.5, "loss": 2}\' > metrics.json\necho trained\n',
    'params.yaml': 'train:\n  lr: 0.1\n  seed: 7\nother: 1\n',
  });
  await mlv(['add', 'data'], { cwd });
  commitAll(cwd, 'start');
  return cwd;
}

/** One for all that changes nothing. */
let refusing: Promise<string> | undefined;

const TRAIN = ['-d', 'data', '-d', 'src', '-p', 'params.yaml:train', '-o', 'model.bin', '-m', 'metrics.json'];
const train = (cwd: string, ...more: string[]) =>
  runMlv(['run', '--json', ...TRAIN, ...more, '--', 'sh', 'src/train.sh'], { cwd });

/** The record that a pointer names, read from the cache as a stranger would. */
async function recordOf(cwd: string, pointer: string) {
  const { readRun } = await import('../../src/provenance/run-store.js');
  const { ObjectCache } = await import('../../src/objects/cache.js');
  const { loadHash } = await import('../../src/objects/hash.js');
  const run = (parse(readFileSync(join(cwd, pointer), 'utf8')) as { run: { oid: `blake3:${string}` } }).run;
  const hash = await loadHash('blake3');
  const cache = new ObjectCache(join(cwd, '.git', 'mlv'), hash);
  const stored = readRun({ cache, hash } as Parameters<typeof readRun>[0], run.oid);
  const text = (name: string): string => {
    const oid = stored.files.get(name);
    return oid === undefined ? '' : cache.read(oid).toString('utf8');
  };
  return { ...stored, text };
}

describe('mlv run', () => {
  it('says which metrics belong into the commit: not those that Git ignores', async () => {
    const cwd = await project();
    writeFiles(cwd, { '.gitignore': 'metrics.json\n' });
    const { files } = parseDocument('run', (await train(cwd)).stdout);
    expect(files).toEqual(['.gitignore', 'model.bin.mlv']);
    writeFiles(cwd, { '.gitignore': 'model.bin\n' });
    const staged = await runMlv(['run', '--stage', ...TRAIN, '--', 'sh', 'src/train.sh'], { cwd });
    expect(staged.stderr).toContain('  git add -- metrics.json\n');
  });

  it('passes the output through, adds the outputs, and records what was read and made', async () => {
    const cwd = await project();
    writeFiles(cwd, { 'src/new.py': 'x = 1\n' });

    const result = await runMlv(['run', '-n', 'train', ...TRAIN, '--', 'sh', 'src/train.sh'], { cwd });

    expect(result).toMatchObject({ exitCode: 0, stdout: 'trained\n' });
    expect(result.stderr).toContain('git add -- .gitignore model.bin.mlv metrics.json\n');
    const { record, text, run } = await recordOf(cwd, 'model.bin.mlv');
    expect(run).toMatchObject({ key: record.key, files: 4 });
    expect(record).toMatchObject({
      name: 'train',
      command: ['sh', 'src/train.sh'],
      directory: '',
      commit: git(cwd, 'rev-parse', 'HEAD').trim(),
      dirty: true,
      difference: { patch: true, files: 1 },
      outputs: [{ path: 'model.bin', size: 4 }],
      params: [{ path: 'params.yaml', keys: ['train'], values: { 'train.lr': 0.1, 'train.seed': 7 } }],
      seeds: { 'train.seed': 7 },
      metrics: { acc: { value: 0.5 }, loss: { value: 2, better: 'lower' } },
    });
    expect(record.inputs.map(({ path, kind, files }) => ({ path, kind, files }))).toEqual([
      { path: 'data', kind: 'tracked', files: 1 },
      { path: 'src', kind: 'git', files: 2 },
    ]);
    expect(text('difference.patch')).toContain('+x = 1');
    expect(text('code.txt')).toContain(`${git(cwd, 'hash-object', 'src/train.sh').trim()} src/train.sh\n`);
    expect(text('metrics-1')).toBe('{"acc": 0.5, "loss": 2}\n');
    expect(record.environment.cores).toBeGreaterThan(0);
    expect(Date.parse(record.ended)).toBeGreaterThanOrEqual(Date.parse(record.started));
    expect(git(cwd, 'check-ignore', 'metrics.json', 'model.bin').trim()).toBe('model.bin');
  });

  it('works from a sub-directory, and prints one document with --json, the output of the command beside it', async () => {
    const cwd = await project();
    mkdirSync(join(cwd, 'sub'));
    const result = await runMlv(['run', '--json', '-d', '../data', '-o', 'out/', '--', 'sh', '-c', 'mkdir out; pwd'], {
      cwd: join(cwd, 'sub'),
    });
    const document = parseDocument('run', result.stdout);
    expect(document).toMatchObject({ exitCode: 0, outputs: [{ path: 'sub/out', files: 0 }], changed: [] });
    expect(result.stderr).toContain(join(cwd, 'sub'));
    expect((await recordOf(cwd, 'sub/out.mlv')).record.directory).toBe('sub');
  });

  it('says and records where an input is not what its pointer says, and where it changes meanwhile', async () => {
    const cwd = await project();
    writeFiles(cwd, { 'data/b.csv': '3\n' });
    const command = 'echo 4 > data/c.csv; echo x > model.bin';

    const result = await runMlv(['run', '--json', '-d', 'data', '-o', 'model.bin', '--', 'sh', '-c', command], { cwd });

    const { inputs, changed } = parseDocument('run', result.stdout);
    const [, pointer] = /^oid: (.*)$/m.exec(readFileSync(join(cwd, 'data.mlv'), 'utf8')) ?? [];
    expect(inputs[0]?.pointer).toBe(pointer);
    expect(inputs[0]?.oid).not.toBe(pointer);
    expect(changed).toEqual([{ path: 'data', before: inputs[0]?.oid, after: expect.any(String) }]);
    expect(result.stderr).toMatch(/warning: the input 'data' is not what its pointer says/);
    expect(result.stderr).toMatch(/warning: the input 'data' was changed while the command ran/);
    expect((await recordOf(cwd, 'model.bin.mlv')).record.changed).toEqual(changed);
  });

  it('records nothing of a command that fails, and passes its exit code on', async () => {
    const cwd = await project();
    await mlv(['run', ...TRAIN, '--', 'sh', 'src/train.sh'], { cwd });
    const before = readFileSync(join(cwd, 'model.bin.mlv'), 'utf8');

    const result = await runMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', 'echo half > model.bin; exit 42'], {
      cwd,
    });

    expect(result.exitCode).toBe(42);
    expect(result.stderr).toContain('nothing was recorded');
    expect(readFileSync(join(cwd, 'model.bin.mlv'), 'utf8')).toBe(before);
    expect(readFileSync(join(cwd, 'model.bin'), 'utf8')).toBe('half\n');
  });

  it.each([
    ['an output that was not written', ['-o', 'nothing.bin'], 'true', 'RUN_FAILED'],
    ['metrics that were not written', ['-m', 'nothing.json'], 'true', 'RUN_FAILED'],
    [
      'metrics that are no numbers',
      ['-m', 'm.json', '-o', 'm.bin'],
      'echo "{" > m.json; echo > m.bin',
      'METRICS_INVALID',
    ],
    ['a command that is not there', ['-o', 'm.bin'], undefined, 'RUN_FAILED'],
    ['an input that is not there', ['-d', 'nowhere', '-o', 'm.bin'], 'echo > m.bin', 'PATH_NOT_FOUND'],
    ['an output that Git tracks', ['-o', 'params.yaml'], 'true', 'TRACKED_BY_GIT'],
    ['an output inside tracked data', ['-o', 'data/x.bin'], 'echo > ran', 'TARGETS_OVERLAP'],
    ['an input that is written', ['-d', 'data', '-o', 'data'], 'echo > ran', 'USAGE'],
    ['an output outside of the repository', ['-o', '../x'], 'echo > ran', 'PATH_OUTSIDE_REPOSITORY'],
  ])('refuses %s', async (_, options, script, code) => {
    refusing ??= project();
    const cwd = await refusing;
    const command = script === undefined ? ['no-such-program'] : ['sh', '-c', script];
    const result = await runMlv(['run', '--json', ...options, '--', ...command], { cwd });
    expect((JSON.parse(result.stdout) as { error: { code: string } }).error.code).toBe(code);
    expect(existsSync(join(cwd, 'm.bin.mlv'))).toBe(false);
    expect(existsSync(join(cwd, 'ran'))).toBe(false);
  });

  it('gives a signal to the command once, waits for it, and records nothing', async () => {
    const cwd = await project();
    const script = `trap 'echo got >> signals' TERM; echo half > model.bin; echo ready; while [ ! -f signals ]; do read -r x || sleep 0.05; done; exit 5`;
    const child = startMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', script], { cwd });
    child.stdin.end();
    const ended = collect(child);
    child.stdout.once('data', () => child.kill('SIGTERM'));
    const result = await ended;
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('the command was interrupted (SIGTERM); nothing was recorded');
    expect(readFileSync(join(cwd, 'signals'), 'utf8')).toBe('got\n');
    expect(existsSync(join(cwd, 'model.bin.mlv'))).toBe(false);
  });

  it('takes no success from a command that ends well after an interrupt', async () => {
    const cwd = await project();
    const script = `trap 'echo > stop' INT; echo half > model.bin; echo ready; while [ ! -f stop ]; do sleep 0.05; done; exit 0`;
    const child = startMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', script], { cwd });
    const ended = collect(child);
    child.stdout.once('data', () => child.kill('SIGINT'));
    expect((await ended).exitCode).toBe(130);
    expect(existsSync(join(cwd, 'model.bin.mlv'))).toBe(false);
  });

  it('killed while the command runs leaves the pointers as they were', async () => {
    const cwd = await project();
    await train(cwd);
    const before = readFileSync(join(cwd, 'model.bin.mlv'), 'utf8');
    const script = 'echo half > model.bin; echo ready; while [ ! -f stop ]; do sleep 0.05; done';
    const child = startMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', script], { cwd });
    const ended = collect(child);
    child.stdout.once('data', () => child.kill('SIGKILL'));
    child.once('exit', () => writeFileSync(join(cwd, 'stop'), ''));
    await ended;
    expect(readFileSync(join(cwd, 'model.bin.mlv'), 'utf8')).toBe(before);
    const status = parseDocument('status', await mlv(['status', '--json', 'model.bin'], { cwd }));
    expect(status.targets[0]?.state).toBe('modified');
    expect((await train(cwd)).exitCode).toBe(0);
  });

  it('does not run a command that writes what another one is writing', async () => {
    const cwd = await project();
    const script = 'echo ready; while [ ! -f stop ]; do sleep 0.05; done; echo 1 > model.bin';
    const child = startMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', script], { cwd });
    const ended = collect(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const other = await runMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', 'echo 2 > model.bin; echo > ran'], { cwd });
    writeFileSync(join(cwd, 'stop'), '');
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain("another mlv runs a command that writes 'model.bin' at this moment");
    expect(existsSync(join(cwd, 'ran'))).toBe(false);
    expect((await ended).exitCode).toBe(0);
    expect((await runMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', 'echo 3 > model.bin'], { cwd })).exitCode).toBe(
      0,
    );
  });

  it('with a full disk leaves no pointer that names what is not stored', async ({ skip }) => {
    const disk = smallDisk(512);
    if (!disk) return skip('the tests may not mount a file system here');
    const cwd = await project();
    await mlv(['config', 'set', '--local', 'cache.dir', join(disk.path, 'cache')], { cwd });
    const script = 'head -c 1000000 /dev/urandom > model.bin';
    const result = await runMlv(['run', '--json', '-o', 'model.bin', '--', 'sh', '-c', script], { cwd });
    expect((JSON.parse(result.stdout) as { error: { code: string } }).error.code).toBe('DISK_FULL');
    expect(existsSync(join(cwd, 'model.bin.mlv'))).toBe(false);
    expect(statSync(join(cwd, 'model.bin')).size).toBe(1_000_000);
  });

  it('where the pointer cannot be written says so and leaves the old one', async ({ skip }) => {
    const disk = smallDisk(8192);
    if (!disk) return skip('the tests may not mount a file system here');
    const repository = join(disk.path, 'repository');
    git(temporaryDirectory(), 'init', '--quiet', repository);
    await mlv(['init'], { cwd: repository });
    await mlv(['run', '-o', 'model.bin', '--', 'sh', '-c', 'echo 1 > model.bin'], { cwd: repository });
    const before = readFileSync(join(repository, 'model.bin.mlv'), 'utf8');
    disk.makeReadOnly();
    const result = await runMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', 'echo 2 > model.bin'], {
      cwd: repository,
    });
    expect(result.exitCode).not.toBe(0);
    expect(readFileSync(join(repository, 'model.bin.mlv'), 'utf8')).toBe(before);
  });

  it.each(['hardlink', 'symlink'])('never writes into the cache through an output that is a %s', async (mode) => {
    const cwd = await project();
    await mlv(['config', 'set', '--local', 'cache.link', mode], { cwd });
    await train(cwd);
    const first = readFileSync(join(cwd, 'model.bin'), 'utf8');
    const result = await runMlv(['run', '-o', 'model.bin', '--', 'sh', '-c', 'echo more >> model.bin'], { cwd });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(cwd, 'model.bin'), 'utf8')).toBe(`${first}more\n`);
    await mlv(['fsck'], { cwd });
  });

  it('has its record pushed and pulled with the outputs', async () => {
    const cwd = await project();
    await train(cwd);
    await mlv(['remote', 'add', 'storage', join(temporaryDirectory(), 'remote')], { cwd });
    commitAll(cwd, 'trained');
    const pushed = parseDocument('push', await mlv(['push', '--json'], { cwd }));
    expect(pushed.failed).toEqual([]);
    const again = parseDocument('push', await mlv(['push', '--json'], { cwd }));
    expect(again).toMatchObject({ upToDate: 2, objects: 0 });
    const clone = cloneRepository(cwd);
    await mlv(['pull'], { cwd: clone });
    const there = await recordOf(clone, 'model.bin.mlv');
    expect(there.record).toEqual((await recordOf(cwd, 'model.bin.mlv')).record);
    expect(there.text('metrics-1')).toContain('acc');
    await mlv(['fsck', '--remote'], { cwd: clone });
    const kept = parseDocument('gc', await mlv(['gc', '--remote', '--json', '--offline'], { cwd }));
    expect(kept).toMatchObject({ setAside: { records: 0 } });
  });

  it('reads the logs of mlv_log.py and of MLflow', async () => {
    const cwd = await project();
    const script =
      `mkdir -p mlruns/0/abc/metrics mlruns/0/abc/params; echo '1 0.25 0' > mlruns/0/abc/metrics/mae; ` +
      `echo -n 3 > mlruns/0/abc/params/depth; echo '{"metric": "acc", "value": 0.75, "step": 9}' > log.jsonl; echo > m.bin`;
    const args = ['run', '--json', '-o', 'm.bin', '-m', 'log.jsonl', '-m', 'mlruns', '--', 'sh', '-c', script];
    const { metrics } = parseDocument('run', await mlv(args, { cwd }));
    expect(metrics).toEqual({ acc: { value: 0.75 }, mae: { value: 0.25, better: 'lower' } });
    expect((await recordOf(cwd, 'm.bin.mlv')).record.params).toEqual([{ path: 'mlruns', values: { depth: '3' } }]);
  });

  it('forgets the run when the output is added with other content', async () => {
    const cwd = await project();
    await train(cwd);
    writeFiles(cwd, { 'model.bin': 'by hand\n' });
    await mlv(['add', 'model.bin'], { cwd });
    expect(readFileSync(join(cwd, 'model.bin.mlv'), 'utf8')).not.toContain('run');
  });
});
