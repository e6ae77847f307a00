import { type ExportFacts, type ExportItem, namedInformation, personOf } from './facts.js';

/** A resource as in-toto describes it (github.com/in-toto/attestation, v1/resource_descriptor.md). */
export interface ResourceDescriptor {
  name?: string;
  uri?: string;
  digest: Record<string, string>;
  annotations?: Record<string, unknown>;
}

/** An in-toto Statement v1. */
export interface Statement {
  _type: 'https://in-toto.io/Statement/v1';
  subject: ResourceDescriptor[];
  predicateType: string;
  predicate: Record<string, unknown>;
}

/** Wraps a predicate: the subjects are the artifacts, by SHA-256; without any, the manifest. */
export function statementOf(
  facts: ExportFacts,
  { type, predicate }: { type: string; predicate: Record<string, unknown> },
): Statement {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: facts.artifacts.length > 0 ? facts.artifacts.map(describeItem) : [manifestSubject(facts)],
    predicateType: type,
    predicate,
  };
}

/** What consists of other models alone has no file of its own: its manifest stands for it. */
function manifestSubject({ reference, identity }: ExportFacts): ResourceDescriptor {
  return { name: reference, digest: { sha256: identity }, annotations: { content: 'manifest' } };
}

/**
 * The Statement with the predicate Link v0.3: the command, what it read (materials), what it had around it (environment)
 * and what it said beside its artifacts (byproducts: parameters, metrics, seeds).
 */
export function inTotoStatement(facts: ExportFacts): Statement {
  const { run, params, metrics, environment } = facts;
  const predicate = {
    name: run?.name ?? facts.name,
    command: [...(run?.command ?? [])],
    materials: materialsOf(facts),
    byproducts: {
      reference: facts.reference,
      ...(facts.version !== undefined && { version: facts.version, manifest: `sha256:${facts.identity}` }),
      params,
      metrics,
      ...(run && { run: run.oid, seeds: run.seeds, started: run.started, ended: run.ended }),
      ...(facts.stages.length > 0 && { stages: facts.stages }),
      ...(facts.author !== undefined && { author: personOf(facts.author).name }),
    },
    environment: { ...environment, ...(run && { host: run.host }) },
  };
  return statementOf(facts, { type: 'https://in-toto.io/attestation/link/v0.3', predicate });
}

/** Everything that went in: data, inputs of the run that are not among it, the commit of the code, other models. */
export function materialsOf(facts: ExportFacts): ResourceDescriptor[] {
  const { data, run, code, components } = facts;
  const named = new Set(data.map(({ path, oid }) => `${path}\0${oid}`));
  const others = (run?.inputs ?? []).filter(({ path, oid }) => !named.has(`${path}\0${oid}`));
  return [
    ...data.map(describeItem),
    ...others.map(describeItem),
    ...(code
      ? [
          {
            name: 'code',
            ...(code.repository !== undefined && { uri: `git+${code.repository}@${code.commit}` }),
            digest: { gitCommit: code.commit },
            ...((code.branch !== undefined || code.dirty) && {
              annotations: {
                ...(code.branch !== undefined && { branch: code.branch }),
                ...(code.dirty && { dirty: true }),
              },
            }),
          },
        ]
      : []),
    ...components.map(({ model, version, manifest }) => ({
      name: `${model}@${version}`,
      digest: { sha256: manifest.replace(/^sha256:/, '') },
      annotations: { content: 'manifest' },
    })),
  ];
}

/** A file or directory by its digests; a directory's are those of its listing, which is also what dirHash is of. */
function describeItem(item: ExportItem): ResourceDescriptor {
  const { path, oid, sha256, size, files, source } = item;
  const [algorithm = '', hex = ''] = oid.split(':');
  const digest = {
    ...(sha256 !== undefined && { sha256 }),
    ...(sha256 !== undefined && files !== undefined && { dirHash: sha256 }),
    ...(algorithm === 'git'
      ? { gitBlob: hex }
      : algorithm !== 'sha256' || files === undefined
        ? { [algorithm]: hex }
        : {}),
  };
  return {
    name: path,
    ...(sha256 !== undefined && { uri: namedInformation(sha256) }),
    digest,
    annotations: {
      oid,
      ...(size !== undefined && { size }),
      ...(files !== undefined && { files, content: 'listing' }),
      ...(source !== undefined && { source }),
    },
  };
}
