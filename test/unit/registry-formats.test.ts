import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import { encodeEvent, parseEvent } from '../../src/registry/event-format.js';
import { parseRegistryPath } from '../../src/registry/layout.js';
import type { Manifest } from '../../src/registry/manifest.js';
import { encodeManifest, manifestDigest, parseManifest } from '../../src/registry/manifest-format.js';
import { encodeModelMeta, parseModelMeta } from '../../src/registry/model-meta-format.js';
import { parsePolicy } from '../../src/registry/policy-format.js';
import { goldenEvents, goldenManifest, goldenMeta } from '../helpers/golden-registry.js';

const AT = { path: 'a-file.yaml' };

function isWellFormed(text: string): boolean {
  return Buffer.from(text, 'utf8').toString('utf8') === text;
}

function golden(name: string): string {
  return readFileSync(new URL(`../../fixtures/registry/${name}`, import.meta.url), 'utf8');
}

function codeOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (isMlvError(error)) return error.code;
    throw error;
  }
}

const name = fc
  .oneof(fc.stringMatching(/^[a-z][a-z0-9._]{0,12}$/), fc.string({ minLength: 1, maxLength: 20 }))
  .filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && text !== '__proto__' && isWellFormed(text));
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const scalar = fc.oneof(
  number,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.string().filter((text) => isWellFormed(text)),
);
const param = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 4 }),
  fc.array(fc.array(scalar, { maxLength: 3 }), { maxLength: 3 }),
);
const better = fc.constantFrom('higher' as const, 'lower' as const);
const metric = fc.record(
  { value: number, better, on: fc.constantFrom('data/test', 'a: b', '#1') },
  { requiredKeys: ['value'] },
);
const manifest: fc.Arbitrary<Manifest> = fc
  .record({
    params: fc.dictionary(name, param, { maxKeys: 6 }),
    metrics: fc.dictionary(name, metric, { maxKeys: 6 }),
    description: fc.string().filter((text) => isWellFormed(text)),
  })
  .map((more) => ({ ...goldenManifest(), ...more }) as Manifest);

/** Each text with one character taken out, changed or put in, a few hundred times. */
function damaged(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(text.length - 1), fc.constantFrom('', ' ', '\n', ':', '-', '"', '0', 'x', '{', '&a ', '\u0000'))
    .map(([at, by]) => text.slice(0, at) + by + text.slice(at + 1));
}

describe('a manifest', () => {
  it('has the bytes that are committed as golden', async () => {
    await expect(encodeManifest(goldenManifest())).toMatchFileSnapshot('../../fixtures/registry/manifest.yaml');
    expect(parseManifest(golden('manifest.yaml'), AT)).toEqual(goldenManifest());
    expect(manifestDigest(goldenManifest())).toBe(
      'sha256:d062d87e6cdb60d0831a8990ce9cdf0392ebba0262bee5addaf4fd69a46f08e9',
    );
  });

  it('is read back as it was written, and written the same again', () => {
    fc.assert(
      fc.property(manifest, (given) => {
        const text = encodeManifest(given);
        expect(parseManifest(text, AT)).toEqual(given);
        expect(encodeManifest(parseManifest(text, AT))).toBe(text);
      }),
    );
  });

  it('with a key that nobody knows yet is read', () => {
    expect(parseManifest(`${golden('manifest.yaml')}future: [1]\n`, AT)).toEqual(goldenManifest());
  });

  it.each([
    ['mlv: 1', 'mlv: 2', 'FORMAT_TOO_NEW'],
    ['mlv: 1', 'mlv: "1"', 'REGISTRY_INVALID'],
    ['model: fraud', 'model: ../fraud', 'REGISTRY_INVALID'],
    ['version: 1.4.0', 'version: "1.4"', 'REGISTRY_INVALID'],
    ['path: model.pkl', 'path: ../model.pkl', 'REGISTRY_INVALID'],
    ['path: model.pkl', 'path: /etc/passwd', 'REGISTRY_INVALID'],
    ['path: model.pkl', 'path: a/.git/hooks/x', 'REGISTRY_INVALID'],
    ['path: model.pkl', 'path: "a\\\\b"', 'REGISTRY_INVALID'],
    ['path: model.pkl', 'path: ""', 'REGISTRY_INVALID'],
    ['value: 0.941', 'value: .nan', 'REGISTRY_INVALID'],
    ['value: 0.941', 'value: .inf', 'REGISTRY_INVALID'],
    ['value: 0.941', 'value: "0.941"', 'REGISTRY_INVALID'],
    ['size: 1048576', 'size: -1', 'REGISTRY_INVALID'],
    ['created: ', 'created: yesterday # ', 'REGISTRY_INVALID'],
    ['author: Ada <ada@example.com>', 'author: ["Ada"]', 'REGISTRY_INVALID'],
    ['author: Ada <ada@example.com>', 'author: &a Ada\nbranch: *a', 'REGISTRY_INVALID'],
    ['author: Ada <ada@example.com>', 'author: "Ada\\u001b[31m"', 'REGISTRY_INVALID'],
  ])('with %j as %j is refused', (from, to, code) => {
    expect(golden('manifest.yaml')).toContain(from);
    expect(codeOf(() => parseManifest(golden('manifest.yaml').replace(from, to), AT))).toBe(code);
  });

  it('that is far too long is refused before it is read', () => {
    expect(codeOf(() => parseManifest(`mlv: 1\n${'#'.repeat(5_000_000)}\n`, AT))).toBe('REGISTRY_INVALID');
  });
});

