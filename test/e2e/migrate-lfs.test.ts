import { execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanEnvironment, mlv, runMlv } from '../helpers/cli.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { cloneLfs, lfsFiles, lfsFixtures } from '../helpers/lfs-fixture.js';
import { type LfsServerOptions, sha256, startLfsServer } from '../helpers/lfs-server.js';
import { commitAll, git } from '../helpers/repository.js';
import type { WebServer } from '../helpers/web-server.js';

const [{ directory: FIXTURE }] = lfsFixtures() as [{ name: string; directory: string }, ...unknown[]];
const servers: WebServer[] = [];

async function serve(options: LfsServerOptions = {}): Promise<WebServer> {
  const server = await startLfsServer(join(FIXTURE, 'objects'), options);
  servers.push(server);
  return server;
}

/** A clone without objects whose server is the one given. */
function cloneOf(server: WebServer): string {
  const cwd = cloneLfs(FIXTURE, { objects: false });
  git(cwd, 'config', 'lfs.url', `${server.url}/team/repository.git/info/lfs`);
  return cwd;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

describe.each(lfsFixtures())('migrate lfs: $name', ({ directory }) => {
  it('replaces Git LFS in one commit, and every file has the bytes it had', async () => {
    const cwd = cloneLfs(directory);
    const expected = lfsFiles(cwd, directory, 'HEAD');
    expect(expected.size).toBe(7);
    const before = git(cwd, 'rev-parse', 'HEAD').trim();
    const dry = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--dry-run', '--json'], { cwd }));
    expect(dry).toMatchObject({ contents: { here: 7, missing: 0 }, kept: [], refusals: [] });
    expect([git(cwd, 'rev-parse', 'HEAD').trim(), git(cwd, 'status', '--porcelain')]).toEqual([before, '']);

    const document = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--json'], { cwd }));
    expect(document).toMatchObject({ proof: { files: 7 }, filled: 7, kept: [] });
    expect(document.left.join('\n')).toMatch(/example\.pointer.*under no filter[\s\S]*raw\.bin.*its content is in Git/);
    for (const [path, bytes] of expected) expect(readFileSync(join(cwd, path)), path).toEqual(bytes);
    expect(git(cwd, 'status', '--porcelain')).toBe('');
    expect(await mlv(['status', '--exit-code'], { cwd })).toContain('nothing changed');
    expect(readFileSync(join(cwd, '.gitattributes'), 'utf8')).toBe(
      '*.txt text\n*.md text=auto\n*.md !filter !diff !merge text\n',
    );
    expect(readFileSync(join(cwd, 'sub/.gitattributes'), 'utf8')).toBe('*.csv eol=lf\n');
    expect(lstatSync(join(cwd, 'assets/deep/tool.sh')).mode & 0o100).toBe(0o100);
    expect(git(cwd, 'ls-files', 'raw.bin', 'sub/example.pointer', '.lfsconfig')).toBe('raw.bin\nsub/example.pointer\n');
    expect(git(cwd, 'rev-parse', 'HEAD^').trim()).toBe(before);
    expect(await mlv(['migrate', 'lfs'], { cwd })).toContain('nothing of Git LFS is left to migrate');
    expect(git(cwd, 'rev-parse', 'HEAD').trim()).toBe(document.commit);
  });

  it('tells in a dry run what the real one would be refused for, and writes nothing', async () => {
    const cwd = cloneLfs(directory);
    const [attributes] = git(cwd, 'ls-files', '*.gitattributes').split('\n') as [string];
    appendFileSync(join(cwd, attributes), '# mine\n');
    const objects = git(cwd, 'count-objects');
    const dry = await runMlv(['migrate', 'lfs', '--dry-run', '--json'], { cwd });
    expect(git(cwd, 'count-objects')).toBe(objects);
    const { refusals } = parseDocument('migrate lfs', dry.stdout);
    expect(refusals).toMatchObject([{ code: 'WORKSPACE_DIRTY', data: { paths: [attributes] } }]);
    const real = await runMlv(['migrate', 'lfs', '--json'], { cwd });
    expect([dry.exitCode, real.exitCode]).toEqual([1, 1]);
    expect(real.stderr + real.stdout).toContain(refusals?.[0]?.message);
    git(cwd, 'checkout', '--', attributes);
    await mlv(['migrate', 'lfs', '--no-commit'], { cwd });
    git(cwd, 'reset', '--quiet');
    // As a migration that was killed before its commit leaves it.
    const again = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--dry-run', '--json'], { cwd }));
    expect(again).toMatchObject({ refusals: [], kept: [] });
  });

  it('touches nothing where Git does not know who commits', async () => {
    const cwd = cloneLfs(directory);
    git(cwd, 'config', 'user.useConfigOnly', 'true');
    const names = ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL'];
    const env = Object.fromEntries(names.map((name) => [name, undefined]));
    const before = [git(cwd, 'status', '--porcelain'), git(cwd, 'rev-parse', 'HEAD')];
    const refused = await runMlv(['migrate', 'lfs', '--json'], { cwd, env });
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: 'GIT_FAILED', hint: expect.stringContaining('git config --global user.name') },
    });
    expect([git(cwd, 'status', '--porcelain'), git(cwd, 'rev-parse', 'HEAD')]).toEqual(before);
    await mlv(['migrate', 'lfs'], { cwd });
  });

  it('rewrites all branches and tags beside the old ones, or in their place', async () => {
    const cwd = cloneLfs(directory);
    const refs = git(cwd, 'for-each-ref', 'refs/heads', 'refs/tags');
    const expected = new Map(['main', 'side', 'first', 'v1.0'].map((ref) => [ref, lfsFiles(cwd, directory, ref)]));
    const document = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--history', '--json'], { cwd }));
    expect(document.history).toMatchObject({ commits: 6, changed: 5 });
    const now = git(cwd, 'for-each-ref', 'refs/heads', 'refs/tags').split('\n');
    expect(now.filter((line) => !line.includes('/migrated/')).join('\n')).toBe(refs);
    for (const [ref, files] of expected) {
      git(cwd, 'checkout', '--quiet', '--detach', `migrated/${ref}`);
      await mlv(['checkout', '-q', '--clean'], { cwd });
      for (const [path, bytes] of files) expect(readFileSync(join(cwd, path)), `${ref}:${path}`).toEqual(bytes);
    }
    expect(git(cwd, 'log', '--format=%H', '--max-parents=0', 'migrated/main')).toBe(
      git(cwd, 'log', '--format=%H', '--max-parents=0', 'main'),
    );
    git(cwd, 'clean', '-qfdx');
    git(cwd, 'checkout', '--quiet', '--force', 'main');
    await mlv(['migrate', 'lfs', '-q', '--history', '--replace'], { cwd });
    expect(git(cwd, 'rev-parse', 'main', 'v1.0^{}')).toBe(git(cwd, 'rev-parse', 'migrated/main', 'migrated/v1.0^{}'));
    for (const [path, bytes] of expected.get('main') ?? []) expect(readFileSync(join(cwd, path)), path).toEqual(bytes);
    expect(git(cwd, 'status', '--porcelain')).toBe('');
  });

  it.runIf(process.env.MLV_TEST_GIT_LFS)('the real git-lfs fetches from the server of these tests', async () => {
    const server = await startLfsServer(join(directory, 'objects'), {
      login: 'ada:secret',
      token: 'Bearer 1',
      expired: 1,
    });
    servers.push(server);
    const cwd = cloneLfs(directory, { objects: false });
    const url = new URL(`${server.url}/team/repository.git/info/lfs`);
    url.username = 'ada';
    url.password = 'secret';
    git(cwd, 'config', 'lfs.url', url.href);
    git(cwd, 'config', 'lfs.transfer.maxretrydelay', '1');
    // Not in this process's own time: the server is in it.
    await promisify(execFile)('git', ['lfs', 'fetch', '--all'], { cwd, env: cleanEnvironment() });
    for (const bytes of lfsFiles(cwd, directory, 'HEAD').values()) {
      const oid = sha256(bytes);
      expect(readFileSync(join(cwd, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid))).toEqual(bytes);
    }
  });
});

