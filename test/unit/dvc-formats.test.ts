import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDvcConfig } from '../../src/interop/dvc-config.js';
import { parseDvcFile } from '../../src/interop/dvc-file.js';
import { parseListing } from '../../src/interop/dvc-listing.js';
import { parseDvcLock } from '../../src/interop/dvc-lock.js';
import { parseDvcPipeline } from '../../src/interop/dvc-pipeline.js';
import { mapDvcRemotes } from '../../src/interop/dvc-project.js';
import { foreignHasher, hasForeignId } from '../../src/interop/foreign-hash.js';
import { ignoredBeside } from '../../src/interop/ignore-lines.js';

const EMPTY = 'd41d8cd98f00b204e9800998ecf8427e';

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

describe('.dvc files', () => {
  it('are read in the forms of all versions', () => {
    const three = parseDvcFile(
      `outs:\n- md5: ${EMPTY}.dir\n  size: 3\n  nfiles: 2\n  hash: md5\n  path: data\n`,
      'a/data.dvc',
    );
    expect(three.outputs).toEqual([
      { path: 'a/data', id: { algorithm: 'md5', hex: EMPTY }, directory: true, executable: false, size: 3 },
    ]);
    const two = parseDvcFile(`wdir: ..\nouts:\n- md5: ${EMPTY}\n  isexec: true\n  path: x/y.sh\n`, 'a/y.dvc');
    expect(two.outputs).toMatchObject([{ path: 'x/y.sh', id: { algorithm: 'md5-dos2unix' }, executable: true }]);
    expect(parseDvcFile('outs:\n- path: later\n', 'later.dvc').outputs).toEqual([]);
    expect(parseDvcFile(`outs:\n- {path: m.json, cache: false, md5: ${EMPTY}}\n`, 'm.dvc').outputs).toEqual([]);
  });

  it('say where imports came from', () => {
    const url = `frozen: true\ndeps:\n- {etag: '"1"', path: 'https://example.com/x'}\nouts:\n- {md5: ${EMPTY}, hash: md5, path: x}\n`;
    const { outputs, left } = parseDvcFile(url, 'x.dvc');
    expect(outputs[0]?.source).toEqual({ url: 'https://example.com/x', etag: '"1"' });
    expect(left).toEqual([]);
    const git = `deps:\n- {path: a/b, repo: {url: 'https://ada:secret@example.com/x.git', rev: v1, rev_lock: ${'a'.repeat(40)}}}\nouts:\n- {md5: ${EMPTY}, path: b}\n`;
    expect(parseDvcFile(git, 'b.dvc').outputs[0]?.source).toEqual({
      url: 'https://example.com/x.git',
      rev: 'v1',
      path: 'a/b',
      commit: 'a'.repeat(40),
    });
    const local = `deps:\n- {path: ../raw/x}\nouts:\n- {md5: ${EMPTY}, path: x}\n`;
    expect(parseDvcFile(local, 'a/x.dvc').outputs[0]?.source).toEqual({ url: './raw/x' });
  });

  it.each([
    ['outs: [1]', 'not a mapping'],
    ['outs: text', "'outs' is not a list"],
    [`outs:\n- {md5: ${EMPTY}, path: /etc/passwd}`, 'is absolute'],
    [`outs:\n- {md5: ${EMPTY}, path: a/../../b}`, 'leads out'],
    [`outs:\n- {md5: ${EMPTY}, path: .}`, 'top of the repository'],
    [`outs:\n- {md5: ${EMPTY}, path: x/CON}`, 'device name'],
    [`outs:\n- {md5: ${EMPTY}, path: x.mlv}`, 'name of a pointer'],
    [`outs:\n- {md5: ${EMPTY.toUpperCase()}, path: x}`, 'is not an MD5'],
    [`outs:\n- {md5: ${EMPTY}, hash: sha1, path: x}`, "hash 'sha1'"],
    [`${'['.repeat(20_000)}`, 'cannot be read'],
  ])('are refused: %s', (text, reason) => {
    const read = (): unknown => parseDvcFile(text, 'x.dvc');
    expect(read).toThrow(expect.objectContaining({ code: 'FOREIGN_INVALID' }));
    expect(read).toThrow(reason);
  });
});

describe('listings', () => {
  it.each([
    ['{', 'not JSON'],
    ['{}', 'not a list'],
    [`[{"md5": "${EMPTY}", "relpath": "../x"}]`, 'not safe'],
    [`[{"md5": "${EMPTY}", "relpath": "a//x"}]`, 'not safe'],
    [`[{"md5": "${EMPTY}", "relpath": ".git/config"}]`, 'not safe'],
    [`[{"md5": "x", "relpath": "a"}]`, 'no MD5'],
    [`[{"md5": "${EMPTY}", "relpath": "a"}, {"md5": "${EMPTY}", "relpath": "a"}]`, 'twice'],
    [`[{"md5": "${EMPTY}", "relpath": "a"}, {"md5": "${EMPTY}", "relpath": "a/b"}]`, 'a file and a directory'],
  ])('are refused: %s', (text, reason) => {
    expect(() => parseListing(Buffer.from(text), { name: 'x.dir', algorithm: 'md5' })).toThrow(reason);
  });
});

