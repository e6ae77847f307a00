import { type ExportFacts, type ExportItem, namedInformation, personOf, pythonPackages, valueText } from './facts.js';
import { spdxLicence } from './licences.js';

const CREATION = '_:creation';

type Element = { type: string; spdxId: string } & Record<string, unknown>;

/**
 * An SPDX 3.0.1 document (JSON-LD) with the profiles AI and Dataset: the model, its files, the data sets it was trained on,
 * the Python packages it was made with. SPDX 2.3 has no words for any of these but the files.
 */
export function spdxDocument(facts: ExportFacts): Record<string, unknown> {
  return new SpdxWriter(facts).document();
}

class SpdxWriter {
  private readonly elements: Element[] = [];
  private readonly namespace: string;
  private relations = 0;

  constructor(private readonly facts: ExportFacts) {
    this.namespace = `urn:mlv:spdx:${facts.identity}`;
  }

  document(): Record<string, unknown> {
    const { facts } = this;
    const author = this.person(facts.author ?? 'not recorded');
    const tool = this.element('Tool', 'tool', { name: 'mlv' });
    const model = this.model(author);
    this.relate(
      model,
      'contains',
      facts.artifacts.map((item, at) => this.file(item, at)),
    );
    this.relate(
      model,
      'trainedOn',
      facts.data.map((item, at) => this.dataset(item, at)),
    );
    this.relate(model, 'dependsOn', [...this.packages(), ...this.components()]);
    if (facts.licence !== undefined) this.relate(model, 'hasDeclaredLicense', [this.licence(facts.licence)]);
    const root = {
      type: 'SpdxDocument',
      spdxId: `${this.namespace}:document`,
      creationInfo: CREATION,
      name: facts.reference,
      profileConformance: ['core', 'software', 'simpleLicensing', 'ai', 'dataset'],
      rootElement: [model],
      element: this.elements.map(({ spdxId }) => spdxId),
    };
    const creation = {
      type: 'CreationInfo',
      '@id': CREATION,
      specVersion: '3.0.1',
      created: instant(facts.created),
      createdBy: [author],
      createdUsing: [tool],
    };
    return {
      '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
      '@graph': [creation, root, ...this.elements],
    };
  }

  private element(type: string, id: string, fields: Record<string, unknown>): string {
    const spdxId = `${this.namespace}:${id}`;
    this.elements.push({ type, spdxId, creationInfo: CREATION, ...fields });
    return spdxId;
  }

  private relate(from: string, relationshipType: string, to: readonly string[]): void {
    if (to.length === 0) return;
    this.relations += 1;
    this.element('Relationship', `relationship:${this.relations}`, { from, relationshipType, to });
  }

  private person(text: string): string {
    const { name, mail } = personOf(text);
    const identifier = { type: 'ExternalIdentifier', externalIdentifierType: 'email', identifier: mail };
    return this.element('Person', 'author', { name, ...(mail !== undefined && { externalIdentifier: [identifier] }) });
  }

  private model(author: string): string {
    const { facts } = this;
    const { params, metrics, code, run, artifacts } = facts;
    const [only, ...more] = artifacts;
    return this.element('ai_AIPackage', 'model', {
      name: facts.name,
      ...(facts.description !== undefined && { description: facts.description }),
      ...(only && more.length === 0 && { verifiedUsing: hashesOf(only) }),
      releaseTime: instant(facts.created),
      suppliedBy: author,
      software_primaryPurpose: 'model',
      software_packageVersion: facts.version ?? facts.identity.slice(0, 12),
      software_downloadLocation: code?.repository ? `git+${code.repository}@${code.commit}` : this.namespace,
      ...(code && { software_sourceInfo: `commit ${code.commit}${code.dirty ? ', with changes' : ''}` }),
      ...filled(
        'ai_hyperparameter',
        entriesOf(Object.entries(params).map(([name, value]) => [name, valueText(value)])),
      ),
      ...filled(
        'ai_metric',
        entriesOf(
          Object.entries(metrics).map(([name, { value, on }]) => [
            on === undefined ? name : `${name} on ${on}`,
            String(value),
          ]),
        ),
      ),
      ...(run && { ai_informationAboutTraining: `${run.command.join(' ')} (${run.host})` }),
    });
  }

  private file(item: ExportItem, at: number): string {
    return this.element('software_File', `artifact:${at + 1}`, {
      name: item.path,
      verifiedUsing: hashesOf(item),
      software_primaryPurpose: 'model',
      software_fileKind: item.files === undefined ? 'file' : 'directory',
    });
  }

  private dataset(item: ExportItem, at: number): string {
    const { path, source, sha256 } = item;
    const isUrl = source !== undefined && URL.canParse(source);
    const location = sha256 === undefined ? `${this.namespace}:data:${at + 1}` : namedInformation(sha256);
    return this.element('dataset_DatasetPackage', `data:${at + 1}`, {
      name: path,
      ...(source !== undefined && !isUrl && { description: source }),
      verifiedUsing: hashesOf(item),
      releaseTime: instant(this.facts.created),
      originatedBy: [this.originator()],
      software_primaryPurpose: 'data',
      software_downloadLocation: isUrl ? source : location,
      dataset_datasetType: ['noAssertion'],
      ...(item.size !== undefined && { dataset_datasetSize: item.size }),
    });
  }

  /** The profile wants somebody from whom the data came, and the record does not say who. */
  private originator(): string {
    const spdxId = `${this.namespace}:originator`;
    if (this.elements.some((each) => each.spdxId === spdxId)) return spdxId;
    return this.element('Agent', 'originator', { name: 'not recorded' });
  }

  private packages(): string[] {
    return pythonPackages(this.facts.environment).map(({ name, version, purl }) =>
      this.element('software_Package', `package:${purl}`, {
        name,
        software_packageVersion: version,
        software_packageUrl: purl,
        software_primaryPurpose: 'library',
      }),
    );
  }

  private components(): string[] {
    return this.facts.components.map(({ model, version, manifest }) =>
      this.element('software_Package', `component:${model}@${version}`, {
        name: model,
        software_packageVersion: version,
        software_primaryPurpose: 'model',
        description: `manifest ${manifest}`,
      }),
    );
  }

  private licence(text: string): string {
    const id = spdxLicence(text);
    if (id !== undefined) {
      return this.element('simplelicensing_LicenseExpression', 'licence', { simplelicensing_licenseExpression: id });
    }
    return this.element('simplelicensing_SimpleLicensingText', 'licence', { simplelicensing_licenseText: text });
  }
}

function hashesOf({ sha256, oid }: ExportItem): Record<string, string>[] {
  const blake3 = /^blake3:([0-9a-f]{64})$/.exec(oid)?.[1];
  return [
    ...(sha256 !== undefined ? [{ type: 'Hash', algorithm: 'sha256', hashValue: sha256 }] : []),
    ...(blake3 !== undefined ? [{ type: 'Hash', algorithm: 'blake3', hashValue: blake3 }] : []),
  ];
}

function entriesOf(pairs: [string, string][]): Record<string, string>[] {
  return pairs.map(([key, value]) => ({ type: 'DictionaryEntry', key, value }));
}

function filled(key: string, list: readonly unknown[]): Record<string, unknown> {
  return list.length > 0 ? { [key]: list } : {};
}

/** SPDX takes seconds and no fraction of them. */
function instant(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
