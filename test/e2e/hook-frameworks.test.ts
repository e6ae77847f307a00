import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cleanEnvironment, MLV_BIN, mlv } from '../helpers/cli.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

/** The real programs, where .ci/hook-frameworks.sh installed them; nothing is tested without. */
const PRE_COMMIT = process.env.MLV_TEST_PRE_COMMIT;
const LEFTHOOK = process.env.MLV_TEST_LEFTHOOK;

const programs = temporaryDirectory('bin');
writeFileSync(join(programs, 'mlv'), `#!/bin/sh\nexec '${process.execPath}' '${MLV_BIN}' "$@"\n`, { mode: 0o755 });
const path = [programs, ...[PRE_COMMIT, LEFTHOOK].flatMap((each) => (each ? [dirname(each)] : [])), process.env.PATH];

function run(cwd: string, program: string, ...args: string[]): { status: number | null; said: string } {
  const env = { ...cleanEnvironment({ CI: undefined }), PATH: path.join(':') };
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (error) throw error;
  return { status, said: `${stdout}${stderr}` };
}

function must(cwd: string, program: string, ...args: string[]): string {
  const { status, said } = run(cwd, program, ...args);
  expect(status, `${program} ${args.join(' ')}: ${said}`).toBe(0);
  return said;
}

/** A snippet of docs/hooks.md, as a reader copies it: it begins with a comment that names its file. */
function snippet(file: string): string {
  const text = readFileSync(fileURLToPath(new URL('../../docs/hooks.md', import.meta.url)), 'utf8');
  const blocks = [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  const found = blocks.find((block) => block.startsWith(`# ${file}\n`));
  if (found === undefined) throw new Error(`docs/hooks.md has no snippet for ${file}`);
  return found;
}

/** A repository with a remote for Git and one for mlv, and one commit. */
async function project(): Promise<{ cwd: string; store: string }> {
  const cwd = await makeMlvRepository({ model: 'one' });
  const store = temporaryDirectory('store');
  await mlv(['remote', 'add', 'origin', store], { cwd });
  await mlv(['add', '-q', 'model'], { cwd });
  must(cwd, 'git', 'remote', 'add', 'origin', makeRepository({ bare: true }));
  must(cwd, 'git', 'add', '--all');
  must(cwd, 'git', 'commit', '-qm', 'one');
  return { cwd, store };
}

/** A large file and a pointer without content are refused, and what is right is taken. */
async function expectCommitIsChecked(cwd: string): Promise<void> {
  writeFiles(cwd, { 'large.bin': Buffer.alloc(11 * 1024 * 1024, 1), 'notes.txt': 'n' });
  must(cwd, 'git', 'add', 'large.bin');
  const large = run(cwd, 'git', 'commit', '-m', 'large');
  expect([large.status, large.said]).toEqual([1, expect.stringContaining('mlv add large.bin')]);
  must(cwd, 'git', 'rm', '-q', '--cached', 'large.bin');
  writeFiles(cwd, { model: 'lost' });
  await mlv(['add', '-q', 'model'], { cwd });
  const [, hex = ''] = /blake3:([0-9a-f]{64})/.exec(readFileSync(join(cwd, 'model.mlv'), 'utf8')) ?? [];
  rmSync(join(cwd, '.git/mlv/objects/blake3', hex.slice(0, 2), hex.slice(2)));
  must(cwd, 'git', 'add', 'model.mlv');
  const lost = run(cwd, 'git', 'commit', '-m', 'lost');
  expect([lost.status, lost.said]).toEqual([1, expect.stringContaining('not in the cache')]);
  await mlv(['add', '-q', 'model'], { cwd });
  must(cwd, 'git', 'add', 'notes.txt');
  must(cwd, 'git', 'commit', '-m', 'right');
}

/** Content follows a switch, a merge, a rebase and a cherry-pick, and goes to the remote before the commits do. */
async function expectGitIsFollowed(cwd: string, store: string): Promise<void> {
  const model = (): string => readFileSync(join(cwd, 'model'), 'utf8');
  must(cwd, 'git', 'switch', '-qc', 'two');
  writeFiles(cwd, { model: 'two' });
  await mlv(['add', '-q', 'model'], { cwd });
  must(cwd, 'git', 'commit', '-qam', 'two');
  must(cwd, 'git', 'switch', '-q', 'main');
  expect(model()).not.toBe('two');
  must(cwd, 'git', 'merge', '-q', 'two');
  expect(model()).toBe('two');
  must(cwd, 'git', 'switch', '-qc', 'side', 'main~1');
  writeFiles(cwd, { 'side.txt': 's' });
  must(cwd, 'git', 'add', 'side.txt');
  must(cwd, 'git', 'commit', '-qm', 'side');
  expect(model()).not.toBe('two');
  must(cwd, 'git', 'rebase', '-q', 'main');
  expect(model()).toBe('two');
  must(cwd, 'git', 'switch', '-qc', 'pick', 'main~1');
  must(cwd, 'git', 'cherry-pick', 'main');
  expect(model()).toBe('two');
  expect(existsSync(join(store, 'records'))).toBe(false);
  must(cwd, 'git', 'push', '-q', 'origin', 'main');
  expect(existsSync(join(store, 'records'))).toBe(true);
}

describe.runIf(PRE_COMMIT)('pre-commit', () => {
  const preCommit = PRE_COMMIT as string;

  it('calls mlv as the snippet says', async () => {
    const { cwd } = await project();
    writeFileSync(join(cwd, '.pre-commit-config.yaml'), snippet('.pre-commit-config.yaml'));
    must(cwd, 'git', 'add', '.pre-commit-config.yaml');
    must(cwd, preCommit, 'validate-config');
    must(cwd, preCommit, 'install');
    await expectCommitIsChecked(cwd);
  });

  it.each([['mlv first'], ['pre-commit first']])('stands beside the hooks of mlv: %s', async (order) => {
    const { cwd, store } = await project();
    const own =
      'repos:\n- repo: local\n  hooks:\n  - {id: own, name: own, language: system, entry: touch ran, always_run: true, pass_filenames: false}\n';
    writeFileSync(join(cwd, '.pre-commit-config.yaml'), own);
    must(cwd, 'git', 'add', '.pre-commit-config.yaml');
    const types = ['pre-commit', 'pre-push', 'post-checkout', 'post-merge', 'post-rewrite'];
    const install = (): string => must(cwd, preCommit, 'install', ...types.flatMap((type) => ['--hook-type', type]));
    if (order === 'pre-commit first') install();
    await mlv(['hooks', 'install', '-q'], { cwd });
    if (order === 'mlv first') install();
    await expectCommitIsChecked(cwd);
    expect(existsSync(join(cwd, 'ran'))).toBe(true);
    await expectGitIsFollowed(cwd, store);
  });
});

describe.runIf(LEFTHOOK)('lefthook', () => {
  it('calls mlv as the snippet says', async () => {
    const { cwd, store } = await project();
    mkdirSync(join(cwd, '.git/hooks'), { recursive: true });
    writeFileSync(join(cwd, 'lefthook.yml'), snippet('lefthook.yml'));
    must(cwd, 'git', 'add', 'lefthook.yml');
    must(cwd, LEFTHOOK as string, 'install');
    await expectCommitIsChecked(cwd);
    await expectGitIsFollowed(cwd, store);
  });
});
