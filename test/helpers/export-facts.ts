import fc from 'fast-check';
import type { ExportFacts, ExportItem } from '../../src/interop/facts.js';

const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.string({ unit: 'binary', maxLength: 20 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((value) => value.trim() !== '');
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const time = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => `${date.toISOString().slice(0, 19)}Z`);

function defined<T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return value.map((each) => Object.fromEntries(Object.entries(each).filter(([, of]) => of !== undefined)) as T);
}

const item: fc.Arbitrary<ExportItem> = defined(
  fc.record({
    path: fc
      .array(
        name.filter((part) => !/[/\\]|^\.\.?$/.test(part)),
        { minLength: 1, maxLength: 3 },
      )
      .map((all) => all.join('/')),
    oid: hex.map((digits) => `blake3:${digits}`),
    sha256: hex,
    size: fc.nat(),
    files: maybe(fc.nat()),
    source: maybe(fc.oneof(fc.webUrl(), text)),
  }),
) as fc.Arbitrary<ExportItem>;
const items = fc.uniqueArray(item, { selector: ({ path }) => path, maxLength: 3 });
const values = fc.dictionary(name, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()), {
  maxKeys: 4,
});

/** Facts of a version, as strange as the registry lets them be. */
export const anyFacts: fc.Arbitrary<ExportFacts> = defined(
  fc.record({
    name: fc.constant('fraud'),
    version: maybe(fc.constant('1.4.0')),
    reference: fc.constant('fraud@1.4.0'),
    identity: hex,
    artifacts: items.filter((list) => list.length > 0),
    data: items,
    params: values,
    metrics: fc.dictionary(
      name,
      defined(fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }), on: maybe(text) })),
    ),
    environment: defined(
      fc.record({
        python: maybe(name),
        cores: maybe(fc.nat()),
        packages: maybe(fc.array(fc.oneof(text, fc.constant('a_B==1.0'), fc.constant('x==2+cu1')))),
      }),
    ),
    code: maybe(
      defined(
        fc.record({
          commit: hex.map((digits) => digits.slice(0, 40)),
          branch: maybe(text),
          repository: maybe(fc.webUrl()),
          dirty: fc.boolean(),
        }),
      ),
    ),
    created: time,
    author: maybe(fc.oneof(text, fc.constant('Ada <ada@example.com>'))),
    licence: maybe(fc.oneof(text, fc.constant('apache-2.0'))),
    description: maybe(text),
    owners: fc.array(text, { maxLength: 2 }),
    components: fc.constantFrom([], [{ model: 'encoder', version: '2.0.0', manifest: `sha256:${'0'.repeat(64)}` }]),
    stages: fc.constantFrom([], ['production', 'staging']),
    run: maybe(
      defined(
        fc.record({
          oid: hex.map((digits) => `blake3:${digits}`),
          name: maybe(name),
          command: fc.array(text, { minLength: 1, maxLength: 3 }),
          inputs: items.map((list) => list.map((each) => ({ ...each, kind: 'tracked' as const }))),
          outputs: items,
          seeds: values,
          started: time,
          ended: time,
          host: text,
        }),
      ),
    ),
  }),
) as fc.Arbitrary<ExportFacts>;