describe('migrate lfs', () => {
  it('makes one pointer of a directory where it is told so, and refuses one that holds files of Git', async () => {
    const cwd = cloneLfs(FIXTURE);
    git(cwd, 'rm', '-q', 'assets/empty.png');
    commitAll(cwd);
    const refused = await runMlv(['migrate', 'lfs', '--group', 'sub'], { cwd });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("'sub' cannot become one pointer");
    await mlv(['migrate', 'lfs', '-q', '--group', 'assets/'], { cwd });
    expect(readFileSync(join(cwd, 'assets.mlv'), 'utf8')).toContain('files: 3');
    expect(git(cwd, 'ls-files', 'assets')).toBe('');
    expect(await mlv(['status', '--exit-code'], { cwd })).toContain('nothing changed');
    expect(git(cwd, 'status', '--porcelain')).toBe('');
  });

  it('fetches from the server, with the credentials that Git has, and through what goes wrong on the way', async () => {
    const storage = await serve({ token: 'Bearer for-storage', broken: 2 });
    const server = await serve({
      login: 'ada:p=ss word',
      token: 'Bearer for-storage',
      storage: () => storage.url,
      failures: { status: 503, count: 1 },
    });
    const cwd = cloneOf(server);
    git(
      cwd,
      'config',
      'credential.helper',
      `!f() { test "$1" = get && printf 'username=ada\\npassword=p=ss word\\n'; }; f`,
    );
    const expected = lfsFiles(cwd, FIXTURE, 'HEAD');
    const document = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--json'], { cwd }));
    expect(document).toMatchObject({ contents: { here: 0, remote: 7, missing: 0 }, filled: 7 });
    for (const [path, bytes] of expected) expect(readFileSync(join(cwd, path)), path).toEqual(bytes);
    expect(new Set(storage.authorizations)).toEqual(new Set(['Bearer for-storage']));
    expect(server.authorizations).toContain(`Basic ${Buffer.from('ada:p=ss word').toString('base64')}`);
    expect(server.authorizations).not.toContain('Bearer for-storage');
  });

  it('tells a content that is damaged from one that is nowhere', async () => {
    const cwd = cloneLfs(FIXTURE);
    const oid = sha256('picture\n');
    const place = join(cwd, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    chmodSync(place, 0o644);
    writeFileSync(place, 'damaged\n');
    const damaged = await runMlv(['migrate', 'lfs', '--json'], { cwd });
    expect(damaged.exitCode).toBe(5);
    expect(JSON.parse(damaged.stdout).error).toMatchObject({ code: 'OBJECT_CORRUPT', data: { damaged: place } });
    rmSync(place);
    const gone = await runMlv(['migrate', 'lfs', '--json'], { cwd });
    expect([gone.exitCode, JSON.parse(gone.stdout).error.code]).toEqual([4, 'OBJECT_MISSING']);
  });

  it('asks anew for addresses that have expired, and keeps credentials out of what it prints', async () => {
    const server = await serve({ login: 'ada:secret', expired: 3 });
    const cwd = cloneOf(server);
    git(cwd, 'config', 'lfs.url', `${server.url.replace('http://', 'http://ada:secret@')}/repository.git/info/lfs`);
    const result = await runMlv(['migrate', 'lfs', '--json'], { cwd });
    expect(result.exitCode, result.stderr).toBe(0);
    expect(parseDocument('migrate lfs', result.stdout).contents).toMatchObject({ remote: 7 });
    expect(result.stdout + result.stderr).not.toContain('secret');
  });

  it('changes nothing where the server refuses, or sends something else', async () => {
    const refusing = cloneOf(await serve({ login: 'ada:secret' }));
    const refused = await runMlv(['migrate', 'lfs'], { cwd: refusing });
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toMatch(/cannot be used: .*wants credentials/);
    expect(git(refusing, 'status', '--porcelain')).toBe('');

    const oid = sha256('picture\n');
    const cwd = cloneOf(await serve({ instead: { [oid]: 'evil...\n' } }));
    const result = await runMlv(['migrate', 'lfs', '--keep-going', '--json'], { cwd });
    expect(result.exitCode).toBe(4);
    expect(parseDocument('migrate lfs', result.stdout).kept).toMatchObject([
      { path: 'assets/picture.png', error: { message: expect.stringContaining('is not what the pointer names') } },
    ]);
    // What stays with Git LFS keeps its filter, which takes nothing of mlv.
    expect(git(cwd, 'check-attr', 'filter', 'assets/picture.png', 'assets/deep/tool.sh.mlv', 'assets/.gitignore')).toBe(
      'assets/picture.png: filter: lfs\nassets/deep/tool.sh.mlv: filter: unspecified\nassets/.gitignore: filter: unspecified\n',
    );
    expect(git(cwd, 'ls-files', 'assets/picture.png', 'model.bin.mlv')).toBe('assets/picture.png\nmodel.bin.mlv\n');
  });

  it('finds the server over SSH, and in .lfsconfig', async () => {
    const server = await serve({ login: 'x:y', token: 'Bearer 2' });
    const cwd = cloneLfs(FIXTURE, { objects: false });
    git(cwd, 'config', 'remote.origin.url', 'git@lfs.example.com:team/it.git');
    const basic = `Basic ${Buffer.from('x:y').toString('base64')}`;
    const answer = JSON.stringify({ href: `${server.url}/lfs`, header: { Authorization: basic } });
    writeFileSync(join(cwd, '.git/ssh'), `#!/bin/sh\necho "$@" >> '${cwd}/.git/asked'\necho '${answer}'\n`);
    chmodSync(join(cwd, '.git/ssh'), 0o755);
    const env = { GIT_SSH_COMMAND: join(cwd, '.git/ssh') };
    const document = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--json'], { cwd, env }));
    expect(document.contents.remote).toBe(7);
    expect(readFileSync(join(cwd, '.git/asked'), 'utf8')).toBe(
      'git@lfs.example.com git-lfs-authenticate team/it.git download\n',
    );

    const other = cloneLfs(FIXTURE, { objects: false });
    const open = await serve();
    writeFileSync(join(other, '.lfsconfig'), `[lfs]\n\turl = ${open.url}/lfs\n`);
    commitAll(other);
    await mlv(['migrate', 'lfs', '-q'], { cwd: other });
    expect(existsSync(join(other, 'model.bin.mlv'))).toBe(true);
  });

  it('takes contents from a repository on this machine, and the workspace first', async () => {
    const origin = cloneLfs(FIXTURE);
    const cwd = cloneLfs(FIXTURE, { objects: false });
    git(cwd, 'config', 'remote.origin.url', origin);
    writeFileSync(join(cwd, 'model.bin'), 'two, which is longer\n');
    rmSync(join(origin, '.git/lfs/objects/b0'), { recursive: true });
    const document = parseDocument('migrate lfs', await mlv(['migrate', 'lfs', '--json'], { cwd }));
    expect(document).toMatchObject({ contents: { here: 7 }, filled: 6 });
  });

  it('works where the filter is required and git-lfs is not installed, and keeps changes of the workspace', async () => {
    const cwd = cloneLfs(FIXTURE);
    for (const [key, value] of Object.entries({
      process: 'no-such-lfs',
      clean: 'no-such-lfs',
      smudge: 'no-such-lfs',
      required: 'true',
    })) {
      git(cwd, 'config', `filter.lfs.${key}`, value);
    }
    writeFileSync(join(cwd, 'model.bin'), 'not committed\n');
    await mlv(['migrate', 'lfs', '-q'], { cwd });
    expect(readFileSync(join(cwd, 'model.bin'), 'utf8')).toBe('not committed\n');
    expect(await mlv(['status'], { cwd })).toContain('model.bin');
    expect(git(cwd, 'status', '--porcelain')).toBe('');
  });

  it('leaves what extensions of Git LFS changed, but where the workspace has the original', async () => {
    const cwd = cloneLfs(FIXTURE);
    const pointer = (original: string): string =>
      `version https://git-lfs.github.com/spec/v1\next-0-rot13 sha256:${sha256(original)}\noid sha256:${'0'.repeat(64)}\nsize 12\n`;
    for (const name of ['a.bin', 'b.bin']) {
      const path = join(cwd, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, pointer(name));
      git(cwd, '-c', 'filter.lfs.process=', '-c', 'filter.lfs.clean=', '-c', 'filter.lfs.required=false', 'add', name);
    }
    git(cwd, 'commit', '-q', '-m', 'Extensions');
    writeFileSync(join(cwd, 'a.bin'), 'a.bin');
    const result = await runMlv(['migrate', 'lfs', '--keep-going', '--json'], { cwd });
    expect(result.exitCode).toBe(4);
    const { kept, pointers } = parseDocument('migrate lfs', result.stdout);
    expect(kept).toMatchObject([
      { path: 'b.bin', error: { message: expect.stringContaining('extensions of Git LFS (rot13)') } },
    ]);
    expect(pointers.map(({ path }) => path)).toContain('a.bin');
  });
});
