import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/event.js';
import type { Manifest } from '../../src/registry/manifest.js';
import { manifestDigest } from '../../src/registry/manifest-format.js';
import type { Registry } from '../../src/registry/registry.js';
import { cleanEnvironment, MLV_BIN, mlv, type RunResult, runMlv } from '../helpers/cli.js';
import { testRepository } from '../helpers/git.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { madeDigest } from '../helpers/registry-state.js';
import { makeRepository } from '../helpers/repository.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

let repository: string;
let commits: string[];

const run = (...args: string[]): Promise<RunResult> => runMlv(args, { cwd: repository });
const out = (...args: string[]): Promise<string> => mlv(args, { cwd: repository });

/** Writes events as one commit of the registry, as if it were that time. */
async function record(registry: Registry, subject: string, events: readonly RegistryEvent[]): Promise<void> {
  await registry.change(() => ({ subject, events: [...events] }));
}

function fraud(version: string, changes: Partial<Manifest> = {}): Manifest {
  const [one, two] = commits as [string, string];
  return testManifest(version === '1.0.0' ? one : two, {
    version,
    artifacts: [{ path: 'model.pkl', oid: madeDigest(version), sha256: madeDigest(version, 'sha256'), size: 2048 }],
    data: [
      { path: 'data/train', oid: madeDigest('train'), sha256: madeDigest('train', 'sha256'), size: 4096, files: 2 },
    ],
    branch: 'main',
    ...changes,
  });
}

beforeAll(async () => {
  repository = makeRepository();
  const work = testRepository({ dir: repository, init: false });
  commits = [work.commit('first'), work.commit('second')];
  // What a policy would say of these events is not the question here.
  const registry = await testRegistry(repository, { judge: () => {} });
  const encoder = testManifest(commits[0] as string, {
    model: 'encoder',
    version: '0.3.0',
    metrics: { recall: { value: 0.8 } },
  });
  const old = fraud('1.0.0', {
    metrics: { auc: { value: 0.91 }, loss: { value: 0.3, better: 'lower' } },
    params: { depth: 6 },
  });
  const now = fraud('1.4.0', {
    metrics: { auc: { value: 0.93, on: 'data/test' }, loss: { value: 0.35, better: 'lower' } },
    params: { depth: 8, seed: 1 },
    data: [
      { path: 'data/train', oid: madeDigest('train 2'), sha256: madeDigest('train 2', 'sha256'), size: 8192, files: 3 },
    ],
    components: [{ model: 'encoder', version: '0.3.0', manifest: manifestDigest(encoder) }],
    description: 'Tells fraud | from <b>honest</b> payments',
    parent: '1.0.0',
  });
  const next = fraud('2.0.0-rc.1', { metrics: {} });
  for (const manifest of [encoder, old, now, next]) {
    await registry.change(() => ({
      subject: `${manifest.model}@${manifest.version}: registered`,
      register: { manifest },
    }));
  }
  await record(registry, 'fraud@1.0.0: promoted', [
    testEvent(old, { type: 'promoted', stage: 'production', from: 'none', traffic: 100 }),
  ]);
  await record(registry, 'fraud@1.4.0: approved', [
    testEvent(now, { type: 'approved', stage: 'production', reason: 'looks good\u001b[2J', ticket: 'ML-7' }),
    testEvent(now, { type: 'evaluated', on: 'holdout', metrics: { auc: { value: 0.9 } } }),
  ]);
  await record(registry, 'fraud@1.4.0: promoted', [
    testEvent(now, {
      type: 'promoted',
      stage: 'production',
      from: 'none',
      traffic: 100,
      replaces: ['1.0.0'],
      reason: 'the old one drifts',
      override: true,
      gates: [{ gate: 'metrics', rule: 'auc >= 0.95', passed: false, found: 'auc is 0.93' }],
    }),
  ]);
  await record(registry, 'fraud@1.0.0: archived', [testEvent(old, { type: 'archived' })]);
});

describe('mlv resolve', () => {
  it('prints the version and nothing else', async () => {
    expect(await run('resolve', 'fraud@production')).toMatchObject({
      stdout: 'fraud@1.4.0\n',
      stderr: '',
      exitCode: 0,
    });
    expect(await out('resolve', 'fraud@production~1')).toBe('fraud@1.0.0\n');
  });

  it('prints all of it with --json, and fields of that with --format', async () => {
    const document = parseDocument('resolve', await out('resolve', 'fraud@^1', '--json'));
    expect(document).toMatchObject({
      name: 'fraud@1.4.0',
      commit: commits[1],
      metrics: { auc: 0.93 },
      artifacts: [{ oid: madeDigest('1.4.0') }],
      components: [{ model: 'encoder', version: '0.3.0' }],
      stages: [{ stage: 'production', traffic: 100 }],
    });
    const format = '{model}:{version} {commit}\\n{artifacts.oid} {metrics.auc}';
    expect(await out('resolve', 'fraud@production', '--format', format)).toBe(
      `fraud:1.4.0 ${commits[1]}\n${madeDigest('1.4.0')} 0.93\n`,
    );
  });

  it('gives one caller always the same, and refuses a key where there is nothing to choose', async () => {
    expect(await out('resolve', 'fraud@production', '--key', 'user-1')).toBe('fraud@1.4.0\n');
    expect(await run('resolve', 'fraud@1.4.0', '--key', 'user-1')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await run('resolve', 'fraud@production', '--key', '')).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('refuses what is no reference, and says what is near', async () => {
    const typed = await run('resolve', 'fruad@production');
    expect(typed).toMatchObject({ exitCode: 2, stdout: '' });
    expect(typed.stderr).toContain('did you mean fraud?');
    const failed = await run('resolve', 'fraud@staging', '--json');
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'VERSION_UNKNOWN' } });
  });
});