describe('names of DVC before 3.0', () => {
  it('take CRLF for LF in text, however the bytes come', () => {
    const bytes = fc
      .array(fc.constantFrom('a', '\r\n', '\r', '\n', 'é'), { maxLength: 200 })
      .map((all) => Buffer.from(all.join('')));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(40)), (content, cuts) => {
        const others = [...content].filter((byte) => byte >= 0x80).length;
        const isText = others <= content.length * 0.3;
        const name = md5(isText ? Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1') : content);
        const hasher = foreignHasher('md5-dos2unix');
        let at = 0;
        for (const cut of cuts) {
          hasher.update(content.subarray(at, at + cut));
          at = Math.min(content.length, at + cut);
        }
        hasher.update(content.subarray(at));
        return hasher.matches(name) && hasForeignId(content, { algorithm: 'md5-dos2unix', hex: name });
      }),
    );
  });

  it('leave binary content alone, and line ends across two parts of a MiB', () => {
    const binary = Buffer.from('\0\r\n');
    expect(hasForeignId(binary, { algorithm: 'md5-dos2unix', hex: md5(binary) })).toBe(true);
    const across = Buffer.from(`${'a'.repeat(2 ** 20 - 1)}\r\nb\r\n`);
    const expected = Buffer.from(`${'a'.repeat(2 ** 20 - 1)}\r\nb\n`);
    expect(hasForeignId(across, { algorithm: 'md5-dos2unix', hex: md5(expected) })).toBe(true);
  });
});

describe('dvc.yaml', () => {
  it('becomes stages, and says what does not', () => {
    const text = [
      'stages:',
      '  train:',
      '    wdir: work',
      '    cmd: [python a.py, "python b.py # two"]',
      '    deps: [a.py]',
      '    params: [lr, {../conf.json: [depth, width]}, {other.toml: }]',
      '    outs: [model: {persist: true}]',
      '    metrics: [m.json: {cache: false}]',
      '    plots: [p.csv: {x: step}]',
      '  each: {foreach: [1], do: {cmd: "echo ${item}"}}',
      '  far: {cmd: x, deps: ["s3://bucket/x"]}',
      '  in-git: {cmd: x, outs: [y: {cache: false}]}',
      '',
    ].join('\n');
    const { stages, left, rest } = parseDvcPipeline(text, 'sub/dvc.yaml');
    expect(Object.fromEntries(stages)).toEqual({
      'sub.train': {
        cmd: "cd 'sub/work' || exit\npython a.py && { python b.py # two\n}",
        deps: ['sub/work/a.py'],
        params: ['sub/work/params.yaml:lr', 'sub/conf.json:depth,width', 'sub/work/other.toml'],
        outs: ['sub/work/model', 'sub/work/p.csv'],
        metrics: ['sub/work/m.json'],
      },
    });
    expect(left).toEqual([
      'sub/dvc.yaml: stage train: plots: sub/work/p.csv is an output now, without x'.replace('sub/work/', ''),
      'sub/dvc.yaml: stage train: model: persist',
      'sub/dvc.yaml: stage each: left as a whole: foreach',
      'sub/dvc.yaml: stage far: left as a whole: its dependency s3://bucket/x is not in the repository',
      'sub/dvc.yaml: stage in-git: left as a whole: its output y is left to Git (cache: false)',
    ]);
    expect(rest).not.toContain('train');
    expect(rest).toContain('foreach');
  });

  it('tells the lock file what DVC leaves to Git, behind templates too', () => {
    const text =
      'stages:\n  s:\n    foreach: [1]\n    do:\n      cmd: x\n      outs: ["o-${item}.bin"]\n      metrics: ["m/${item}.json": {cache: false}]\n';
    const { stageOf } = parseDvcPipeline(text, 'dvc.yaml');
    const lock = `schema: '2.0'\nstages:\n  s@1:\n    cmd: x\n    outs:\n    - {path: o-1.bin, md5: ${EMPTY}}\n    - {path: m/1.json, md5: ${EMPTY}}\n`;
    expect(parseDvcLock(lock, 'dvc.lock', stageOf).map(({ path }) => path)).toEqual(['o-1.bin']);
  });
});

describe('.dvc/config', () => {
  it('gives remotes without credentials', () => {
    const text = [
      '[core]',
      '    remote = Store',
      '[\'remote "store"\']',
      '    url = s3://bucket/a/  # comment',
      '    endpointurl = https://s3.example.com',
      '    access_key_id = AKIA',
      '    acl = private',
      '[\'remote "lab"\']',
      '    url = ssh://lab.example.com/srv/dvc',
      '    user = ada',
      '    port = 2222',
      '[\'remote "disk"\']',
      '    url = ../storage',
      '[\'remote "web"\']',
      '    url = https://example.com/dvc',
      '[\'remote "drive"\']',
      '    url = gdrive://abc',
      '[\'remote "leaky"\']',
      '    url = s3://key:secret@bucket/a',
      '',
    ].join('\r\n');
    const { settings, left } = mapDvcRemotes(text, '.dvc/config');
    expect(Object.fromEntries(settings)).toEqual({
      'core.remote': 'store',
      'remote.store.url': 's3://bucket/a/mlv',
      'remote.store.endpoint': 'https://s3.example.com',
      'remote.store.path-style': 'true',
      'remote.lab.url': 'sftp://ada@lab.example.com:2222/srv/dvc/mlv',
      'remote.disk.url': './storage/mlv',
    });
    expect(left.join('\n')).toMatch(/access-key-id \(credentials are not copied\)[\s\S]*acl[\s\S]*'web'[\s\S]*gdrive/);
    expect(left.join('\n')).not.toMatch(/AKIA|secret/);
  });

  it('is refused with the line', () => {
    expect(() => parseDvcConfig('[core]\nnonsense\n', '.dvc/config')).toThrow('line 2');
  });
});

describe('ignore lines', () => {
  it('are those of DVC where they are written alike, and take their place otherwise', () => {
    const texts = new Map([['a/.gitignore', '/data\n/odd\\!\n*.log\n']]);
    const changed = ignoredBeside(['a/data', 'a/odd!', 'b'], (file) => texts.get(file));
    expect(Object.fromEntries(changed)).toEqual({ 'a/.gitignore': '/data\n*.log\n/odd!\n', '.gitignore': '/b\n' });
  });
});
