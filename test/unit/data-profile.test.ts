import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { ColumnAccumulator, kindOfText } from '../../src/provenance/column-profile.js';
import { delimiterOf } from '../../src/provenance/csv-reader.js';
import type { DataProfile, ProfileOptions } from '../../src/provenance/data-profile.js';
import { type DataSource, distinctNames, profileCsv } from '../../src/provenance/profile-csv.js';
import { formatOfName, profileFile } from '../../src/provenance/profile-file.js';
import { profileJsonl } from '../../src/provenance/profile-jsonl.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const OPTIONS: ProfileOptions = { categories: 50, header: true, data: true };

function source(bytes: Buffer, { format = 'csv' as DataSource['format'], cuts = [] as number[] } = {}): DataSource {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const parts = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
  return {
    name: `data.${format}`,
    format,
    chunks: (async function* () {
      for (const part of parts) if (part.length > 0) yield part;
    })(),
  };
}

const csv = (text: string, options: Partial<ProfileOptions> = {}): Promise<DataProfile> =>
  profileCsv(source(Buffer.from(text)), { ...OPTIONS, ...options });

const jsonl = (text: string, options: Partial<ProfileOptions> = {}): Promise<DataProfile> =>
  profileJsonl(source(Buffer.from(text), { format: 'jsonl' }), { ...OPTIONS, ...options });

function columnOf(profile: DataProfile, name: string): DataProfile['columns'][number] {
  const column = profile.columns.find((each) => each.name === name);
  if (!column) throw new Error(`no column ${name}`);
  return column;
}

describe('a first line of more columns than any table has', () => {
  it('is refused while it is read, and not taken apart', async () => {
    let read = 0;
    const chunks = (async function* () {
      for (; read < 3000; read += 1) yield Buffer.from('c,'.repeat(1000));
    })();
    await expect(profileCsv({ name: 'wide.csv', format: 'csv', chunks }, OPTIONS)).rejects.toMatchObject({
      code: 'DATA_UNREADABLE',
      message: expect.stringContaining('more than 100000 columns'),
    });
    expect(read).toBeLessThan(110);
  });

  it('is told from commas in quotes', async () => {
    const quoted = `a,"${','.repeat(150_000)}"\n1,2\n`;
    expect((await csv(quoted)).columns).toHaveLength(2);
  });
});

describe('what a cell of text is', () => {
  it.each([
    ['12', 'int'],
    ['-0.5e3', 'float'],
    ['.5', 'float'],
    ['-inf', 'float'],
    ['TRUE', 'bool'],
    ['2024-02-29', 'date'],
    ['2024-13-01', 'string'],
    ['2024-02-01T10:00:00Z', 'timestamp'],
    ['2024-02-01 10:00:00.25+0200', 'timestamp'],
    ['1.2.3', 'string'],
    ['+', 'string'],
    ['a', 'string'],
    ['', undefined],
    ['NaN', undefined],
  ])('%j is %s', (text, kind) => {
    expect(kindOfText(text)).toBe(kind);
  });
});

