import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CodeCache } from '../../src/cli/code-cache.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const SOURCE = '(() => { const twice = (x) => 2 * x; return twice(21); })()';

function surroundings(caches: string, env: NodeJS.ProcessEnv = {}, runtime: readonly string[] = ['v20', 'x64']) {
  return { env: { XDG_CACHE_HOME: caches, ...env }, runtime, user: process.geteuid?.() };
}

function open(...given: Parameters<typeof surroundings>): CodeCache {
  return CodeCache.open(surroundings(...given)) as CodeCache;
}

/** A cache with the entry of one script, and that entry's name. */
function filled(caches: string): string {
  const cache = open(caches);
  const name = cache.nameOf(Buffer.from(SOURCE), 'status');
  const script = new Script(SOURCE);
  script.runInThisContext();
  cache.keep(name, script);
  cache.write();
  return name;
}

describe('the code that an earlier start compiled', () => {
  it('is taken by V8 at the next one', () => {
    const caches = temporaryDirectory('caches');
    const name = filled(caches);

    const cachedData = open(caches).find(name);

    const script = new Script(SOURCE, { ...(cachedData && { cachedData }) });
    expect([script.cachedDataRejected, script.runInThisContext()]).toEqual([false, 42]);
    expect(readdirSync(join(caches, 'mlv-code'))).toEqual([name]);
    expect(statSync(join(caches, 'mlv-code')).mode & 0o777).toBe(0o700);
  });

  it('is that of the same source, verb, Node and options alone', () => {
    const caches = temporaryDirectory('caches');
    const names = [
      open(caches).nameOf(Buffer.from(SOURCE), 'status'),
      open(caches).nameOf(Buffer.from(SOURCE.replace('21', '12')), 'status'),
      open(caches).nameOf(Buffer.from(SOURCE), 'push'),
      open(caches, { NODE_OPTIONS: '--stack-size=2000' }).nameOf(Buffer.from(SOURCE), 'status'),
      open(caches, {}, ['v24', 'x64']).nameOf(Buffer.from(SOURCE), 'status'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  it('is not taken where it is damaged at any byte, or cut', () => {
    const caches = temporaryDirectory('caches');
    const name = filled(caches);
    const path = join(caches, 'mlv-code', name);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 5) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(path, damaged);
      expect(open(caches).find(name)).toBeUndefined();
    }
    for (const length of [0, 31, 32, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(open(caches).find(name)?.length ?? 0).toBe(0);
    }
  });

  it.skipIf(process.geteuid === undefined)('is neither read nor written where others may write', () => {
    const caches = temporaryDirectory('caches');
    const name = filled(caches);
    chmodSync(join(caches, 'mlv-code'), 0o777);
    expect(open(caches).find(name)).toBeUndefined();

    const another = CodeCache.open({ ...surroundings(caches), user: (process.geteuid?.() ?? 0) + 1 });
    chmodSync(join(caches, 'mlv-code'), 0o700);
    expect(another?.find(name)).toBeUndefined();
    another?.keep('other', new Script(SOURCE));
    another?.write();
    expect(readdirSync(join(caches, 'mlv-code'))).toEqual([name]);
  });

  it('is not kept where no folder can be made, which is no error', () => {
    const caches = join(temporaryDirectory('caches'), 'file');
    writeFileSync(caches, 'not a folder');
    filled(caches);
    expect(readFileSync(caches, 'utf8')).toBe('not a folder');
  });

  it('takes no more than some entries: the oldest go', () => {
    const caches = temporaryDirectory('caches');
    const folder = join(caches, 'mlv-code');
    mkdirSync(folder, { mode: 0o700 });
    const old = Array.from({ length: 192 }, (_, at) => at.toString(16).padStart(64, '0'));
    for (const [at, name] of [...old, 'of somebody else'].entries()) {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), at + 1, at + 1);
    }
    utimesSync(join(folder, 'of somebody else'), 0, 0);

    const name = filled(caches);

    expect(readdirSync(folder).sort()).toEqual([...old.slice(1), name, 'of somebody else'].sort());
  });

  it('outlives what was not used lately', () => {
    const caches = temporaryDirectory('caches');
    const folder = join(caches, 'mlv-code');
    const name = filled(caches);
    utimesSync(join(folder, name), 1, 1);
    const others = Array.from({ length: 192 }, (_, at) => at.toString(16).padStart(64, '0'));
    for (const [at, other] of others.entries()) {
      writeFileSync(join(folder, other), '');
      utimesSync(join(folder, other), at + 2, at + 2);
    }

    expect(open(caches).find(name)).toBeDefined();
    const cache = open(caches);
    cache.keep('f'.repeat(64), new Script(SOURCE));
    cache.write();

    expect(readdirSync(folder).sort()).toEqual([...others.slice(2), name, 'f'.repeat(64)].sort());
  });

  it.skipIf(process.platform === 'win32')('is not kept behind a link, where nothing is changed', () => {
    const caches = temporaryDirectory('caches');
    const other = temporaryDirectory('other');
    for (let at = 0; at < 200; at++) writeFileSync(join(other, at.toString(16).padStart(64, '0')), '');
    const before = readdirSync(other).sort();
    symlinkSync(other, join(caches, 'mlv-code'));

    const name = filled(caches);

    expect(readdirSync(other).sort()).toEqual(before);
    expect(open(caches).find(name)).toBeUndefined();
  });

  it('is left alone where Node is told so, or the code is counted', () => {
    const caches = temporaryDirectory('caches');
    expect(CodeCache.open(surroundings(caches, { NODE_DISABLE_COMPILE_CACHE: '1' }))).toBeUndefined();
    expect(CodeCache.open(surroundings(caches, { NODE_V8_COVERAGE: '/coverage' }))).toBeUndefined();
  });
});