describe('mlv list, select and best', () => {
  it('list models with what stands where', async () => {
    expect(await out('list')).toMatch(
      /MODEL +VERSIONS +LATEST +STAGES\nencoder +1 +0\.3\.0\nfraud +3 +1\.4\.0 +production 1\.4\.0\n/,
    );
    const { models } = parseDocument('list', await out('list', '--json'));
    expect(models?.map(({ model, versions }) => [model, versions])).toEqual([
      ['encoder', 1],
      ['fraud', 3],
    ]);
  });

  it('list versions with their figures, chosen and sorted', async () => {
    const text = await out('list', 'fraud', '--param', 'depth');
    expect(text.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
      'VERSION',
      '2.0.0-rc.1',
      '1.4.0',
      '1.0.0',
      '',
    ]);
    expect(text).toMatch(/1\.4\.0 +production +2026-03-01 +0\.93 +0\.35 +8 +Test Author/);
    const { versions } = parseDocument(
      'list',
      await out('list', 'fraud', '--sort', 'loss', '--where', 'has loss', '--json'),
    );
    expect(versions?.map(({ version }) => version)).toEqual(['1.0.0', '1.4.0']);
  });

  it('select names, and tells which figures are missing', async () => {
    const selected = await run('select', '--where', 'auc > 0.9 and not stage == "archived"');
    expect(selected).toMatchObject({ stdout: 'fraud@1.4.0\n', stderr: '2 of 4 versions have no auc\n' });
    const document = parseDocument('select', await out('select', '--where', 'nonsense > 1', '--json'));
    expect(document).toMatchObject({ versions: [], asked: 4, missing: { nonsense: 4 } });
    const wrong = await run('select', '--where', 'auc >');
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.stderr).toContain('column 6');
  });

  it('best prints the best, in the direction of the metric', async () => {
    expect(await run('best', 'fraud', '--metric', 'auc')).toMatchObject({
      stdout: 'fraud@1.4.0\n',
      stderr: expect.stringContaining('auc is 0.93 (higher is better)'),
    });
    expect(await out('best', 'fraud', '--metric', 'loss')).toBe('fraud@1.0.0\n');
    const document = parseDocument(
      'best',
      await out('best', 'fraud', '--metric', 'evaluations["holdout"].auc', '--json'),
    );
    expect(document).toMatchObject({
      versions: [{ version: '1.4.0', value: 0.9 }],
      without: ['fraud@2.0.0-rc.1', 'fraud@1.0.0'],
    });
    expect((await run('best', 'fraud', '--metric', 'acu')).stderr).toContain('did you mean auc?');
  });
});

