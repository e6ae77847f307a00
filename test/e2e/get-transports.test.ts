import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mlv, runMlv } from '../helpers/cli.js';
import { allowFilters, startGitHttpServer } from '../helpers/git-http-server.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { makeMlvRepository, writeFiles } from '../helpers/mlv-repository.js';
import { type RegisteringRepository, registeringRepository, WHOLE } from '../helpers/registered.js';
import { commitAll, git } from '../helpers/repository.js';
import { findSshd, type SshServer, startSshServer } from '../helpers/ssh-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import type { WebServer } from '../helpers/web-server.js';

let source: RegisteringRepository;
/** The remote is a directory, which the repository on the other machine may not name. */
let remote: string[];

beforeAll(async () => {
  source = await registeringRepository();
  // What must not travel.
  writeFiles(source.cwd, { 'large.txt': randomBytes(1_000_000).toString('base64') });
  commitAll(source.cwd);
  git(source.cwd, 'push', '--quiet', 'origin', 'main');
  await source.mlv('register', 'fraud', ...WHOLE, '--version', '1.0.0');
  remote = ['-c', `remote.origin.url=${join(source.store, 'objects')}`];
});

describe('a repository over HTTP', () => {
  let server: WebServer;
  let url: string;
  beforeAll(async () => {
    allowFilters(source.upstream);
    server = await startGitHttpServer(join(source.upstream, '..'), { user: 'ann:geheim' });
    url = `${server.url}/${source.upstream.split('/').at(-1)}`;
  });
  afterAll(() => server.stop());

  function withHelper(password: string): { cwd: string; env: Record<string, string> } {
    const cwd = temporaryDirectory();
    const config = join(cwd, 'gitconfig');
    writeFileSync(config, `[credential]\n\thelper = "!f() { echo username=ann; echo password=${password}; }; f"\n`);
    return { cwd, env: { GIT_CONFIG_GLOBAL: config } };
  }

  it("is read with Git's own credential helper, and of it only what is needed", async () => {
    const options = withHelper('geheim');
    const document = parseDocument('get', await mlv([...remote, 'get', url, 'model.pkl', '--json'], options));
    expect(document).toMatchObject({ url, written: 1 });
    expect(document.gitBytes).toBeLessThan(20_000);
    await mlv([...remote, 'get', url, 'fraud@1.0.0', '-o', 'version'], options);
    expect(readFileSync(join(options.cwd, 'version/model.pkl'), 'utf8')).toBe('model 1');
    await mlv(['get', url, 'train.py'], options);
  });

  it('takes credentials of the address, which are kept and printed nowhere', async () => {
    const cwd = await makeMlvRepository();
    const secret = url.replace('http://', 'http://ann:geheim@');
    const result = await runMlv([...remote, 'import', secret, 'data', '--json'], { cwd });
    expect([result.exitCode, result.stdout + result.stderr]).toEqual([0, expect.not.stringContaining('geheim')]);
    expect(readFileSync(join(cwd, 'data.mlv'), 'utf8')).toContain(`url: ${url}`);
    expect((await runMlv(['update'], { cwd, ...{ env: withHelper('geheim').env } })).stdout).toContain(
      'unchanged data',
    );
  });

  it('that refuses is a failure that names no password, and does not wait for anybody', async () => {
    const wrong = await runMlv([...remote, 'get', url, 'model.pkl'], withHelper('falsch'));
    expect([wrong.exitCode, wrong.stderr]).toEqual([1, expect.stringContaining('cannot be read')]);
    expect(wrong.stderr).not.toContain('falsch');
    const none = await runMlv([...remote, 'get', url, 'model.pkl'], { cwd: temporaryDirectory() });
    expect(none.exitCode).toBe(1);
  });
});

const sshd = findSshd();
describe.runIf(sshd !== undefined)('a repository over SSH', () => {
  let server: SshServer;
  beforeAll(async () => {
    server = await startSshServer();
  });
  afterAll(() => server.stop());

  it('is read with the SSH of Git', async () => {
    const ssh = `ssh -F none -i ${server.privateKey} -o UserKnownHostsFile=${server.knownHosts} -o IdentitiesOnly=yes`;
    const url = `ssh://${server.user}@127.0.0.1:${server.port}${source.upstream}`;
    const cwd = temporaryDirectory();
    const env = { GIT_SSH_COMMAND: ssh };
    await mlv([...remote, 'get', url, 'data/deep', '-o', 'deep'], { cwd, env });
    expect(readFileSync(join(cwd, 'deep/test.csv'), 'utf8')).toBe('a,b\n3,4\n');
    expect(await mlv(['ls', url], { cwd, env })).toBe('data/\nmodel.pkl\n');
    expect(
      await mlv(['ls', `${server.user}@127.0.0.1:${source.upstream}`], {
        cwd,
        env: { GIT_SSH_COMMAND: `${ssh} -p ${server.port}` },
      }),
    ).toBe('data/\nmodel.pkl\n');
  });
});
