import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cyclonedxBom } from '../../src/interop/cyclonedx.js';
import { type ExportFacts, splitPackage, uuidOf } from '../../src/interop/facts.js';
import { inTotoStatement } from '../../src/interop/in-toto.js';
import { spdxLicence } from '../../src/interop/licences.js';
import { mlflowLayout } from '../../src/interop/mlflow-layout.js';
import { portableCommand } from '../../src/interop/portable-command.js';
import { publicRepositoryUrl } from '../../src/interop/repository-url.js';
import { roCrate } from '../../src/interop/ro-crate.js';
import { slsaProvenance } from '../../src/interop/slsa.js';
import { spdxDocument } from '../../src/interop/spdx.js';
import { anyFacts } from '../helpers/export-facts.js';

/** The schema of CycloneDX 1.6 as its makers publish it in their library. */
function cyclonedxSchema(): ValidateFunction {
  const library = dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json'));
  const read = (name: string) => JSON.parse(readFileSync(join(library, 'res/schema', name), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, validateFormats: true });
  ajvFormats.default(ajv);
  ajv.addFormat('iri-reference', (text: string) => !/[\s<>"{}|\\^`]/.test(text));
  ajv.addFormat('idn-email', (text: string) => /^[^\s@]+@[^\s@]+$/.test(text));
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}`);
  }
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'));
}

describe('documents of other standards', () => {
  it('CycloneDX: what was registered, however strange, is an ML-BOM by the published schema, and every reference leads somewhere', () => {
    const validate = cyclonedxSchema();
    expect(validate({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'model' }] })).toBe(false);
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const bom = cyclonedxBom(facts);
        expect(validate(JSON.parse(JSON.stringify(bom))), JSON.stringify(validate.errors)).toBe(true);
        const references = (bom.dependencies as { ref: string }[]).map(({ ref }) => ref);
        expect(new Set(references).size).toBe(references.length);
      }),
      { numRuns: 60 },
    );
  });

  it('the same facts always give the same documents, which name the subjects by SHA-256', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        for (const make of [inTotoStatement, slsaProvenance, cyclonedxBom, spdxDocument, roCrate]) {
          expect(JSON.stringify(make(structuredClone(facts)))).toBe(JSON.stringify(make(facts)));
        }
        expect([...mlflowLayout(facts).files]).toEqual([...mlflowLayout(structuredClone(facts)).files]);
        for (const make of [inTotoStatement, slsaProvenance]) {
          expect(make(facts).subject.map(({ digest }) => digest.sha256)).toEqual(
            facts.artifacts.map(({ sha256 }) => sha256),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('a version without files of its own is attested by its manifest', () => {
    const [facts] = fc.sample(anyFacts, { numRuns: 1, seed: 1 });
    const subject = { name: 'fraud@1.4.0', digest: { sha256: facts?.identity } };
    for (const make of [inTotoStatement, slsaProvenance]) {
      expect(make({ ...(facts as ExportFacts), artifacts: [] }).subject).toMatchObject([subject]);
    }
  });

  it('SPDX and RO-Crate: every id is there once, and everything that is named is there', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const elements = (spdxDocument(facts)['@graph'] as Record<string, unknown>[]).slice(1);
        const ids = elements.map(({ spdxId }) => spdxId);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { from, to } of elements.filter(({ type }) => type === 'Relationship')) {
          for (const id of [from, ...(to as string[])]) expect(ids).toContain(id);
        }
        const entities = roCrate(facts)['@graph'] as Record<string, unknown>[];
        const known = new Set(entities.map((entity) => entity['@id']));
        expect(known.size).toBe(entities.length);
        const [, root] = entities;
        for (const part of [root?.hasPart ?? []].flat()) expect(known).toContain((part as { '@id': string })['@id']);
      }),
      { numRuns: 60 },
    );
  });

  it('MLflow: no name of a parameter leaves its folder or hides another', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string()), anyFacts, (params, facts) => {
        const { files } = mlflowLayout({ ...facts, params });
        const names = [...files.keys()].filter((path) => path.includes('/params/'));
        expect(names).toHaveLength(Object.keys(params).length);
        for (const name of names) expect(name).toMatch(/^mlruns\/\d{18}\/[0-9a-f]{32}\/params\/[\w\- ][\w\-. ]*$/);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['https://ada:secret@git.example.com/team/fraud.git', 'https://git.example.com/team/fraud.git'],
    ['https://git.example.com/fraud.git?token=abc', 'https://git.example.com/fraud.git'],
    ['git@example.com:team/fraud.git', 'ssh://git@example.com/team/fraud.git'],
    ['ssh://ada@example.com:2222/fraud', 'ssh://git@example.com:2222/fraud'],
    ['/home/ada/fraud.git', undefined],
    ['file:///home/ada/fraud.git', undefined],
    ['../fraud', undefined],
    ['C:\\fraud', undefined],
    ['http://localhost:3000/fraud', undefined],
  ])('a document names the repository %s as %s', (url, expected) => {
    expect(publicRepositoryUrl(url)).toBe(expected);
  });

  it('a command keeps no path of one machine and no credential', () => {
    expect(
      portableCommand(['/home/ada/venv/bin/python', 'train.py', '--data=/mnt/x/data.csv', '/usr/bin/env']),
    ).toEqual(['python', 'train.py', '--data=data.csv', '/usr/bin/env']);
    expect(portableCommand('curl https://ada:secret@example.com/x > /tmp/y/z')).toEqual([
      'sh',
      '-c',
      'curl https://***@example.com/x > z',
    ]);
  });

  it('small parts', () => {
    expect(spdxLicence('APACHE-2.0')).toBe('Apache-2.0');
    expect(spdxLicence('ours')).toBeUndefined();
    expect(splitPackage('numpy==2.4.6')).toEqual({ name: 'numpy', version: '2.4.6' });
    expect(splitPackage('-e git+https://x')).toBeUndefined();
    expect(uuidOf('0'.repeat(64))).toBe('00000000-0000-8000-8000-000000000000');
  });
});