describe('mlv show, compare, history, at and card', () => {
  it('show everything of a version, its components followed, and nothing acts on the terminal', async () => {
    const text = await out('show', 'fraud@production');
    for (const part of [
      /^fraud@1\.4\.0\n/,
      /parent +fraud@1\.0\.0/,
      /production +since 2026-03-02 10:00Z by Test Author <author@example\.com>/,
      /data\/train +8\.0 KiB +3 files/,
      /auc +0\.93 +on data\/test/,
      /auc +0\.9 +evaluated later on holdout/,
      /encoder@0\.3\.0 +recall 0\.8/,
      /approved for production +by Test Author.*looks good\\033\[2J, ticket ML-7/,
      /promoted to production, replacing 1\.0\.0 OVERRIDE/,
    ]) {
      expect(text).toMatch(part);
    }
    const document = parseDocument('show', await out('show', 'fraud@production', '--json'));
    expect(document.events.map(({ type }) => type)).toEqual(['registered', 'approved', 'evaluated', 'promoted']);
    expect(document.components).toMatchObject([{ model: 'encoder', metrics: { recall: 0.8 }, components: [] }]);
  });

  it('compare figures with better and worse marked, data, and code as a range', async () => {
    const text = await out('compare', 'fraud@production~1', 'fraud@production');
    for (const part of [
      /^ +fraud@1\.0\.0 +fraud@1\.4\.0\n/,
      /auc +0\.91 +0\.93 better \(\+0\.02\)/,
      /loss \(lower is better\) +0\.3 +0\.35 worse \(\+0\.05\)/,
      /auc on holdout +- +0\.9\n/,
      /depth +6 +8/,
      /data\/train +4\.0 KiB, 2 files +8\.0 KiB, 3 files: changed/,
      /encoder +- +0\.3\.0/,
    ]) {
      expect(text).toMatch(part);
    }
    expect(text).toContain(`git log ${commits[0]?.slice(0, 12)}..${commits[1]?.slice(0, 12)}\n`);
    const document = parseDocument('compare', await out('compare', 'fraud@1.0.0', 'fraud@1.4.0', '--json'));
    expect(document.metrics[0]).toMatchObject({ name: 'auc', values: [0.91, 0.93], marks: [null, 'better'] });
    expect(document.data[0]).toMatchObject({ changes: [null, { kind: 'changed', unlisted: true }] });
  });

  it('history tells who, when and why, and overrides stand out', async () => {
    const text = await out('history', 'fraud', 'production');
    const heads = text.split('\n').filter((line) => /^\d{4}-/.test(line));
    expect(heads.map((line) => line.split(/ {2,}/)[2])).toEqual([
      'promoted to production, replacing 1.0.0 OVERRIDE',
      'approved for production',
      'promoted to production',
    ]);
    expect(text).toContain('    the old one drifts\n    overridden: auc >= 0.95 (auc is 0.93)\n');
    const document = parseDocument('history', await out('history', 'fraud@1.0.0', '--reverse', '--json'));
    expect(document.events.map(({ type }) => type)).toEqual(['registered', 'promoted', 'archived']);
    expect((await run('history', 'fraud', 'prodution')).stderr).toContain('did you mean production?');
  });

  it('at shows the registry as it was, and that there was none before', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const document = parseDocument('at', await out('at', '--date', tomorrow, '--json'));
    expect(document.models?.map(({ model }) => model)).toEqual(['encoder', 'fraud']);
    expect(await out('at', '--date', tomorrow, 'fraud')).toContain('1.4.0');
    expect(await run('at', '--date', '2001-01-01')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await run('at', '--date', 'yesterday')).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('card is Markdown in which text of the registry has nothing to say, and overwrites no file', async () => {
    const card = await out('card', 'fraud@1.4.0');
    expect(card).toMatch(/^---\nmetrics:\n {2}- auc\n {2}- loss\nmodel_name: fraud@1\.4\.0\n---\n\n# fraud 1\.4\.0\n/);
    expect(card).toContain('Tells fraud \\| from &lt;b&gt;honest&lt;/b&gt; payments');
    expect(await out('card', 'fraud@1.4.0', '-o', 'CARD.md')).toContain('CARD.md');
    expect(readFileSync(join(repository, 'CARD.md'), 'utf8')).toBe(card);
    expect(await run('card', 'fraud@1.0.0', '-o', 'CARD.md')).toMatchObject({ exitCode: 1 });
    await out('card', 'fraud@1.0.0', '-o', 'CARD.md', '--force');
    expect(readFileSync(join(repository, 'CARD.md'), 'utf8')).toContain('# fraud 1.0.0');
  });

  it('say how to begin where nothing is registered', async () => {
    const empty = makeRepository();
    for (const args of [['list'], ['select', '--where', 'auc > 1'], ['show', 'fraud@1.0.0']]) {
      const result = await runMlv(args, { cwd: empty });
      expect(result.stdout).toBe('');
      expect(result.stderr).toContain('mlv register <model> <artifact...>');
      expect(result.exitCode).toBe(args[0] === 'show' ? 2 : 0);
    }
  });
});

describe('mlv completion', () => {
  it('offers models, versions and stages in bash, which takes the @ for the end of a word', async () => {
    const bin = temporaryDirectory();
    writeFileSync(join(bin, 'mlv'), `#!/bin/sh\nexec '${process.execPath}' '${MLV_BIN}' "$@"\n`, { mode: 0o755 });
    const script = await out('completion', 'bash');
    const offered = (line: string, ...words: string[]): string[] => {
      const ask = `${script}\nCOMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(mlv ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _mlv; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const PATH = `${bin}:${process.env.PATH}`;
      const result = spawnSync('bash', ['-c', ask], {
        cwd: repository,
        env: cleanEnvironment({ PATH }),
        encoding: 'utf8',
      });
      expect(result.stderr).toBe('');
      return result.stdout.split('\n').filter(Boolean);
    };
    expect(offered('mlv show ', 'show', '')).toEqual(['encoder@', 'fraud@']);
    expect(offered('mlv show fraud@1', 'show', 'fraud', '@', '1')).toEqual(['1.4.0', '1.0.0']);
    expect(offered('mlv history fraud p', 'history', 'fraud', 'p')).toEqual(['production']);
  });
});