describe('the profile of a CSV file', () => {
  it('tells types, ranges, means, nulls, lengths and categories', async () => {
    const profile = await csv(
      'id,score,city,day,ok\n1,0.5,Ede,2024-01-02,true\n2,NA,"Den Haag",2023-05-01,false\n3,2,Ede,,true\n',
    );
    expect(profile).toMatchObject({ format: 'csv', rows: 3, complete: true, malformed: { count: 0 } });
    expect(columnOf(profile, 'id')).toMatchObject({ type: 'int', nulls: 0, min: 1, max: 3, mean: 2 });
    expect(columnOf(profile, 'score')).toMatchObject({ type: 'float', nulls: 1, min: 0.5, max: 2, mean: 1.25 });
    expect(columnOf(profile, 'city')).toMatchObject({
      type: 'string',
      length: { min: 3, max: 8, mean: 14 / 3 },
      categories: {
        values: [
          { value: 'Ede', count: 2 },
          { value: 'Den Haag', count: 1 },
        ],
      },
    });
    expect(columnOf(profile, 'day')).toMatchObject({ type: 'date', nulls: 1, min: '2023-05-01', max: '2024-01-02' });
    expect(columnOf(profile, 'ok')).toMatchObject({ type: 'bool' });
  });

  it('counts malformed rows and says where they are, before and behind a quote', async () => {
    const profile = await csv('a,b\n1\n2,"x\ny"\n3,4,5\n6,7\n');
    expect(profile.rows).toBe(2);
    expect(profile.malformed).toEqual({
      count: 2,
      first: [
        { line: 2, reason: 'it has 1 cells where 2 belong' },
        { line: 5, reason: 'it has 3 cells where 2 belong' },
      ],
    });
    const open = await csv('a,b\n1,2\n3,"never\n4,5\n');
    expect(open).toMatchObject({ rows: 1, malformed: { count: 1, first: [{ reason: 'a quote is never closed' }] } });
  });

  it.each([
    ['a line that never ends', (fill: Buffer) => [Buffer.from('a,b\n1,2\n'), fill, Buffer.from('\n3,4\n5,"6"\n')]],
    [
      'a quoted cell that never ends',
      (fill: Buffer) => [Buffer.from('a,b\n1,2\n"'), fill, Buffer.from('"\n3,4\n5,6\n')],
    ],
    [
      'a quote that is open',
      (fill: Buffer) => [Buffer.from('a,b\n1,2\n"'), fill.fill('x\n'), Buffer.from('3,4\n5,6\n')],
    ],
  ])('begins again behind %s, without keeping it', async (_, parts) => {
    const mebibyte = 1024 * 1024;
    const bytes = Buffer.concat(parts(Buffer.alloc(18 * mebibyte, 'x')));
    const cuts = Array.from({ length: 18 }, (_each, at) => (at + 1) * mebibyte);
    const profile = await profileCsv(source(bytes, { cuts }), OPTIONS);
    expect(profile.rows).toBe(3);
    expect(profile.malformed.first[0]?.reason).toContain('it is longer than 16 MiB');
    expect(columnOf(profile, 'a')).toMatchObject({ min: 1, max: 5, nulls: 0 });
  });

  it('keeps only the first of many malformed rows, and a bounded number of categories', async () => {
    const rows = Array.from({ length: 300 }, (_, at) => `${at},x${at}\nbad`).join('\n');
    const profile = await csv(`a,b\n${rows}\n`, { categories: 10 });
    expect(profile.malformed.first).toHaveLength(5);
    expect(profile.malformed.count).toBe(300);
    expect(columnOf(profile, 'b').categories).toEqual({ moreThan: 10 });
  });

  it('finds the delimiter, takes one, and reads files without a header', async () => {
    expect(delimiterOf(Buffer.from('"a,b,c";d\n1;2'))).toBe(';');
    expect(delimiterOf(Buffer.from('one\n'))).toBe(',');
    expect((await csv('a;b\n1;2\n')).columns.map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await csv('a:b\n1:2\n', { delimiter: ':' })).columns.map(({ name }) => name)).toEqual(['a', 'b']);
    const bare = await csv('1,2\n3,4\n', { header: false });
    expect([bare.rows, bare.columns.map(({ name }) => name)]).toEqual([2, ['column 1', 'column 2']]);
  });

  it('looks at the columns and rows that are asked for', async () => {
    const profile = await csv('a,b\n1,2\n3,4\n5,6\n', { columns: ['b'], sample: 2 });
    expect(profile).toMatchObject({ rows: 2, complete: false, columns: [{ name: 'b', max: 4 }] });
    expect(await csv('a,b\n1,2\n', { sample: 1 })).toMatchObject({ rows: 1, complete: true });
    await expect(csv('alpha,b\n', { columns: ['alpa'] })).rejects.toMatchObject({
      code: 'USAGE',
      hint: "did you mean 'alpha'?",
    });
  });

  it('refuses what is no text', async () => {
    await expect(csv('a\u0000b')).rejects.toMatchObject({ code: 'DATA_UNREADABLE' });
    const wide = profileCsv(source(Buffer.from('\uFEFFa,b\n', 'utf16le')), OPTIONS);
    await expect(wide).rejects.toMatchObject({ code: 'DATA_UNREADABLE', message: expect.stringContaining('UTF-16') });
  });

  it('is empty for an empty file', async () => {
    expect(await csv('')).toMatchObject({ rows: 0, columns: [], complete: true });
  });

  it('names every column apart', () => {
    expect(distinctNames(['a', 'a', '', ' ', 'a (2)'])).toEqual(['a', 'a (2)', 'column 3', 'column 4', 'a (2) (2)']);
  });

  it('says the same wherever the stream is cut, and whether a quote makes the parser read it or not', async () => {
    const cell = fc.oneof(
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.constantFrom('', 'x', 'true', '2024-01-01', 'é\u{1F600}'),
      fc.string({ maxLength: 5 }).map((text) => text.replace(/[",;\t|\r\n\u0000]/g, '_')),
    );
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, cuts, end) => {
          const plain = Buffer.from(['p,q,r', ...rows.map((row) => row.join(','))].join(end) + end);
          const quoted = Buffer.from(
            `"p","q","r"${end}${rows.map((row) => row.map((each) => `"${each}"`).join(',')).join(end)}${end}`,
          );
          const whole = await profileCsv(source(plain), OPTIONS);
          expect(whole.rows).toBe(rows.length);
          expect(await profileCsv(source(plain, { cuts }), OPTIONS)).toEqual(whole);
          expect(await profileCsv(source(quoted, { cuts }), OPTIONS)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('what is known of a column', () => {
  it('is what a look at all values at once tells', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double({ noNaN: true, min: -1e9, max: 1e9 })), { minLength: 1 }), (values) => {
        const column = new ColumnAccumulator('x', 5);
        for (const value of values) column.addValue(value);
        const numbers = values.filter((each) => each !== null);
        const found = column.finish(values.length);
        expect(found.nulls).toBe(values.length - numbers.length);
        if (numbers.length === 0) {
          expect(found.type).toBe('empty');
          return;
        }
        const { min = 0, max = 0 } = found as { min?: number; max?: number };
        // Where -0 stands does not matter.
        expect([min + 0, max + 0]).toEqual([Math.min(...numbers) + 0, Math.max(...numbers) + 0]);
        expect(found.mean).toBeCloseTo(numbers.reduce((sum, each) => sum + each, 0) / numbers.length, 3);
        const distinct = new Set(numbers.map(String)).size;
        if (distinct > 5) expect(found.categories).toEqual({ moreThan: 5 });
        else expect((found.categories as { values: unknown[] }).values).toHaveLength(distinct);
      }),
    );
  });

  it('is mixed where numbers and words meet, with how many of each', () => {
    const column = new ColumnAccumulator('x', 5);
    for (const text of ['1', '2', 'many', 'NA']) column.addText(text);
    expect(column.finish(4)).toMatchObject({ type: 'mixed', kinds: { int: 2, string: 1 }, nulls: 1, min: 1, max: 2 });
  });
});

describe('the profile of JSON lines', () => {
  it('counts no values where some are nested', async () => {
    const { columns } = await jsonl('{"a":1}\n{"a":{"b":2}}\n');
    expect(columns).toEqual([
      { name: 'a', type: 'mixed', kinds: { int: 1, object: 1 }, nulls: 0, min: 1, max: 1, mean: 1 },
    ]);
  });

  it('has a column for every key, a null where it is missing, and counts what is no object', async () => {
    const profile = await jsonl('{"a":1,"t":"2024-01-01"}\nnope\n[1]\n\n{"a":2.5,"l":[1,2],"__proto__":"x"}\n');
    expect(profile).toMatchObject({ rows: 2, malformed: { count: 2, first: [{ line: 2 }, { line: 3 }] } });
    expect(columnOf(profile, 'a')).toMatchObject({ type: 'float', nulls: 0 });
    expect(columnOf(profile, 't')).toMatchObject({ type: 'date', nulls: 1 });
    expect(columnOf(profile, 'l')).toMatchObject({ type: 'list', length: { min: 2 } });
    expect(columnOf(profile, '__proto__')).toMatchObject({ type: 'string' });
    expect(await jsonl('{"a":1}\n{"a":2}', { sample: 1 })).toMatchObject({ rows: 1, complete: false });
  });
});

describe('the profile of a file', () => {
  const directory = temporaryDirectory('profiles');
  mkdirSync(directory, { recursive: true });
  const put = (name: string, bytes: Uint8Array): { path: string; name: string } => {
    const path = join(directory, name);
    writeFileSync(path, bytes);
    return { path, name };
  };

  it('is chosen by the name, or by what is asked for', async () => {
    expect(formatOfName('a/B.CSV.gz')).toEqual({ format: 'csv', gzip: true });
    expect(formatOfName('a.constructor')).toEqual({ format: undefined, gzip: false });
    expect(await profileFile(put('x.csv.gz', gzipSync('a\n1\n')), OPTIONS)).toMatchObject({ rows: 1 });
    const file = put('x.dat', Buffer.from('a\tb\n1\t2\n'));
    await expect(profileFile(file, OPTIONS)).rejects.toMatchObject({ code: 'DATA_UNREADABLE' });
    expect(await profileFile(file, { ...OPTIONS, format: 'tsv' })).toMatchObject({ rows: 1, format: 'tsv' });
    const broken = put('y.csv.gz', gzipSync('a\n1\n').subarray(0, 15));
    await expect(profileFile(broken, OPTIONS)).rejects.toMatchObject({ code: 'DATA_UNREADABLE' });
  });

  it('of Parquet comes of its metadata, and of its data where that is wanted', async () => {
    const count = 1000;
    const all = Array.from({ length: count }, (_, at) => at);
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'id', data: all.map((at) => BigInt(at)), type: 'INT64' },
        { name: 'x', data: all.map((at) => (at % 10 === 0 ? null : at / 2)), type: 'DOUBLE' },
        { name: 's', data: all.map((at) => ['a', 'bb'][at % 2]), type: 'STRING' },
        { name: 't', data: all.map((at) => new Date(1.7e12 + at * 1000)), type: 'TIMESTAMP' },
      ],
      rowGroupSize: 300,
    });
    const file = put('x.parquet', new Uint8Array(bytes));
    const whole = await profileFile(file, OPTIONS);
    expect(whole).toMatchObject({ format: 'parquet', rows: count, complete: true, notes: [] });
    expect(columnOf(whole, 'id')).toMatchObject({ type: 'int', min: 0, max: 999, mean: 499.5, nulls: 0 });
    expect(columnOf(whole, 'x')).toMatchObject({ type: 'float', nulls: 100, min: 0.5 });
    expect(columnOf(whole, 's')).toMatchObject({
      type: 'string',
      categories: { values: [{ count: 500 }, { count: 500 }] },
    });
    expect(columnOf(whole, 't')).toMatchObject({ type: 'timestamp', min: '2023-11-14T22:13:20.000Z' });
    const metadata = await profileFile(file, { ...OPTIONS, data: false });
    expect(columnOf(metadata, 'id')).toEqual({ name: 'id', type: 'int', min: 0, max: 999, nulls: 0 });
    expect(columnOf(metadata, 'x')).toMatchObject({ nulls: 100, min: 0.5, max: 499.5 });
    const part = await profileFile(file, { ...OPTIONS, sample: 350, columns: ['id'] });
    expect(part).toMatchObject({ rows: 350, complete: false, columns: [{ max: 349 }] });
  });

  it.each([
    ['empty', '', 'it is empty'],
    ['shorter than a footer', 'PAR', 'does not begin as a Parquet file'],
    ['a table of another kind', 'a,b\n1,2\n3,4\n5,6\n', 'does not begin as a Parquet file'],
    ['nothing but its first bytes', 'PAR1', 'it is cut short'],
    ['of one magic that is both', 'PAR1PAR1', 'it is cut short'],
    ['without its end', 'PAR1 and then some rows', 'it is cut short'],
    ['of a footer longer than itself', 'PAR1aaaa\xff\0\0\0PAR1', 'it is cut short'],
    ['of a footer of zeros', 'PAR1\0\0\0\0\x04\0\0\0PAR1', 'its footer is damaged'],
    ['without a footer', 'PAR1\0\0\0\0PAR1', 'its footer is damaged'],
    ['of an encrypted footer', 'PARE....\0\0\0\0PARE', 'it is encrypted'],
  ])('of a Parquet file that is %s says what is wrong', async (_, text, reason) => {
    await expect(profileFile(put('x.parquet', Buffer.from(text, 'latin1')), OPTIONS)).rejects.toMatchObject({
      code: 'DATA_UNREADABLE',
      message: expect.stringContaining(reason),
    });
  });

  it('of a Parquet file that was cut anywhere fails in words of its own', async () => {
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'id', data: [1n, 2n], type: 'INT64' }] }));
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = profileFile(put('cut.parquet', bytes.subarray(0, length)), OPTIONS);
      await expect(cut).rejects.toMatchObject({
        code: 'DATA_UNREADABLE',
        message: expect.stringMatching(/it is empty|does not begin as|it is cut short/),
      });
    }
  });
});
