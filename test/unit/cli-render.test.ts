import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorLines, gravest, toMlvError } from '../../src/cli/errors.js';
import { splitAtRevision } from '../../src/cli/operands.js';
import { Output } from '../../src/cli/output.js';
import { jsonDocument } from '../../src/cli/render/json.js';
import { escapeControls, quotePath } from '../../src/cli/render/quote.js';
import { wantsColour } from '../../src/cli/render/style.js';
import { alignColumns } from '../../src/cli/render/table.js';
import { formatBytes, formatCount, formatSeconds } from '../../src/cli/render/units.js';
import { MlvError } from '../../src/core/errors.js';
import { inShellQuotes, shellQuote } from '../../src/core/shell-quote.js';
import { gitTestEnvironment, testRepository } from '../helpers/git.js';

const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/;

describe('names on a terminal', () => {
  it('are quoted as Git quotes them', () => {
    const names = [
      'plain',
      'a b',
      'ümläut 😀',
      'quo"te',
      'back\\slash',
      'new\nline',
      'tab\t',
      'bell\u0007',
      'del\u007f',
      'esc\u001b[2J',
    ];
    const repository = testRepository();
    for (const name of names) repository.write(name, '');
    repository.git('add', '--all');
    const output = execFileSync('git', ['-c', 'core.quotePath=off', 'ls-files'], {
      cwd: repository.dir,
      env: gitTestEnvironment(),
    });
    expect(names.map(quotePath).sort()).toEqual(output.toString('utf8').trim().split('\n').sort());
  });

  it('never hold a control character or a mark that turns the direction of writing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(quotePath(text)).not.toMatch(HOSTILE);
        expect(escapeControls(text)).not.toMatch(HOSTILE);
      }),
    );
  });

  it('come back from bash as they were', () => {
    const word = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => !text.includes('\0') && Buffer.from(text).toString('utf8') === text);
    const words = fc
      .sample(word, { numRuns: 200, seed: 1 })
      .concat(["it's", 'new\nline', '$HOME `x`', '*', '~', 'a b']);
    const script = `printf '%s\\0' ${[...words.map(shellQuote), ...words.map(inShellQuotes)].join(' ')}`;
    const output = execFileSync('bash', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(output.split('\0').slice(0, -1)).toEqual([...words, ...words]);
  });
});

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [99.94 * 1024, '99.9 KiB'],
    [5 * 2 ** 30, '5.0 GiB'],
    [128 * 2 ** 20, '128 MiB'],
    [2 ** 53 - 1, '8.0 PiB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('counts and seconds have their nouns', () => {
    expect([formatCount(1, 'file'), formatCount(0, 'file'), formatCount(2, 'entry', 'entries')]).toEqual([
      '1 file',
      '0 files',
      '2 entries',
    ]);
    expect([0, 9.94, 59.4, 59.6, 200, 7500].map(formatSeconds)).toEqual([
      '0.0 s',
      '9.9 s',
      '59 s',
      '1 min 0 s',
      '3 min 20 s',
      '2 h 5 min',
    ]);
  });

  it('columns are aligned, and no line ends in spaces', () => {
    expect(
      alignColumns(
        [
          ['a', '1', 'x'],
          ['bbb', '22', ''],
        ],
        ['left', 'right'],
      ),
    ).toEqual(['a     1  x', 'bbb  22']);
  });
});

describe('colours', () => {
  it.each([
    [{ isTTY: true, env: {}, color: true }, true],
    [{ isTTY: false, env: {}, color: true }, false],
    [{ isTTY: true, env: { NO_COLOR: '1' }, color: true }, false],
    [{ isTTY: true, env: { NO_COLOR: '' }, color: true }, true],
    [{ isTTY: true, env: { TERM: 'dumb' }, color: true }, false],
    [{ isTTY: false, env: { FORCE_COLOR: '1' }, color: true }, true],
    [{ isTTY: true, env: { FORCE_COLOR: '0' }, color: true }, false],
    [{ isTTY: true, env: { FORCE_COLOR: '1' }, color: false }, false],
  ])('%o gives %s', (options, expected) => expect(wantsColour(options)).toBe(expected));
});

