import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { openGit } from '../../src/git/open.js';
import { sha256Of } from '../../src/registry/digest.js';
import { encodeEvent } from '../../src/registry/event-format.js';
import { retainedRoots } from '../../src/registry/retained-roots.js';
import { cleanEnvironment } from '../helpers/cli.js';
import { writeFiles } from '../helpers/mlv-repository.js';
import { testEvent, testManifest, testRegistry } from '../helpers/registry.js';
import { commitAll, git, makeRepository } from '../helpers/repository.js';

let path: string;
let commit: string;

function put(args: readonly string[], input: string | Buffer): string {
  const result = spawnSync('git', args, { cwd: path, env: cleanEnvironment(), input, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout.trim();
}

const blob = (content: string | Buffer): string => put(['hash-object', '-w', '--stdin'], content);

/** Makes the branch a single commit with the files given: mode, path, object. */
function branch(...files: [mode: string, path: string, object: string][]): void {
  git(path, 'update-ref', '-d', 'refs/heads/mlv-registry');
  const lines = files.map(([mode, file, object]) => `${mode} ${object}\t${file}\n`).join('');
  git(path, 'read-tree', '--empty');
  put(['update-index', '--index-info'], lines);
  const tree = git(path, 'write-tree').trim();
  git(path, 'update-ref', 'refs/heads/mlv-registry', git(path, 'commit-tree', '-m', 'hostile', tree).trim());
  git(path, 'reset', '--quiet');
}

beforeAll(() => {
  path = makeRepository();
  writeFiles(path, { 'train.py': 'print(1)\n' });
  commit = commitAll(path);
});

async function refusal(): Promise<unknown> {
  const view = await (await testRegistry(path)).view();
  return Promise.all([view.allModels(), view.policy()]).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a branch that mlv did not write', () => {
  it.each([
    ['a link in place of a file', '120000', 'models/fraud/model.yaml', '../../../../etc/passwd'],
    ['a link in place of the policy', '120000', 'policy.yaml', '../policy.yaml'],
    ['a directory in place of the policy', '100644', 'policy.yaml/x', 'mlv: 1\n'],
    ['a name with upper case', '100644', 'models/Fraud/model.yaml', 'mlv: 1\n'],
    ['a name of a Windows device', '100644', 'models/aux/model.yaml', 'mlv: 1\n'],
    ['something else among the events', '100644', 'models/fraud/events/README.md', 'hello\n'],
    ['something else among the versions', '100644', 'models/fraud/versions/latest.yaml', 'mlv: 1\n'],
    [
      'brackets without end',
      '100644',
      'models/fraud/model.yaml',
      `mlv: 1\ncard: ${'['.repeat(1e5)}${']'.repeat(1e5)}\n`,
    ],
    ['aliases', '100644', 'policy.yaml', 'mlv: 1\nroles: &a {x: [y]}\nstages: {s: *a}\n'],
    ['a file that is far too long', '100644', 'models/fraud/model.yaml', `mlv: 1\n#${'x'.repeat(20_000_000)}\n`],
  ])('with %s is refused, with the file', async (_, mode, file, content) => {
    branch([mode, file, blob(content)]);
    const name = file.replace('/x', '');
    expect(await refusal()).toMatchObject({
      code: 'REGISTRY_INVALID',
      data: {
        path: expect.stringContaining(name.startsWith('models/fraud') || name === 'policy.yaml' ? name : 'models/'),
      },
    });
  });

  it('with an event whose file was changed is refused', async () => {
    const manifest = testManifest(commit);
    const text = encodeEvent(testEvent(manifest, { type: 'registered' }));
    const id = sha256Of(text).slice(7, 19);
    branch(['100644', `models/fraud/events/00000001-${id}.yaml`, blob(`${text}# changed\n`)]);
    expect(await refusal()).toMatchObject({ code: 'REGISTRY_INVALID' });
  });

  it('with a manifest that no event registered is refused, also by what a collection keeps where it is none', async () => {
    branch(['100644', 'models/fraud/versions/1.0.0.yaml', blob('mlv: 1\nmodel: fraud\n')]);
    expect(await refusal()).toMatchObject({ code: 'REGISTRY_INVALID' });
    const own = await openGit(path, { env: cleanEnvironment() });
    const options = { remoteTips: [], ignoreUnreadable: false, today: '2026-01-31' };
    await expect(retainedRoots(own, options)).rejects.toMatchObject({ code: 'REGISTRY_INVALID' });
    const kept = await retainedRoots(own, { ...options, ignoreUnreadable: true });
    expect(kept.unreadable).toMatchObject([{ path: 'models/fraud/versions/1.0.0.yaml' }]);
  });

  it('with files of people beside its own is read', async () => {
    branch(['100644', 'README.md', blob('hello\n')], ['100644', 'models/fraud/README.md', blob('hello\n')]);
    expect(await refusal()).toBeUndefined();
  });

  it('is never written to while it is checked out', async () => {
    branch(['100644', 'README.md', blob('hello\n')]);
    git(path, 'checkout', '--quiet', 'mlv-registry');
    const registry = await testRegistry(path);
    const change = registry.change(() => ({ subject: 'x', meta: { model: 'fraud', meta: { mlv: 1 } } }));
    await expect(change).rejects.toMatchObject({ code: 'GIT_FAILED', hint: expect.stringContaining('switch') });
    git(path, 'checkout', '--quiet', 'main');
  });
});
