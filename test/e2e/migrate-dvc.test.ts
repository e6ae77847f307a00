import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesBody } from '../../src/remotes/remote.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import { mlv, runMlv } from '../helpers/cli.js';
import { cloneDvc, dvcFiles, dvcFixtures, md5 } from '../helpers/dvc-fixture.js';
import { parseDocument } from '../helpers/json-schemas.js';
import { commitAll, git } from '../helpers/repository.js';
import { optionsFor, startS3Server } from '../helpers/s3-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { serveFiles, startWebServer } from '../helpers/web-server.js';

/** Sizes, times and modes of everything below a directory. */
function snapshot(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { size, mtimeMs, mode } = statSync(join(directory, name));
      return `${name} ${size} ${mtimeMs} ${mode}`;
    })
    .sort();
}

describe.each(dvcFixtures())('migrate dvc: $name', ({ directory }) => {
  it('replaces DVC in one commit, and every file has the bytes it had', async () => {
    const cwd = cloneDvc(directory);
    const expected = dvcFiles(cwd, directory, 'HEAD');
    expect(expected.size).toBeGreaterThan(12);
    const cache = snapshot(join(cwd, '.dvc'));
    const before = git(cwd, 'rev-parse', 'HEAD');
    const dry = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--dry-run', '--json'], { cwd }));
    expect(dry).toMatchObject({ dryRun: true, contents: { missing: 0 }, kept: [] });
    expect([git(cwd, 'rev-parse', 'HEAD'), git(cwd, 'status', '--porcelain')]).toEqual([before, '']);

    const document = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--json'], { cwd }));
    expect(document.proof?.files).toBe(expected.size);
    expect(document.pointers).toHaveLength(dry.pointers.length);
    expect(document.left).toEqual(
      expect.arrayContaining([expect.stringContaining('stage each: left as a whole: foreach')]),
    );
    expect(snapshot(join(cwd, '.dvc'))).toEqual(cache);
    expect(git(cwd, 'status', '--porcelain')).toBe('');
    expect(git(cwd, 'log', '-1', '--format=%P %s')).toBe(`${before.trim()} Migrate from DVC to mlv\n`);
    expect(git(cwd, 'ls-files', '*.dvc', 'dvc.lock', '.dvc')).toBe('');

    await mlv(['checkout', '-q'], { cwd });
    for (const [path, bytes] of expected) expect(readFileSync(join(cwd, path)), path).toEqual(bytes);
    expect(await mlv(['status', '--exit-code'], { cwd })).toContain('nothing changed');
    expect(lstatSync(join(cwd, 'sub/tool.sh')).mode & 0o100).toBe(0o100);
    expect(readFileSync(join(cwd, 'sub/words.txt.mlv'), 'utf8')).toMatch(
      /source:\n {2}url: https:.*\n {2}path: words\.txt\n {2}commit: /,
    );
    expect(readFileSync(join(cwd, '.mlvignore'), 'utf8')).toContain('*.tmp');
    expect(await mlv(['remote', 'list'], { cwd })).toMatch(/bucket .*s3:\/\/example-bucket\/dvc\/mlv/);
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).toContain('params.yaml:train.depth,seed');
    expect(await mlv(['dag'], { cwd })).toMatch(/prepare[\s\S]*train/);

    expect(await mlv(['migrate', 'dvc'], { cwd })).toContain('nothing of DVC is left to migrate');
    expect(git(cwd, 'rev-parse', 'HEAD').trim()).toBe(document.commit);
  });

  it("takes what is not here from DVC's remote", async () => {
    const cwd = cloneDvc(directory, 'remote');
    const expected = dvcFiles(cwd, directory, 'HEAD');
    const dry = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--dry-run', '--json'], { cwd }));
    expect(dry.contents).toMatchObject({ here: 0, missing: 0 });
    const document = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--json'], { cwd }));
    expect(document).toMatchObject({ remote: 'storage', contents: dry.contents });
    await mlv(['checkout', '-q'], { cwd });
    for (const [path, bytes] of expected) expect(readFileSync(join(cwd, path)), path).toEqual(bytes);
  });

  it('rewrites all branches and tags beside the old ones, or in their place', async () => {
    const cwd = cloneDvc(directory);
    const refs = git(cwd, 'for-each-ref', 'refs/heads', 'refs/tags');
    const expected = new Map(['main', 'side', 'first', 'v1.0'].map((ref) => [ref, dvcFiles(cwd, directory, ref)]));
    const code = git(cwd, 'rev-parse', 'main:src');
    const document = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--history', '--json'], { cwd }));
    expect(document.history).toMatchObject({ commits: 5, changed: 5 });
    expect(readFileSync(document.history?.map ?? '', 'utf8').split('\n')).toHaveLength(6);
    const now = git(cwd, 'for-each-ref', 'refs/heads', 'refs/tags').split('\n');
    expect(now.filter((line) => !line.includes('/migrated/')).join('\n')).toBe(refs);
    for (const [ref, files] of expected) {
      git(cwd, 'checkout', '--quiet', '--detach', `migrated/${ref}`);
      await mlv(['checkout', '-q', '--clean'], { cwd });
      for (const [path, bytes] of files) expect(readFileSync(join(cwd, path)), `${ref}:${path}`).toEqual(bytes);
    }
    expect(git(cwd, 'rev-parse', 'migrated/main:src')).toBe(code);
    const of = (ref: string): string => git(cwd, 'log', '--format=%an %ae %ad %cd %s', ref);
    expect(of('migrated/main')).toBe(of('main'));
    expect(git(cwd, 'cat-file', '-t', 'migrated/v1.0')).toBe('tag\n');

    git(cwd, 'checkout', '--quiet', 'main');
    await mlv(['migrate', 'dvc', '-q', '--history', '--replace'], { cwd });
    expect(git(cwd, 'rev-parse', 'main', 'v1.0^{}')).toBe(git(cwd, 'rev-parse', 'migrated/main', 'migrated/v1.0^{}'));
    expect(git(cwd, 'for-each-ref', 'refs/mlv/before-migration')).toBe(
      refs.replaceAll('\trefs/', '\trefs/mlv/before-migration/'),
    );
    expect([git(cwd, 'status', '--porcelain'), git(cwd, 'ls-files', '*.dvc')]).toEqual(['', '']);
  });
});

