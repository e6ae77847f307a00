import { extname } from 'node:path';
import { type ExportFacts, type ExportItem, personOf, valueText } from './facts.js';

type Entity = { '@id': string; '@type': string | string[] } & Record<string, unknown>;

const CRATE = 'https://w3id.org/ro/crate/1.1';
/** Media types of what data sets and models often are. */
const FORMATS: Record<string, string> = {
  '.csv': 'text/csv',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.onnx': 'application/onnx',
  '.parquet': 'application/vnd.apache.parquet',
  '.py': 'text/x-python',
  '.sh': 'application/x-sh',
  '.txt': 'text/plain',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
};
const PROFILE = 'https://w3id.org/ro/wfrun/process/0.5';

/**
 * The `ro-crate-metadata.json` of RO-Crate 1.1. With the record of a run it is a Process Run Crate 0.5: the command is the
 * instrument of a CreateAction from the inputs to the outputs. Paths are relative to the top of the repository, so that
 * the file makes a crate of what `mlv restore` brought.
 */
export function roCrate(facts: ExportFacts): Record<string, unknown> {
  const { run } = facts;
  const items = new Map<string, Entity>();
  for (const item of [...facts.artifacts, ...facts.data]) items.set(idOf(item), dataEntity(item));
  for (const item of run?.outputs ?? []) if (!items.has(idOf(item))) items.set(idOf(item), dataEntity(item));
  for (const item of run?.inputs ?? []) if (!items.has(idOf(item))) items.set(idOf(item), dataEntity(item));
  const people = new Map<string, Entity>();
  const author = facts.author === undefined ? undefined : agent(facts.author, people);
  const contextual = [
    ...(run ? actionEntities(facts, author) : []),
    ...(run ? [{ '@id': PROFILE, '@type': 'CreativeWork', name: 'Process Run Crate', version: '0.5' }] : []),
    ...figureEntities(facts),
    ...licenceEntities(facts),
    ...codeEntities(facts),
    ...people.values(),
  ];
  const root: Entity = {
    '@id': './',
    '@type': 'Dataset',
    ...(run && { conformsTo: { '@id': PROFILE } }),
    name: facts.reference,
    description: facts.description ?? `The model ${facts.reference}, what it was made from and how`,
    datePublished: facts.created,
    license: licenceReference(facts),
    identifier: `urn:mlv:${facts.identity}`,
    ...(facts.version !== undefined && { version: facts.version }),
    ...(author && { author: { '@id': author } }),
    hasPart: single([...items.keys()].map(reference)),
    ...(run && { mentions: reference('#run') }),
    ...(facts.code && { isBasedOn: reference(codeId(facts)) }),
    ...(Object.keys(facts.metrics).length > 0 && {
      variableMeasured: single(Object.keys(facts.metrics).map((_, at) => reference(`#metric-${at + 1}`))),
    }),
  };
  const descriptor: Entity = {
    '@id': 'ro-crate-metadata.json',
    '@type': 'CreativeWork',
    conformsTo: { '@id': CRATE },
    about: { '@id': './' },
  };
  return {
    '@context': [`${CRATE}/context`, { sha256: 'https://w3id.org/ro/terms/workflow-run#sha256' }],
    '@graph': [descriptor, root, ...items.values(), ...contextual],
  };
}

function dataEntity(item: ExportItem): Entity {
  const { path, oid, sha256, size, files, source } = item;
  return {
    '@id': idOf(item),
    '@type': files === undefined ? 'File' : 'Dataset',
    name: path,
    ...(size !== undefined && { contentSize: String(size) }),
    ...(sha256 !== undefined && files === undefined && { sha256 }),
    ...(files === undefined && { encodingFormat: FORMATS[extname(path).toLowerCase()] ?? 'application/octet-stream' }),
    identifier: oid,
    ...(source !== undefined && URL.canParse(source) && { isBasedOn: source }),
    ...(source !== undefined && !URL.canParse(source) && { description: source }),
  };
}

/** A directory's ends with a slash; what a URI cannot hold is written with percent signs. */
function idOf({ path, files }: ExportItem): string {
  return `${path.split('/').map(encodeURIComponent).join('/')}${files === undefined ? '' : '/'}`;
}

function actionEntities(facts: ExportFacts, author: string | undefined): Entity[] {
  const { run, params } = facts;
  if (!run) return [];
  const entries = Object.entries(params);
  const outputs = run.outputs.length > 0 ? run.outputs : facts.artifacts;
  const action: Entity = {
    '@id': '#run',
    '@type': 'CreateAction',
    name: run.name ?? facts.name,
    description: run.command.join(' '),
    instrument: reference('#command'),
    object: single([
      ...[...new Set(run.inputs.map(idOf))].map(reference),
      ...entries.map((_, at) => reference(`#parameter-${at + 1}`)),
    ]),
    result: single(outputs.map(idOf).map(reference)),
    startTime: run.started,
    endTime: run.ended,
    actionStatus: 'http://schema.org/CompletedActionStatus',
    identifier: run.oid,
    ...(author && { agent: reference(author) }),
  };
  const command: Entity = {
    '@id': '#command',
    '@type': 'SoftwareApplication',
    name: run.command[0] ?? facts.name,
    description: run.command.join(' '),
    ...(facts.environment.python !== undefined && { softwareRequirements: `Python ${facts.environment.python}` }),
    ...(facts.code && { softwareVersion: facts.code.commit }),
  };
  return [action, command, ...entries.map(([name, value], at) => propertyEntity(`#parameter-${at + 1}`, name, value))];
}

function figureEntities({ metrics }: ExportFacts): Entity[] {
  return Object.entries(metrics).map(([name, { value, on }], at) => ({
    ...propertyEntity(`#metric-${at + 1}`, name, value),
    ...(on !== undefined && { description: `measured on ${on}` }),
  }));
}

function propertyEntity(id: string, name: string, value: unknown): Entity {
  return { '@id': id, '@type': 'PropertyValue', name, value: typeof value === 'number' ? value : valueText(value) };
}

function licenceReference({ licence }: ExportFacts): unknown {
  return licence === undefined ? 'not stated' : reference('#licence');
}

function licenceEntities({ licence }: ExportFacts): Entity[] {
  if (licence === undefined) return [];
  return [{ '@id': '#licence', '@type': 'CreativeWork', name: licence, description: `Licence: ${licence}` }];
}

function codeId({ code }: ExportFacts): string {
  return code?.repository ?? '#code';
}

function codeEntities(facts: ExportFacts): Entity[] {
  const { code } = facts;
  if (!code) return [];
  return [
    {
      '@id': codeId(facts),
      '@type': 'SoftwareSourceCode',
      name: 'code',
      version: code.commit,
      description: `Git commit ${code.commit}${code.dirty ? ', with changes' : ''}`,
      ...(code.repository !== undefined && { codeRepository: code.repository }),
    },
  ];
}

function agent(text: string, people: Map<string, Entity>): string {
  const { name, mail } = personOf(text);
  people.set('#author', { '@id': '#author', '@type': 'Person', name, ...(mail !== undefined && { email: mail }) });
  return '#author';
}

function reference(id: string): { '@id': string } {
  return { '@id': id };
}

/** A list of one is written as the one: RO-Crate's form of JSON-LD. */
function single<T>(list: readonly T[]): T | readonly T[] {
  return list.length === 1 ? (list[0] as T) : list;
}
