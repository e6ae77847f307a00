import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CiMachine, MLV_PACKAGE, readGithub, runGithubJob, runGitlabJob } from '../helpers/ci-host.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { cloneRepository, commitAll, git, makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const WORKFLOW = '.github/workflows/mlv.yml';
const JOBS = '.gitlab/mlv.yml';

interface Project {
  /** The bare repository that everybody clones. */
  origin: string;
  cwd: string;
  base: string;
}

/** A project on a Git host, with a registry, whose branch `work` changes data; both templates are committed. */
async function project(): Promise<Project> {
  const origin = makeRepository({ bare: true });
  const cwd = await makeMlvRepository({
    'data/a.csv': 'id,v\n1,a\n',
    'model.bin': 'm1',
    'metrics.json': '{"auc": 0.9}\n',
  });
  git(cwd, 'remote', 'add', 'origin', origin);
  await mlv(['remote', 'add', 'storage', temporaryDirectory('remote')], { cwd });
  await mlv(['add', '-q', 'data', 'model.bin'], { cwd });
  await mlv(['ci', 'init', 'github'], { cwd });
  await mlv(['ci', 'init', 'gitlab'], { cwd });
  const base = commitAll(cwd);
  git(cwd, 'push', '-q', 'origin', 'main');
  await mlv(['push', '-q'], { cwd });
  await mlv(['register', 'fraud', 'model.bin', '-m', 'auc=0.9', '--version', '1.0.0'], { cwd });
  await mlv(['promote', 'fraud@1.0.0', 'production'], { cwd });
  git(cwd, 'checkout', '-q', '-b', 'work');
  writeFiles(cwd, { 'data/a.csv': 'id,v\n1,a\n9,b\n' });
  await mlv(['add', '-q', 'data'], { cwd });
  commitAll(cwd);
  await mlv(['push', '-q'], { cwd });
  git(cwd, 'push', '-q', 'origin', 'work');
  return { origin, cwd, base };
}

/** What stands in the expressions of the workflow. */
function expressions(base: string): Record<string, string> {
  return {
    'vars.MLV_PACKAGE': MLV_PACKAGE,
    'github.event.pull_request.base.sha || github.event.before': base,
    'secrets.AWS_ACCESS_KEY_ID': 'the-key',
    'secrets.AWS_SECRET_ACCESS_KEY': 'the-secret',
    'github.token': 'the-token',
    'github.event.pull_request.number': '7',
  };
}

function failed(outcomes: readonly { name: string; exitCode: number; output: string }[]): string[] {
  return outcomes.filter(({ exitCode }) => exitCode !== 0).map(({ name, output }) => `${name}: ${output}`);
}

let shared: Project;
beforeAll(async () => {
  shared = await project();
});

describe('mlv ci init', () => {
  it('writes a workflow once, and replaces nothing of the team without being told to', async () => {
    const cwd = makeRepository();
    mkdirSync(join(cwd, 'sub'));
    const dry = parseDocument('ci init', await mlv(['ci', 'init', 'github', '-n', '--json'], { cwd }));
    expect(dry).toMatchObject({ dryRun: true, files: [{ path: WORKFLOW, state: 'written' }] });
    expect(existsSync(join(cwd, '.github'))).toBe(false);
    const first = await runMlv(['ci', 'init', 'github'], { cwd: join(cwd, 'sub') });
    expect(first).toMatchObject({ exitCode: 0, stdout: `written ${WORKFLOW}\n` });
    expect(readFileSync(join(cwd, WORKFLOW), 'utf8')).toBe(dry.files[0]?.text);
    expect(await mlv(['ci', 'init', 'github'], { cwd })).toBe(`unchanged ${WORKFLOW}\n`);
    writeFiles(cwd, { [WORKFLOW]: 'mine\n' });
    const refused = await runMlv(['ci', 'init', 'github'], { cwd });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--force replaces it') });
    expect(readFileSync(join(cwd, WORKFLOW), 'utf8')).toBe('mine\n');
    expect(await mlv(['ci', 'init', 'github', '--force', '--package', '@ours/mlv@1'], { cwd })).toContain('replaced');
    expect(readGithub(readFileSync(join(cwd, WORKFLOW), 'utf8')).env.MLV_PACKAGE).toBe('@ours/mlv@1');
  });

  it('leaves the main file of GitLab to the team, and says what to add', async () => {
    const cwd = makeRepository();
    writeFiles(cwd, { '.gitlab-ci.yml': 'test:\n  script: [make]\n' });
    const result = await runMlv(['ci', 'init', 'gitlab'], { cwd });
    expect(result).toMatchObject({ exitCode: 0, stdout: `written ${JOBS}\n` });
    expect(result.stderr).toContain(`    - local: ${JOBS}`);
    expect(readFileSync(join(cwd, '.gitlab-ci.yml'), 'utf8')).toBe('test:\n  script: [make]\n');
  });

  it('refuses other hosts, what is no package, and a way out of the repository', async () => {
    const cwd = makeRepository();
    expect((await runMlv(['ci', 'init', 'jenkins'], { cwd })).exitCode).toBe(2);
    expect((await runMlv(['ci', 'init', 'github', '--package', 'x"; rm -rf ~'], { cwd })).exitCode).toBe(2);
    const outside = temporaryDirectory('outside');
    symlinkSync(outside, join(cwd, '.github'));
    expect((await runMlv(['ci', 'init', 'github', '--force'], { cwd })).exitCode).toBe(5);
    expect(existsSync(join(outside, 'workflows'))).toBe(false);
  });
});