describe('migrate dvc', () => {
  const [{ directory }] = dvcFixtures() as [{ name: string; directory: string }, ...unknown[]];

  it('says how the contents of a history get to the remote', async () => {
    const cwd = cloneDvc(directory);
    const next = 'Next: git switch migrated/<branch> && mlv push --all-commits';
    expect((await runMlv(['migrate', 'dvc', '--history'], { cwd })).stderr).toContain(next);
    git(cwd, 'switch', '--quiet', 'migrated/main');
    const remote = ['-c', 'core.remote=here', '-c', `remote.here.url=${temporaryDirectory('remote')}`];
    await mlv([...remote, 'push', '--all-branches', '--all-tags'], { cwd });
    await mlv(['checkout', '-q'], { cwd });
    await mlv([...remote, 'status', '--remote', '--exit-code'], { cwd });
    git(cwd, 'switch', '--quiet', 'main');
    const replaced = await runMlv(['migrate', 'dvc', '--history', '--replace'], { cwd });
    expect(replaced.stderr).toContain('Next: mlv push --all-commits');
  });

  it('changes nothing where contents are missing, and with --keep-going leaves these to DVC', async () => {
    const cwd = cloneDvc(directory);
    const hash = md5(Buffer.from('beside\n'));
    rmSync(join(cwd, '.dvc/cache/files/md5', hash.slice(0, 2), hash.slice(2)));
    const failed = await runMlv(['migrate', 'dvc'], { cwd });
    expect(failed).toMatchObject({ exitCode: 4, stdout: '' });
    expect(failed.stderr).toContain("the content of 'beside.txt'");
    expect(git(cwd, 'status', '--porcelain')).toBe('');
    const part = await runMlv(['migrate', 'dvc', '--keep-going', '--json'], { cwd });
    expect(part.exitCode).toBe(4);
    expect(parseDocument('migrate dvc', part.stdout).kept).toMatchObject([{ path: 'beside.txt.dvc' }]);
    expect(git(cwd, 'ls-files', '*.dvc', '.dvc').trim().split('\n')).toEqual([
      '.dvc/.gitignore',
      '.dvc/config',
      'beside.txt.dvc',
    ]);
    expect(git(cwd, 'ls-files', 'data.mlv')).toBe('data.mlv\n');
  });

  it('keeps what old commits lack, and says in which commit', async () => {
    const cwd = cloneDvc(directory);
    const hash = md5(Buffer.from('model 1\n'));
    writeFileSync(join(cwd, '.dvc/cache/files/md5', hash.slice(0, 2), hash.slice(2)), 'damaged\n');
    const result = await runMlv(['migrate', 'dvc', '--history', '--json'], { cwd });
    expect(result.exitCode).toBe(5);
    const { kept } = parseDocument('migrate dvc', result.stdout);
    const damaged = expect.stringContaining(hash.slice(2));
    expect(kept).toMatchObject([
      {
        path: 'model.bin.dvc',
        commit: git(cwd, 'rev-parse', 'first').trim(),
        error: { code: 'OBJECT_CORRUPT', data: { damaged } },
      },
    ]);
    expect(git(cwd, 'ls-tree', '--name-only', 'migrated/first', 'model.bin.dvc', 'data.mlv')).toBe(
      'data.mlv\nmodel.bin.dvc\n',
    );
    expect(git(cwd, 'ls-tree', '--name-only', 'migrated/main', 'model.bin.dvc', 'model.bin.mlv')).toBe(
      'model.bin.mlv\n',
    );
  });

  it('tells a listing that is damaged from one that is nowhere', async () => {
    const cwd = cloneDvc(directory);
    const [name = ''] = /[0-9a-f]{32}\.dir/.exec(readFileSync(join(cwd, 'data.dvc'), 'utf8')) ?? [];
    const place = join(cwd, '.dvc/cache/files/md5', name.slice(0, 2), name.slice(2));
    chmodSync(place, 0o644);
    appendFileSync(place, ' ');
    const damaged = await runMlv(['migrate', 'dvc', '--keep-going', '--dry-run', '--json'], { cwd });
    expect(JSON.parse(damaged.stdout).kept[0]?.error).toMatchObject({
      code: 'OBJECT_CORRUPT',
      data: { damaged: place },
    });
    rmSync(place);
    const gone = await runMlv(['migrate', 'dvc', '--keep-going', '--dry-run', '--json'], { cwd });
    expect(JSON.parse(gone.stdout).kept[0]?.error).toMatchObject({ code: 'OBJECT_MISSING' });
  });

  it('goes on after one that was killed, and never writes over what is not committed', async () => {
    const cwd = cloneDvc(directory);
    await mlv(['migrate', 'dvc', '-q', '--no-commit'], { cwd });
    expect(git(cwd, 'diff', '--cached', '--name-only')).toContain('data.mlv\n');
    const again = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--json'], { cwd }));
    expect(again.commit).toBe(git(cwd, 'rev-parse', 'HEAD').trim());
    expect(git(cwd, 'status', '--porcelain')).toBe('');

    const dirty = cloneDvc(directory);
    appendFileSync(join(dirty, 'data.dvc'), '# mine\n');
    const refused = await runMlv(['migrate', 'dvc'], { cwd: dirty });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("'data.dvc' is not as the last commit has it");
    expect(git(dirty, 'status', '--porcelain')).toBe(' M data.dvc\n');
  });

  it('reads remotes on a web server and in a bucket, with the credentials that .dvc/config.local has', async () => {
    const web = await startWebServer(serveFiles(join(directory, 'cache')));
    const s3 = await startS3Server();
    try {
      const bucket = await openS3Remote(optionsFor(s3, await s3.createBucket()));
      for (const name of readdirSync(join(directory, 'cache'), { recursive: true, encoding: 'utf8' })) {
        const path = join(directory, 'cache', name);
        if (statSync(path).isFile()) await bucket.put(`dvc/${name}`, bytesBody(readFileSync(path)));
      }
      const ofBucket = [
        `url = ${bucket.url}/dvc`,
        `endpointurl = ${s3.endpoint}`,
        `region = ${s3.region}`,
        `access_key_id = ${s3.accessKeyId}`,
        `secret_access_key = ${s3.secretAccessKey}`,
      ].join('\n    ');
      for (const settings of [`url = ${web.url}`, ofBucket]) {
        const cwd = cloneDvc(directory, 'nowhere');
        writeFileSync(join(cwd, '.dvc/config.local'), `['remote "storage"']\n    ${settings}\n`);
        const document = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--json'], { cwd }));
        expect(document).toMatchObject({ contents: { here: 0, remote: 14, missing: 0 }, kept: [] });
        expect(git(cwd, 'show', 'HEAD')).not.toContain('secret');
      }
      await bucket.close();
    } finally {
      await web.stop();
      await s3.stop();
    }
  });

  it('neither writes nor removes anything behind a link in the place of a directory', async () => {
    const cwd = cloneDvc(directory);
    const outside = join(cwd, '..', 'outside');
    renameSync(join(cwd, 'sub'), outside);
    symlinkSync(outside, join(cwd, 'sub'));
    const before = snapshot(outside);
    const refused = await runMlv(['migrate', 'dvc'], { cwd });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('sub/');
    expect(snapshot(outside)).toEqual(before);
  });

  it('takes a workspace that DVC linked or that was changed: links get content of their own, changes stay', async () => {
    const cwd = cloneDvc(directory);
    const files = dvcFiles(cwd, directory, 'HEAD');
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), bytes);
    }
    const hash = md5(files.get('model.bin') as Buffer);
    rmSync(join(cwd, 'model.bin'));
    symlinkSync(join(cwd, '.dvc/cache/files/md5', hash.slice(0, 2), hash.slice(2)), join(cwd, 'model.bin'));
    writeFileSync(join(cwd, 'beside.txt'), 'changed\n');
    const document = parseDocument('migrate dvc', await mlv(['migrate', 'dvc', '--json'], { cwd }));
    expect(document.filled).toBe(1);
    expect(lstatSync(join(cwd, 'model.bin')).isFile()).toBe(true);
    expect(readFileSync(join(cwd, 'beside.txt'), 'utf8')).toBe('changed\n');
    const status = await mlv(['status'], { cwd });
    expect(status).toContain('beside.txt');
    expect(status).not.toContain('model.bin');
  });

  it('keeps both line ends of files that DVC 2 could not tell apart, as the workspace has them', async () => {
    const old = dvcFixtures().find(({ name }) => name === 'dvc-2') as { directory: string };
    const cwd = cloneDvc(old.directory);
    git(cwd, 'checkout', '--quiet', 'first');
    for (const [path, bytes] of dvcFiles(cwd, old.directory, 'HEAD')) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), bytes);
    }
    writeFileSync(join(cwd, 'data/windows.csv'), 'a,b\r\n1,2\r\n');
    writeFileSync(join(cwd, 'data/unix.csv'), 'a,b\n1,2\n');
    await mlv(['migrate', 'dvc', '-q'], { cwd });
    rmSync(join(cwd, 'data'), { recursive: true });
    await mlv(['checkout', '-q', 'data'], { cwd });
    expect(readFileSync(join(cwd, 'data/windows.csv'), 'utf8')).toBe('a,b\r\n1,2\r\n');
    expect(readFileSync(join(cwd, 'data/unix.csv'), 'utf8')).toBe('a,b\n1,2\n');
  });

  it('keeps the settings of a repository in which mlv is in use already', async () => {
    const cwd = cloneDvc(directory);
    await mlv(['init', '-q', '--hash', 'sha256'], { cwd });
    await mlv(['remote', 'add', 'mine', '/srv/mine'], { cwd });
    await mlv(['migrate', 'dvc', '-q'], { cwd });
    const text = readFileSync(join(cwd, 'mlv.yaml'), 'utf8');
    expect(text).toMatch(/hash: sha256\n[\s\S]*mine:\n {4}url: \/srv\/mine\n/);
    expect(readFileSync(join(cwd, 'data.mlv'), 'utf8')).toContain('oid: sha256:');
    expect(await mlv(['remote', 'default'], { cwd })).toContain('mine');
  });

  it.each([
    [
      'a path out of the repository',
      'outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  path: ../../x\n',
      'leads out of the repository',
    ],
    ['a name that is no MD5', 'outs:\n- md5: ../../../etc/passwd\n  path: x\n', 'is not an MD5'],
  ])('refuses %s', async (_what, text, reason) => {
    const cwd = cloneDvc(directory);
    writeFileSync(join(cwd, 'evil.dvc'), text);
    commitAll(cwd);
    const result = await runMlv(['migrate', 'dvc'], { cwd });
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain(reason);
    expect(git(cwd, 'status', '--porcelain')).toBe('');
  });

  it('follows DVC in a sub-directory, with a cache elsewhere', async () => {
    const source = cloneDvc(directory);
    const cwd = cloneDvc(directory, 'nowhere');
    git(cwd, 'rm', '-q', '-r', '.');
    mkdirSync(join(cwd, 'team'));
    for (const name of ['.dvc', '.gitignore', 'data.dvc', 'dvc.yaml', 'dvc.lock', '.dvcignore']) {
      cpSync(join(source, name), join(cwd, 'team', name), {
        recursive: true,
        filter: (path) => !path.includes('cache'),
      });
    }
    cpSync(join(directory, 'cache'), join(cwd, '..', 'elsewhere'), { recursive: true });
    writeFileSync(join(cwd, 'team/.dvc/config.local'), '[cache]\n    dir = ../../../elsewhere\n');
    commitAll(cwd);
    await mlv(['migrate', 'dvc', '-q'], { cwd });
    expect(existsSync(join(cwd, 'team/data.mlv'))).toBe(true);
    expect(readFileSync(join(cwd, 'team/.gitignore'), 'utf8')).toContain('/.dvc\n');
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).toMatch(/team\.prepare:[\s\S]*cd 'team' \|\| exit/);
    expect(readFileSync(join(cwd, 'mlv.yaml'), 'utf8')).toContain('team/data/unix.csv');
  });
});