describe('JSON documents', () => {
  const describeError = (error: unknown) => ({ code: 'X', message: String(error), data: {} });

  it('say what their object says, with generators as lists', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (plain, items) => {
        const text = [...jsonDocument({ ...plain, items: items[Symbol.iterator]() }, describeError)].join('');
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ ...plain, items })));
      }),
    );
  });

  it('stay whole when a list breaks off, and the error is raised', () => {
    function* broken(): Generator<number> {
      yield 1;
      throw new Error('gone');
    }
    let text = '';
    expect(() => {
      for (const part of jsonDocument({ first: true, items: broken(), never: 1 }, describeError)) text += part;
    }).toThrow('gone');
    expect(JSON.parse(text)).toEqual({
      first: true,
      items: [1],
      error: { code: 'X', message: 'Error: gone', data: {} },
    });
  });
});

it('a document holds no character that a terminal acts on, and says what it was given', () => {
  const name = 'a\u001b[31m\u009b31m\u007f\n';
  const text = [...jsonDocument({ name, items: [{ name }][Symbol.iterator]() }, () => never())].join('');
  expect(text.replaceAll('\n', '')).not.toMatch(HOSTILE);
  expect(JSON.parse(text)).toEqual({ name, items: [{ name }] });
});

function never(): never {
  throw new Error('no error was expected');
}

describe('errors', () => {
  it('are one line and a hint, with the paths they concern, and a stack only with debug', () => {
    const error = new MlvError('UNSAVED_CHANGES', "kept 'a\nb'", {
      hint: 'save it',
      data: { paths: ['a\nb', 'c'] },
      cause: new Error('why'),
    });
    expect(errorLines(error, { debug: false })).toEqual(["mlv: kept 'a\\nb'", '    "a\\nb"', '    c', 'hint: save it']);
    expect(errorLines(error, { debug: true }).join('\n')).toMatch(/UNSAVED_CHANGES[\s\S]*caused by Error: why/);
  });

  it('show stacks that no terminal acts on, without credentials', () => {
    const cause = new Error('cannot reach https://user:hunter2@host/x\u001b]0;title\u0007');
    const text = errorLines(new MlvError('INTERNAL', 'q\u001b[31mred', { cause }), { debug: true }).join('\n');
    expect(text.replaceAll('\n', '')).not.toMatch(HOSTILE);
    expect(text).toContain('https://***@host/x');
    expect(text).not.toContain('hunter2');
  });

  it('of any kind become ones that a user can read', () => {
    expect(toMlvError(new TypeError('x is undefined\nmore'))).toMatchObject({
      code: 'INTERNAL',
      exitCode: 1,
      message: 'unexpected error: x is undefined',
    });
    const system = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', syscall: 'write', path: '/x' });
    expect(toMlvError(system)).toMatchObject({ code: 'DISK_FULL' });
    const controller = new AbortController();
    controller.abort(new MlvError('INTERRUPTED', 'interrupted'));
    expect(toMlvError(new Error('aborted'), controller.signal)).toMatchObject({ exitCode: 130 });
  });

  it('of several kinds end with the exit code of the gravest', () => {
    const of = (code: 'USAGE' | 'OBJECT_MISSING' | 'OBJECT_CORRUPT' | 'UNSAVED_CHANGES') => new MlvError(code, code);
    expect(gravest([of('UNSAVED_CHANGES'), of('OBJECT_MISSING'), of('OBJECT_CORRUPT')])?.code).toBe('OBJECT_CORRUPT');
    expect(gravest([of('UNSAVED_CHANGES'), of('OBJECT_MISSING')])?.code).toBe('OBJECT_MISSING');
    expect(gravest([])).toBeUndefined();
  });
});

describe('path@revision', () => {
  it.each([
    ['model.pkl@v1.0', { path: 'model.pkl', revision: 'v1.0' }],
    ['a@b@HEAD', { path: 'a@b', revision: 'HEAD' }],
    ['a@HEAD@{1}', { path: 'a', revision: 'HEAD@{1}' }],
    ['a@{upstream}', { path: 'a', revision: '{upstream}' }],
    ['plain', undefined],
    ['@', undefined],
    ['a@', undefined],
    ['@scope', undefined],
  ])('%s', (argument, expected) => expect(splitAtRevision(argument)).toEqual(expected));
});

describe('output', () => {
  it('stops taking lines once its reader is gone', async () => {
    const { Writable } = await import('node:stream');
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const output = new Output(new Writable({ write: (_chunk, _encoding, done) => done(gone) }));
    let taken = 0;
    function* lines(): Generator<string> {
      for (; taken < 1_000_000; taken += 1) yield 'a line that is rather long\n';
    }
    await output.writeAll(lines());
    expect([output.closed, taken < 10_000]).toEqual([true, true]);
  });
});
