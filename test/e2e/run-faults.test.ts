import { appendFileSync, chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { quickly } from '../helpers/quick-probe.js';
import { cloneRepository, commitAll } from '../helpers/repository.js';
import { smallDisk } from '../helpers/small-disk.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const { collect, mlv, run: runMlv, start: startMlv } = quickly;

const STAGES = `
stages:
  split:
    cmd: mkdir -p parts && sh split.sh
    deps: [raw.csv, split.sh]
    outs: [parts]
    metrics: [count.json]
`;
const SPLIT =
  'for row in $(cat raw.csv); do echo $row > parts/$row; done; echo "{\\"rows\\": $(wc -l < raw.csv)}" > count.json\n';

async function project(): Promise<string> {
  const cwd = await makeMlvRepository({ 'raw.csv': 'a\nb\n', 'split.sh': SPLIT });
  appendFileSync(join(cwd, 'mlv.yaml'), STAGES);
  await mlv(['add', '-q', 'raw.csv'], { cwd });
  await mlv(['repro', '-q'], { cwd });
  commitAll(cwd, 'split');
  return cwd;
}

async function change(cwd: string, rows: string): Promise<void> {
  writeFiles(cwd, { 'raw.csv': rows });
  await mlv(['add', '-q', 'raw.csv'], { cwd });
}

async function filesOf(cwd: string, target: string): Promise<string[]> {
  const { entries } = parseDocument('ls', await mlv(['ls', target, '--json'], { cwd }));
  return (entries as { path: string }[]).map(({ path }) => path);
}

describe('what stood at the outputs before a run', () => {
  it('is no part of what a stage makes: an output is what its command wrote', async () => {
    const cwd = await project();
    await change(cwd, 'b\nc\n');
    await mlv(['repro', '-q'], { cwd });
    expect(existsSync(join(cwd, 'parts/a'))).toBe(false);
    expect(await filesOf(cwd, 'parts')).toEqual(['parts/b', 'parts/c']);
  });

  it('does not pass for what a stage made that wrote nothing, and comes back', async () => {
    const cwd = await project();
    const pointer = readFileSync(join(cwd, 'parts.mlv'), 'utf8');
    for (const script of ['rmdir parts\n', 'touch parts/x\n', 'echo half > parts/half; exit 1\n']) {
      writeFiles(cwd, { 'split.sh': script });
      const result = await runMlv(['repro', '--json'], { cwd });
      expect([result.exitCode, JSON.parse(result.stdout).error.code]).toEqual([1, 'RUN_FAILED']);
      expect(readFileSync(join(cwd, 'parts.mlv'), 'utf8')).toBe(pointer);
      expect(readFileSync(join(cwd, 'count.json'), 'utf8')).toBe('{"rows": 2}\n');
    }
    // What the last command left in its place is left as it is.
    expect(readFileSync(join(cwd, 'parts/half'), 'utf8')).toBe('half\n');
    await mlv(['checkout', '--force', 'parts'], { cwd });
    expect(readFileSync(join(cwd, 'parts/a'), 'utf8')).toBe('a\n');
  });

  it('is kept in the cache where it was in no object', async () => {
    const cwd = await project();
    writeFiles(cwd, { 'parts/notes.txt': 'by hand', 'count.json': '{"rows": 99}\n' });
    await change(cwd, 'c\n');
    const { stderr } = await runMlv(['repro'], { cwd });
    const kept = [...stderr.matchAll(/'(.+)' held content that was in no object; it is kept in the cache as (\S+)/g)];
    expect(kept.map(([, path]) => path)).toEqual(['parts', 'count.json']);
    expect(await mlv(['cat', kept[1]?.[2] ?? ''], { cwd })).toBe('{"rows": 99}\n');
    expect(await filesOf(cwd, 'parts')).toEqual(['parts/c']);
  });

  it('stays for a stage that goes on from it, and for mlv run, which must write it', async () => {
    const cwd = await project();
    appendFileSync(join(cwd, 'mlv.yaml'), '    keep: true\n');
    await change(cwd, 'c\n');
    await mlv(['repro', '-q'], { cwd });
    expect(await filesOf(cwd, 'parts')).toEqual(['parts/a', 'parts/b', 'parts/c']);

    const pointer = readFileSync(join(cwd, 'parts.mlv'), 'utf8');
    const idle = await runMlv(['run', '-o', 'parts', '--json', '--', 'true'], { cwd });
    expect([idle.exitCode, JSON.parse(idle.stdout).error.code]).toEqual([1, 'RUN_FAILED']);
    expect(idle.stderr).toContain('what is there is from before');
    expect(readFileSync(join(cwd, 'parts.mlv'), 'utf8')).toBe(pointer);
    await mlv(['run', '-o', 'parts', '--', 'sh', '-c', 'echo a > parts/a'], { cwd });
    expect(readFileSync(join(cwd, 'parts.mlv'), 'utf8')).not.toBe(pointer);
  });

  it('needs not be fetched for what takes its place', async () => {
    const cwd = await project();
    await mlv(['remote', 'add', 'origin', temporaryDirectory('store'), '-q'], { cwd });
    await mlv(['push', '-q'], { cwd });
    commitAll(cwd, 'remote');
    const clone = cloneRepository(cwd);
    await change(clone, 'c\n');
    await mlv(['repro', '-q'], { cwd: clone });
    expect(await filesOf(clone, 'parts')).toEqual(['parts/c']);
  });
});

describe('a command that leaves children behind', () => {
  it('is done when it ends itself, whatever holds its output open', async () => {
    const cwd = await makeMlvRepository({});
    const flag = join(cwd, '.git', 'go-on');
    writeFileSync(flag, '');
    const command = `(while test -e ${flag}; do sleep 0.05; done; echo late) & echo made > one.bin`;
    const other = 'echo made > two.bin';
    appendFileSync(
      join(cwd, 'mlv.yaml'),
      `stages: {one: {cmd: '${command}', outs: [one.bin]}, two: {cmd: ${other}, outs: [two.bin]}}\n`,
    );
    const result = await runMlv(['repro', '--jobs', '2', '--json'], { cwd });
    rmSync(flag);
    expect(result.exitCode, result.stderr).toBe(0);
    expect(parseDocument('repro', result.stdout).stages.map(({ state }) => state)).toEqual(['ran', 'ran']);
  });

  it.skipIf(process.platform !== 'linux')('has a signal passed on to them', async () => {
    const cwd = await makeMlvRepository({});
    const script = `trap 'echo ended > ended; exit 1' TERM; echo ready; while :; do sleep 0.05; done`;
    const child = startMlv(['run', '-o', 'm.bin', '--', 'sh', '-c', `sh -c "${script}"; echo after > m.bin`], { cwd });
    child.stdin.end();
    const ended = collect(child);
    child.stdout.once('data', () => child.kill('SIGTERM'));
    expect((await ended).exitCode).not.toBe(0);
    await expect.poll(() => existsSync(join(cwd, 'ended')), { timeout: 120_000 }).toBe(true);
    expect(existsSync(join(cwd, 'm.bin.mlv'))).toBe(false);
  });
});

describe('a disk that is', () => {
  const onDisk = async (kibibytes: number) => {
    const disk = smallDisk(kibibytes);
    if (!disk) return undefined;
    cpSync(await project(), disk.path, { recursive: true });
    return { disk, cwd: disk.path };
  };

  it('full while a run is recorded leaves the pointers as they were, and the next run is whole', async ({ skip }) => {
    const { disk, cwd } = (await onDisk(5000)) ?? skip('needs the right to mount');
    const pointer = readFileSync(join(cwd, 'parts.mlv'), 'utf8');
    writeFiles(cwd, { 'split.sh': 'head -c 2600000 /dev/urandom > parts/big; echo "{\\"rows\\": 1}" > count.json\n' });
    const result = await runMlv(['repro', '--json'], { cwd });
    expect([result.exitCode, JSON.parse(result.stdout).error.code], result.stderr).toEqual([1, 'DISK_FULL']);
    expect(readFileSync(join(cwd, 'parts.mlv'), 'utf8')).toBe(pointer);
    disk.resize(20_000);
    await mlv(['repro', '-q'], { cwd });
    expect(statSync(join(cwd, 'parts/big')).size).toBe(2_600_000);
    await mlv(['fsck'], { cwd });
    expect((await runMlv(['repro', '--dry-run'], { cwd })).stdout).toContain('current');
  });

  it('read-only says so, and leaves everything', async ({ skip }) => {
    const { disk, cwd } = (await onDisk(5000)) ?? skip('needs the right to mount');
    await change(cwd, 'c\n');
    const pointer = readFileSync(join(cwd, 'parts.mlv'), 'utf8');
    disk.makeReadOnly();
    const result = await runMlv(['repro', '--json'], { cwd });
    disk.makeWritable();
    expect([result.exitCode, JSON.parse(result.stdout).error.code], result.stderr).toEqual([1, 'FILE_SYSTEM']);
    expect(readFileSync(join(cwd, 'parts.mlv'), 'utf8')).toBe(pointer);
    expect(readFileSync(join(cwd, 'parts/a'), 'utf8')).toBe('a\n');
    await mlv(['repro', '-q'], { cwd });
    expect(await filesOf(cwd, 'parts')).toEqual(['parts/c']);
  });
});

it('an output that is read-only is replaced, and one in a read-only directory is an error before the command', async ({
  skip,
}) => {
  const cwd = await project();
  chmodSync(join(cwd, 'parts/a'), 0o444);
  chmodSync(join(cwd, 'count.json'), 0o444);
  await change(cwd, 'c\n');
  await mlv(['repro', '-q'], { cwd });
  expect(await filesOf(cwd, 'parts')).toEqual(['parts/c']);
  if (process.getuid?.() === 0) return skip('root may write everywhere');
  await change(cwd, 'd\n');
  chmodSync(cwd, 0o555);
  const result = await runMlv(['repro', '--json'], { cwd });
  chmodSync(cwd, 0o755);
  expect([result.exitCode, JSON.parse(result.stdout).error.code]).toEqual([1, 'FILE_SYSTEM']);
  expect(existsSync(join(cwd, 'parts/c'))).toBe(true);
});