describe('the workflow for GitHub', () => {
  it('asks for no more than it needs, and lets nobody see secrets but the steps of mlv', () => {
    const workflow = readGithub(readFileSync(join(shared.cwd, WORKFLOW), 'utf8'));
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(workflow.jobs.check?.permissions).toBeUndefined();
    expect(workflow.jobs.report?.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    for (const { uses } of steps) if (uses) expect(uses).toMatch(/^actions\/[a-z/-]+@v\d+$/);
    const withSecrets = steps.filter(({ env }) => JSON.stringify(env ?? {}).includes('secrets.'));
    expect(withSecrets.every(({ run = '' }) => run.startsWith('mlv '))).toBe(true);
    expect(JSON.stringify(workflow.env)).not.toContain('secrets.');
  });

  it('runs, step by step, in a clone of a good branch, and comments', () => {
    const clone = cloneRepository(shared.origin, '--branch', 'work');
    const workflow = readGithub(readFileSync(join(clone, WORKFLOW), 'utf8'));
    const machine = new CiMachine(clone, { tool: 'gh' });
    const check = runGithubJob(machine, { workflow, job: 'check' }, expressions(shared.base));
    expect(failed(check)).toEqual([]);
    expect(readFileSync(join(clone, 'data/a.csv'), 'utf8')).toContain('9,b');
    expect(git(clone, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(machine.told).toBe('');

    const summary = join(temporaryDirectory('summary'), 'summary.md');
    writeFileSync(summary, '');
    Object.assign(machine.environment, { GITHUB_STEP_SUMMARY: summary, GITHUB_REPOSITORY: 'ours/project' });
    const report = runGithubJob(machine, { workflow, job: 'report' }, expressions(shared.base));
    expect(failed(report)).toEqual([]);
    expect(readFileSync(summary, 'utf8')).toContain('| `data/a.csv` | `v` | `new values b` | drift |');
    expect(machine.told).toContain('--method POST repos/ours/project/issues/7/comments --field body=@report.md');
    expect(machine.told).toContain('<!-- mlv report -->\n## Data and models');
    const said = [...check, ...report].map(({ output }) => output).join('');
    expect(said).not.toMatch(/the-(?:key|secret|token)/);
  });

  it('writes its comment anew, guards a stage, and stops at what a gate refuses', async () => {
    const clone = cloneRepository(shared.origin, '--branch', 'work');
    writeFiles(clone, {
      'big.bin': Buffer.alloc(11 * 1024 * 1024),
      'now.json': '{"auc": 0.5}\n',
      'policy.yaml': 'mlv: [\n',
    });
    git(clone, 'add', 'big.bin');
    git(clone, 'commit', '-q', '-m', 'large');
    const workflow = readGithub(readFileSync(join(clone, WORKFLOW), 'utf8'));
    const machine = new CiMachine(clone, { tool: 'gh', answer: '4711\n' });
    const guard = { MLV_GUARD_MODEL: 'fraud', MLV_GUARD_STAGE: 'production', MLV_GUARD_METRICS: 'now.json' };
    const where = { GITHUB_STEP_SUMMARY: '/dev/null', GITHUB_REPOSITORY: 'ours/project' };
    Object.assign(machine.environment, { ...guard, ...where });
    const check = runGithubJob(machine, { workflow, job: 'check' }, expressions(shared.base));
    const codes = Object.fromEntries(check.map(({ name, exitCode }) => [name, exitCode]));
    expect(codes, check.map(({ output }) => output).join('\n')).toEqual({
      'Install mlv': 0,
      'Pull the data of this commit': 0,
      'Everything is recorded and on the remote': 0,
      'No large file in Git, no pointer without content': 1,
      'The registry kept its policy': 0,
      'The proposed policy is one': 5,
      'What was observed fits the baseline': 3,
    });
    expect(check[3]?.output).toContain('would go into Git');
    expect(git(clone, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
    runGithubJob(machine, { workflow, job: 'report' }, expressions(shared.base));
    expect(machine.told).toContain('--method PATCH repos/ours/project/issues/comments/4711 --field body=@report.md');
  });

  it('fails where the remote lacks what the branch names, though a cache has it', async () => {
    const cwd = cloneRepository(shared.origin, '--branch', 'work');
    await mlv(['pull', '-q'], { cwd });
    writeFiles(cwd, { 'data/a.csv': 'never pushed\n' });
    await mlv(['add', '-q', 'data'], { cwd });
    commitAll(cwd);
    const workflow = readGithub(readFileSync(join(cwd, WORKFLOW), 'utf8'));
    const machine = new CiMachine(cwd, { tool: 'gh' });
    const check = runGithubJob(machine, { workflow, job: 'check' }, expressions(shared.base));
    expect(check.map(({ exitCode }) => exitCode).slice(0, 3)).toEqual([0, 0, 3]);
  });

  it('says what is missing where nobody said where mlv comes from', () => {
    const workflow = readGithub(readFileSync(join(shared.cwd, WORKFLOW), 'utf8'));
    const [install] = workflow.jobs.check?.steps.filter(({ name }) => name === 'Install mlv') ?? [];
    const outcome = new CiMachine(shared.cwd, { tool: 'gh' }).run('', install?.run ?? '', { MLV_PACKAGE: '' });
    expect(outcome).toMatchObject({ exitCode: 1, output: expect.stringContaining('MLV_PACKAGE is not set') });
  });
});

describe('the jobs for GitLab', () => {
  const host = (clone: string): Record<string, string> => ({
    CI_PROJECT_DIR: clone,
    CI_MERGE_REQUEST_DIFF_BASE_SHA: shared.base,
    CI_API_V4_URL: 'https://gitlab.example/api/v4',
    CI_PROJECT_ID: '3',
    CI_MERGE_REQUEST_IID: '5',
    MLV_PACKAGE,
  });

  /** As the runner fetches: one branch, detached. */
  function runnerClone(): string {
    const clone = cloneRepository(shared.origin, '--branch', 'work', '--single-branch', '--no-tags');
    git(clone, 'checkout', '-q', '--detach');
    return clone;
  }

  it('run, script by script, in a clone of the branch alone, and comment with a token that no list of processes shows', () => {
    const clone = runnerClone();
    const text = readFileSync(join(clone, JOBS), 'utf8');
    const machine = new CiMachine(clone, { tool: 'curl', answer: '[{"id": 1, "body": "x"}]' });
    expect(failed(runGitlabJob(machine, { text, job: 'mlv:check' }, host(clone)))).toEqual([]);
    expect(existsSync(join(clone, '.mlv-objects/objects'))).toBe(true);
    expect(git(clone, 'status', '--porcelain')).toBe('');
    expect(git(clone, 'rev-parse', 'origin/mlv-registry')).toMatch(/^[0-9a-f]{40}\n$/);

    const token = { ...host(clone), MLV_REPORT_TOKEN: 'the-token' };
    const report = runGitlabJob(machine, { text, job: 'mlv:report' }, token);
    expect(failed(report)).toEqual([]);
    const notes = 'https://gitlab.example/api/v4/projects/3/merge_requests/5/notes';
    expect(machine.told).toContain(`--request POST --data-urlencode body@report.md ${notes}\n`);
    expect(machine.told).toContain('header = "PRIVATE-TOKEN: the-token"');
    expect(machine.told).toContain('## Data and models');
    expect(machine.told.split('\n').filter((line) => line.includes('--request') && line.includes('the-token'))).toEqual(
      [],
    );
    expect(report.map(({ output }) => output).join('')).not.toContain('the-token');
  });

  it('write their comment anew, and make do without a token', () => {
    const clone = runnerClone();
    const text = readFileSync(join(clone, JOBS), 'utf8');
    const old = '[{"id": 8, "body": "hello"}, {"id": 9, "body": "<!-- mlv report --> old"}]';
    const machine = new CiMachine(clone, { tool: 'curl', answer: old });
    runGitlabJob(machine, { text, job: 'mlv:report' }, { ...host(clone), MLV_REPORT_TOKEN: 'the-token' });
    expect(machine.told).toContain('--request PUT --data-urlencode body@report.md');
    expect(machine.told).toContain('/notes/9\n');
    expect(machine.told).not.toContain('--request POST');
    const quiet = new CiMachine(clone, { tool: 'curl' });
    const outcomes = runGitlabJob(quiet, { text, job: 'mlv:report' }, { ...host(clone), MLV_REPORT_TOKEN: '' });
    expect([failed(outcomes), quiet.told]).toEqual([[], '']);
  });

  it('are included by the main file, with a cache for each state of the pointers', () => {
    expect(parse(readFileSync(join(shared.cwd, '.gitlab-ci.yml'), 'utf8'))).toEqual({ include: [{ local: JOBS }] });
    const { '.mlv': base } = parse(readFileSync(join(shared.cwd, JOBS), 'utf8')) as Record<string, { cache: unknown }>;
    expect(base?.cache).toMatchObject({ key: { files: ['*.mlv', '**/*.mlv'] }, paths: ['.mlv-objects'] });
  });
});
