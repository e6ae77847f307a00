import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, mlv, type RunResult, runMlv } from '../helpers/cli.js';
import { type Document, type DocumentedVerb, parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';
import { commitAll, git } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const BOB = { GIT_AUTHOR_NAME: 'Bob', GIT_AUTHOR_EMAIL: 'bob@example.com' };
let cwd: string;

async function run<V extends DocumentedVerb>(
  verb: V,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ exitCode: number; document: Document<V>; result: RunResult }> {
  const result = await runMlv([...verb.split(' '), ...args, '--json'], { cwd, env });
  return { exitCode: result.exitCode, document: parseDocument(verb, result.stdout), result };
}

async function register(version: string, content: string, auc: number): Promise<void> {
  writeFileSync(join(cwd, 'model.pkl'), content);
  await mlv(['add', '-q', 'model.pkl'], { cwd });
  commitAll(cwd, version);
  await mlv(['register', 'fraud', 'model.pkl', '--version', version, '-m', `auc=${auc}`, '--push'], { cwd });
}

beforeAll(async () => {
  cwd = await makeMlvRepository();
  await mlv(['remote', 'add', 'store', temporaryDirectory('store')], { cwd });
  await register('1.0.0', 'one', 0.91);
  await register('2.0.0', 'two', 0.95);
  const policy = [
    'mlv: 1',
    'roles: {lead: [bob@example.com, author@example.com]}',
    'stages:',
    '  staging: {}',
    '  production:',
    '    metrics: [auc >= 0.9]',
    '    approvals: {count: 1, role: lead}',
    '    checks: [{name: smoke, command: grep -q one model.pkl}]',
    '',
  ];
  const file = join(cwd, '.git', 'policy.yaml');
  writeFileSync(file, policy.join('\n'));
  await mlv(['policy', 'set', file], { cwd });
});

// The tests of this file follow one another: a version's life.
describe('the stages of a model', () => {
  it('promote says of every gate whether it passed, and writes nothing where one fails', async () => {
    const before = git(cwd, 'rev-parse', 'mlv-registry');
    const { exitCode, document, result } = await run('promote', ['fraud@1.0.0', 'production']);
    expect(exitCode).toBe(6);
    expect(document).toMatchObject({ error: { code: 'REGISTRY_REFUSED' }, commit: null });
    expect(document.gates.map(({ gate, passed }) => `${gate} ${passed}`)).toEqual([
      'metrics true',
      'approvals false',
      'check false',
    ]);
    expect(result.stderr).toContain('2 of 3 gates failed: approvals, check');
    const text = await runMlv(['promote', 'fraud@1.0.0', 'production'], { cwd });
    expect(text.stdout).toMatch(/^passed {2}metrics +auc >= 0\.9: auc is 0\.91$/m);
    expect(text.stdout).toMatch(/^FAILED {2}approvals +1 by lead, not the author: 0 of 1$/m);
    expect(git(cwd, 'rev-parse', 'mlv-registry')).toBe(before);
  });

  it('an approval needs a stage and a reason, is not for the author, and keeps what is attached', async () => {
    expect((await runMlv(['approve', 'fraud@1.0.0', '--reason', 'x'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['approve', 'fraud@1.0.0', '--stage', 'production'], { cwd })).exitCode).toBe(2);
    const own = await run('approve', ['fraud@1.0.0', '--stage', 'production', '--reason', 'mine']);
    expect(own.exitCode).toBe(6);
    expect(own.document.refusals).toMatchObject([{ code: 'self-approval' }]);
    writeFileSync(join(cwd, 'report.html'), '<p>fine</p>');
    const args = [
      'fraud@1.0.0',
      '--stage',
      'production',
      '--reason',
      'good',
      '--ticket',
      'T-1',
      '--attach',
      'report.html',
    ];
    const { document } = await run('approve', args, BOB);
    expect(document.event).toMatchObject({ ticket: 'T-1', attachments: [{ name: 'report.html', size: 11 }] });
  });

  it('checks run only where the caller allows it, in the version as it was', async () => {
    const refused = await run('promote', ['fraud@1.0.0', 'production']);
    expect(refused.document.gates.filter(({ passed }) => !passed)).toMatchObject([
      { gate: 'check', found: 'it was not run' },
    ]);
    const { exitCode, document } = await run('promote', ['fraud@1.0.0', 'production', '--run-checks']);
    expect({ exitCode, event: document.event }).toMatchObject({
      exitCode: 0,
      event: { type: 'promoted', from: 'none' },
    });
    expect(git(cwd, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(readFileSync(join(cwd, 'model.pkl'), 'utf8')).toBe('two');
    expect((await run('promote', ['fraud@1.0.0', 'production'])).document.event).toBeNull();
  });

  it('a check that fails is kept, and the gate with it', async () => {
    await mlv(['approve', 'fraud@2.0.0', '--stage', 'production', '--reason', 'good'], { cwd, env: BOB });
    const { exitCode, document } = await run('promote', ['fraud@2.0.0', 'production', '--run-checks']);
    expect(exitCode).toBe(6);
    expect(document.gates.at(-1)).toMatchObject({
      gate: 'check',
      passed: false,
      found: expect.stringContaining('exit code 1'),
    });
    const loose = readFileSync(join(cwd, '.git', 'policy.yaml'), 'utf8').replace(/ {4}checks.*\n/, '');
    writeFileSync(join(cwd, '.git', 'policy.yaml'), loose);
    await mlv(['policy', 'set', join(cwd, '.git', 'policy.yaml')], { cwd });
  });

  it('a canary shares the stage, a guard finds its fault and gives the stage back', async () => {
    await mlv(['promote', 'fraud@2.0.0', 'production', '--traffic', '10'], { cwd });
    const observed = { versions: { '1.0.0': { auc: 0.9 }, '2.0.0': { auc: 0.7 } } };
    writeFileSync(join(cwd, '.git', 'observed.json'), JSON.stringify(observed));
    const healthy = await run('guard', ['fraud', 'production', '-m', 'auc=0.94']);
    expect(healthy).toMatchObject({ exitCode: 0, document: { verdict: 'healthy', rollback: null } });
    const args = ['fraud', 'production', '--observed', join('.git', 'observed.json'), '--rollback'];
    const { exitCode, document } = await run('guard', args);
    expect(exitCode).toBe(3);
    expect(document).toMatchObject({
      verdict: 'version-fault',
      rollback: { event: { type: 'rolled-back', version: '1.0.0' } },
    });
    expect(await mlv(['resolve', 'fraud@production'], { cwd })).toBe('fraud@1.0.0\n');
    expect((await runMlv(['rollback', 'fraud', 'production'], { cwd })).stderr).toContain(
      '2.0.0 was rolled back itself',
    );
  });

  it('a rollback wants the smoke test to hold, and the objects to be there', async () => {
    await mlv(['promote', 'fraud@2.0.0', 'production'], { cwd });
    const failing = await runMlv(['rollback', 'fraud', 'production', '--smoke', 'grep -q two model.pkl'], { cwd });
    expect({ code: failing.exitCode, error: failing.stderr }).toMatchObject({
      code: 1,
      error: expect.stringContaining('smoke test'),
    });
    await mlv(['rollback', 'fraud', 'production', '--smoke', 'grep -q one model.pkl'], { cwd });
    await mlv(['promote', 'fraud@2.0.0', 'production'], { cwd });
    await mlv(['remote', 'add', 'empty', temporaryDirectory('empty'), '--local', '--default'], { cwd });
    const missing = await runMlv(['rollback', 'fraud', 'production'], { cwd });
    expect({ code: missing.exitCode, error: missing.stderr }).toMatchObject({
      code: 4,
      error: expect.stringContaining('model.pkl'),
    });
    await mlv(['remote', 'default', 'store', '--local'], { cwd });
  });

  it('deprecate, evaluate, deploy-note, demote and archive say what they did', async () => {
    const said = await mlv(['deprecate', 'fraud@1.0.0', '--successor', 'fraud@2.0.0'], { cwd });
    expect(said).toMatch(/^fraud@1\.0\.0 deprecated \(commit [0-9a-f]{10}/);
    const { document } = await run('evaluate', ['fraud@2.0.0', '-m', 'loss=0.2', '--on', 'model.pkl']);
    expect(document.event).toMatchObject({
      metrics: { loss: { better: 'lower' } },
      on_oid: expect.stringMatching(/^blake3:/),
    });
    await mlv(['deploy-note', 'fraud@production', '--target', 'eu', '-m', 'first'], { cwd });
    await mlv(['demote', 'fraud@2.0.0', '--to', 'staging'], { cwd });
    expect(await mlv(['resolve', 'fraud@staging'], { cwd })).toBe('fraud@2.0.0\n');
    await mlv(['archive', 'fraud@1.0.0'], { cwd });
    const back = await run('rollback', ['fraud', 'production', '--dry-run']);
    expect(back.document).toMatchObject({ name: 'fraud@2.0.0', commit: null });
  });

  it('audit finds nothing wrong with all that, and names what is forced in', async () => {
    const honest = await run('audit', ['--exit-code']);
    expect(honest).toMatchObject({ exitCode: 0, document: { passed: true, versions: 2 } });
    git(cwd, 'tag', '-d', 'fraud@1.0.0');
    const report = join(temporaryDirectory('report'), 'audit.md');
    const { exitCode, document } = await run('audit', ['--exit-code', '--report', report]);
    expect(exitCode).toBe(5);
    expect(document).toMatchObject({
      passed: false,
      error: { code: 'AUDIT_FAILED', data: { codes: ['tag-missing'] } },
    });
    expect(readFileSync(report, 'utf8')).toContain('| Verdict | FAILED: 1 fault(s) |');
    const other = await runMlv(['audit', 'fraud'], { cwd, env: cleanEnvironment() as Record<string, string> });
    const none = await runMlv(['audit', 'frauds'], { cwd, env: cleanEnvironment() as Record<string, string> });
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining("'frauds'")]);
    expect({ code: other.exitCode, text: other.stdout }).toMatchObject({
      code: 0,
      text: expect.stringContaining('FAULT tag-missing'),
    });
  });
});
