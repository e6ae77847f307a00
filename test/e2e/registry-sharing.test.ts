import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git, makeRepository } from '../helpers/repository.js';

const POLICY = `mlv: 1
roles:
  lead: [author@example.com]
stages:
  production:
    metrics: ['auc >= 0.9']
policy:
  roles: [lead]
`;

function bareWithClones(): [bare: string, one: string, other: string] {
  const source = makeRepository();
  writeFiles(source, { 'train.py': 'print(1)\n' });
  commitAll(source);
  const bare = makeRepository({ name: 'bare', bare: true });
  git(source, 'push', '--quiet', bare, 'main');
  return [bare, cloneRepository(bare), cloneRepository(bare)];
}

describe('what is said of models', () => {
  it('travels to other clones at once, and stays here with --no-push', async () => {
    const [bare, one, other] = bareWithClones();
    const edited = await mlv(
      ['--json', 'model', 'edit', 'fraud', '--owner', 'Ada <ada@example.com>', '--licence', 'MIT'],
      {
        cwd: one,
      },
    );
    expect(parseDocument('model edit', edited)).toMatchObject({ pushed: true });
    // A clone that does not know the registry yet asks for it.
    const shown = parseDocument('model show', await mlv(['--json', 'model', 'show', 'fraud'], { cwd: other }));
    expect(shown).toMatchObject({ owners: ['Ada <ada@example.com>'], licence: 'MIT', description: null });

    const local = parseDocument(
      'model edit',
      await mlv(['--json', 'model', 'edit', 'fraud', '--no-push', '--description', 'Scores: "cards"\n# no comment'], {
        cwd: other,
      }),
    );
    expect(local.pushed).toBe(false);
    expect(await mlv(['registry', 'status', '--fetch'], { cwd: other })).toBe('1 change only in this clone\n');
    await mlv(['model', 'edit', 'other', '--licence', 'MIT'], { cwd: one });
    expect(parseDocument('registry push', await mlv(['--json', 'registry', 'push'], { cwd: other }))).toMatchObject({
      sent: 1,
    });
    expect(parseDocument('registry pull', await mlv(['--json', 'registry', 'pull'], { cwd: one }))).toMatchObject({
      ahead: 0,
    });
    const inBare = await runMlv(['list'], { cwd: bare });
    expect([inBare.exitCode, inBare.stderr]).toEqual([1, expect.stringContaining('is a bare repository')]);
    expect(await mlv(['model', 'show', 'fraud'], { cwd: one })).toContain('Scores: "cards"');
    expect(git(bare, 'log', '--format=%s', 'mlv-registry').split('\n').slice(0, 3)).toEqual([
      'fraud: described',
      'other: described',
      'fraud: described',
    ]);
    expect(git(one, 'status', '--porcelain')).toBe('');
  });

  it('is refused where a name could hurt, and where nothing is asked for', async () => {
    const cwd = makeRepository();
    expect(await runMlv(['model', 'edit', '../x', '--licence', 'MIT'], { cwd })).toMatchObject({ exitCode: 2 });
    expect(await runMlv(['model', 'edit', 'fraud'], { cwd })).toMatchObject({ exitCode: 2 });
    expect(await runMlv(['model', 'show', 'fraud'], { cwd })).toMatchObject({ exitCode: 2 });
  });
});

describe('the policy', () => {
  it('is checked, put into force, and then decides who may change it', async () => {
    const [, one, other] = bareWithClones();
    writeFileSync(join(one, 'policy.yaml'), POLICY);
    expect(await mlv(['policy', 'check', 'policy.yaml'], { cwd: one })).toContain('  auc >= 0.9\n');
    expect(parseDocument('policy show', await mlv(['--json', 'policy', 'show'], { cwd: one }))).toMatchObject({
      default: true,
    });
    expect(
      parseDocument('policy set', await mlv(['--json', 'policy', 'set', 'policy.yaml'], { cwd: one })),
    ).toMatchObject({
      pushed: true,
    });
    expect(await mlv(['policy', 'show', '--raw'], { cwd: other })).toBe(POLICY);
    expect(await mlv(['policy', 'set', 'policy.yaml'], { cwd: one })).toBe('this policy is in force already\n');
    writeFileSync(join(other, 'loose.yaml'), 'mlv: 1\n');
    const stranger = { GIT_AUTHOR_EMAIL: 'stranger@example.com', GIT_COMMITTER_EMAIL: 'stranger@example.com' };
    const refused = await runMlv(['policy', 'set', 'loose.yaml'], { cwd: other, env: stranger });
    expect(refused).toMatchObject({ exitCode: 6, stdout: '' });
    expect(refused.stderr).toContain('lead');
    expect(await mlv(['policy', 'show', '--raw'], { cwd: one })).toBe(POLICY);
  });

  it.each([
    ['a rule that is none', POLICY.replace('auc >= 0.9', 'auc >='), 2],
    ['a key that nobody knows', POLICY.replace('metrics:', 'metric:'), 5],
    ['a role that is not there', POLICY.replace('roles: [lead]', 'roles: [boss]'), 5],
    ['aliases', 'mlv: 1\nroles: &a {}\nstages: *a\n', 5],
    ['no YAML', '\t', 5],
  ])('with %s is refused before anything is written', async (_, text, exitCode) => {
    const cwd = makeRepository();
    writeFileSync(join(cwd, 'policy.yaml'), text);
    expect(await runMlv(['policy', 'set', 'policy.yaml'], { cwd })).toMatchObject({ exitCode, stdout: '' });
    expect(git(cwd, 'for-each-ref')).toBe('');
    expect(readFileSync(join(cwd, 'policy.yaml'), 'utf8')).toBe(text);
  });
});

describe('a registry that was tampered with', () => {
  it('is told when the remote lost what it had, and taken over only when asked', async () => {
    const [bare, one, other] = bareWithClones();
    for (const licence of ['MIT', 'Apache-2.0'])
      await mlv(['model', 'edit', 'fraud', '--licence', licence], { cwd: one });
    await mlv(['registry', 'pull'], { cwd: other });
    git(bare, 'update-ref', 'refs/heads/mlv-registry', 'mlv-registry^');
    const pull = await runMlv(['--json', 'registry', 'pull'], { cwd: other });
    expect(pull.exitCode).toBe(5);
    expect(JSON.parse(pull.stdout).error.code).toBe('REGISTRY_REWRITTEN');
    expect(await runMlv(['model', 'edit', 'fraud', '--licence', 'BSD'], { cwd: other })).toMatchObject({ exitCode: 5 });
    await mlv(['registry', 'pull', '--accept-rewritten'], { cwd: other });
    expect(await mlv(['model', 'show', 'fraud'], { cwd: other })).toBe('licence  MIT\n');
  });

  it('names the file that is not what it should be', async () => {
    const cwd = makeRepository();
    writeFiles(cwd, { 'models/fraud/events/00000001-000000000000.yaml': 'mlv: 1\ntype: registered\n' });
    commitAll(cwd);
    git(cwd, 'branch', 'mlv-registry');
    const result = await runMlv(['model', 'show', 'fraud'], { cwd });
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain("'models/fraud/events/00000001-000000000000.yaml'");
  });
});
