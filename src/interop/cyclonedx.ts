import { type ExportFacts, type ExportItem, personOf, pythonPackages, uuidOf, valueText } from './facts.js';
import { spdxLicence } from './licences.js';

interface Property {
  name: string;
  value: string;
}

/**
 * The ML-BOM of CycloneDX 1.6 (cyclonedx.org/docs/1.6/json): the model with its model card, its files, the data sets, the
 * models that it consists of and the Python packages that it was made with.
 */
export function cyclonedxBom(facts: ExportFacts): Record<string, unknown> {
  const model = modelComponent(facts);
  const data = facts.data.map(dataComponent);
  const packages = pythonPackages(facts.environment).map(({ name, version, purl }) => ({
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
  }));
  const others = facts.components.map(({ model: name, version, manifest }) => ({
    type: 'machine-learning-model',
    'bom-ref': `model:${name}@${version}`,
    name,
    version,
    properties: [{ name: 'mlv:manifest', value: manifest }],
  }));
  const components = [...data, ...others, ...packages];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(facts.identity)}`,
    version: 1,
    metadata: {
      timestamp: facts.created,
      tools: { components: [{ type: 'application', name: 'mlv' }] },
      ...(facts.author !== undefined && { authors: [contact(facts.author)] }),
      component: model,
    },
    components,
    dependencies: [
      { ref: model['bom-ref'], dependsOn: components.map((each) => each['bom-ref']) },
      ...components.map((each) => ({ ref: each['bom-ref'], dependsOn: [] })),
    ],
  };
}

function modelComponent(facts: ExportFacts): Record<string, unknown> & { 'bom-ref': string } {
  const { version, description, licence, artifacts, code, owners } = facts;
  const [only, ...more] = artifacts;
  return {
    type: 'machine-learning-model',
    'bom-ref': `model:${facts.reference}`,
    name: facts.name,
    ...(version !== undefined && { version }),
    ...(description !== undefined && { description }),
    ...(owners.length > 0 && { authors: owners.map(contact) }),
    ...(only && more.length === 0 && { hashes: hashesOf(only) }),
    ...(licence !== undefined && { licenses: [{ license: licenceOf(licence) }] }),
    ...(code?.repository !== undefined && {
      externalReferences: [{ type: 'vcs', url: code.repository, comment: `commit ${code.commit}` }],
    }),
    modelCard: modelCard(facts),
    properties: propertiesOf(facts),
    components: artifacts.map((item) => ({
      type: 'file',
      'bom-ref': `artifact:${item.path}`,
      name: item.path,
      ...hashed(item),
      properties: itemProperties(item),
    })),
  };
}

function modelCard({ data, metrics, run }: ExportFacts): Record<string, unknown> {
  const figures = Object.entries(metrics).map(([type, { value, on }]) => ({
    type,
    value: String(value),
    ...(on !== undefined && { slice: on }),
  }));
  return {
    modelParameters: {
      datasets: data.map(({ path }) => ({ ref: `data:${path}` })),
    },
    ...(figures.length > 0 && { quantitativeAnalysis: { performanceMetrics: figures } }),
    ...(run && { properties: [{ name: 'mlv:command', value: run.command.join(' ') }] }),
  };
}

function propertiesOf(facts: ExportFacts): Property[] {
  const { code, run, environment, stages, parent } = facts;
  const { packages: _, ...machine } = environment;
  const texts: [string, unknown][] = [
    ['mlv:manifest', facts.version === undefined ? undefined : `sha256:${facts.identity}`],
    ['mlv:commit', code?.commit],
    ['mlv:dirty', code?.dirty === true ? true : undefined],
    ['mlv:run', run?.oid],
    ['mlv:parent', parent],
    ...stages.map((stage): [string, unknown] => ['mlv:stage', stage]),
    ...Object.entries(facts.params).map(([name, value]): [string, unknown] => [`mlv:param:${name}`, value]),
    ...Object.entries(run?.seeds ?? {}).map(([name, value]): [string, unknown] => [`mlv:seed:${name}`, value]),
    ...Object.entries(machine).map(([name, value]): [string, unknown] => [`mlv:environment:${name}`, value]),
  ];
  return texts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: valueText(value) }]));
}

function dataComponent(item: ExportItem) {
  const { path, source } = item;
  return {
    type: 'data',
    'bom-ref': `data:${path}`,
    name: path,
    ...hashed(item),
    data: [
      {
        type: 'dataset',
        name: path,
        ...(source !== undefined && URL.canParse(source) && { contents: { url: source } }),
        ...(source !== undefined && !URL.canParse(source) && { description: source }),
      },
    ],
    properties: itemProperties(item),
  };
}

function itemProperties({ oid, size, files }: ExportItem): Property[] {
  return [
    { name: 'mlv:oid', value: oid },
    ...(size !== undefined ? [{ name: 'mlv:size', value: String(size) }] : []),
    ...(files !== undefined ? [{ name: 'mlv:files', value: String(files) }] : []),
  ];
}

function hashed(item: ExportItem): { hashes?: Record<string, string>[] } {
  const hashes = hashesOf(item);
  return hashes.length > 0 ? { hashes } : {};
}

function hashesOf({ sha256, oid }: ExportItem): Record<string, string>[] {
  const blake3 = /^blake3:([0-9a-f]{64})$/.exec(oid)?.[1];
  return [
    ...(sha256 !== undefined ? [{ alg: 'SHA-256', content: sha256 }] : []),
    ...(blake3 !== undefined ? [{ alg: 'BLAKE3', content: blake3 }] : []),
  ];
}

function licenceOf(licence: string): Record<string, string> {
  const id = spdxLicence(licence);
  return id === undefined ? { name: licence } : { id };
}

function contact(person: string): Record<string, string> {
  const { name, mail } = personOf(person);
  return { name, ...(mail !== undefined && { email: mail }) };
}