describe('an event', () => {
  it.each(goldenEvents().map((event) => [event.type, event] as const))(
    '%s has the bytes that are committed as golden',
    async (type, event) => {
      await expect(encodeEvent(event)).toMatchFileSnapshot(`../../fixtures/registry/event-${type}.yaml`);
      expect(parseEvent(golden(`event-${type}.yaml`), AT)).toEqual(event);
    },
  );

  it('of a type that this mlv does not know is refused: it could change what is true', () => {
    expect(
      codeOf(() => parseEvent(golden('event-archived.yaml').replace('type: archived', 'type: suspended'), AT)),
    ).toBe('FORMAT_TOO_NEW');
    expect(
      codeOf(() => parseEvent(golden('event-archived.yaml').replace('type: archived', 'type: constructor'), AT)),
    ).toBe('FORMAT_TOO_NEW');
  });

  it.each(['traffic: 0', 'traffic: 101', 'traffic: all'])('with %s is refused', (traffic) => {
    expect(codeOf(() => parseEvent(golden('event-promoted.yaml').replace(/traffic: \d+/, traffic), AT))).toBe(
      'REGISTRY_INVALID',
    );
  });

  it('for a stage whose name is none is refused', () => {
    expect(codeOf(() => parseEvent(golden('event-approved.yaml').replace(/stage: .*/, 'stage: latest'), AT))).toBe(
      'REGISTRY_INVALID',
    );
  });
});

describe('a model.yaml', () => {
  it('has the bytes that are committed as golden, and keeps what it does not know', async () => {
    await expect(encodeModelMeta(goldenMeta())).toMatchFileSnapshot('../../fixtures/registry/model.yaml');
    expect(parseModelMeta(golden('model.yaml'), AT)).toEqual(goldenMeta());
  });
});

describe('a policy', () => {
  it('is read as the documentation shows it', () => {
    const policy = parsePolicy(golden('policy.yaml'), AT);
    expect(Object.keys(policy.stages)).toEqual(['staging', 'production', 'archived']);
    expect(policy.stages.production).toMatchObject({
      from: ['staging'],
      approvals: { count: 2, role: 'reviewer' },
      signed: true,
    });
  });

  it('without stages has the usual ones', () => {
    expect(Object.keys(parsePolicy('mlv: 1\n', AT).stages)).toEqual(['staging', 'production', 'archived']);
  });

  it.each([
    ['stages:', 'stagse:'],
    ['signed: true', 'signde: true'],
    ['from: [staging]', 'from: [nowhere]'],
    ['role: reviewer', 'role: nobody'],
    ['  production:', '  none:'],
    ['count: 2', 'count: 2.5'],
    ['to: 2026-12-31', 'to: Christmas'],
  ])('with %j as %j is refused: a rule must never be passed over', (from, to) => {
    expect(golden('policy.yaml')).toContain(from);
    expect(codeOf(() => parsePolicy(golden('policy.yaml').replace(from, to), AT))).toBe('REGISTRY_INVALID');
  });
});

describe('any file, however damaged', () => {
  it.each([
    ['manifest.yaml', parseManifest],
    ['event-promoted.yaml', parseEvent],
    ['policy.yaml', parsePolicy],
    ['model.yaml', parseModelMeta],
  ] as const)('%s is read or refused with a code', (file, parse) => {
    fc.assert(
      fc.property(damaged(golden(file)), (text) => {
        expect([undefined, 'REGISTRY_INVALID', 'FORMAT_TOO_NEW']).toContain(codeOf(() => parse(text, AT)));
      }),
    );
  });
});

describe('paths on the branch', () => {
  it.each([
    ['policy.yaml', 'policy'],
    ['README.md', 'other'],
    ['models/fraud/model.yaml', 'meta'],
    ['models/fraud/README.md', 'other'],
    ['models/fraud/versions/1.0.0.yaml', 'manifest'],
    ['models/fraud/versions/1.0.yaml', 'wrong'],
    ['models/fraud/versions/1.0.0/x.yaml', 'wrong'],
    ['models/fraud/events/00000001-0123456789ab.yaml', 'event'],
    ['models/fraud/events/00000000-0123456789ab.yaml', 'wrong'],
    ['models/fraud/events/1-0123456789ab.yaml', 'wrong'],
    ['models/Fraud/model.yaml', 'wrong'],
    ['models/con/model.yaml', 'wrong'],
  ])('%s: %s', (path, kind) => expect(parseRegistryPath(path).kind).toBe(kind));
});
