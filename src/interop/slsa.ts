import type { ExportFacts } from './facts.js';
import { materialsOf, type Statement, statementOf } from './in-toto.js';

/** What the fields of the predicate mean here: docs/export.md. */
const BUILD_TYPE = 'urn:mlv:build:run:v1';
const REGISTERED_TYPE = 'urn:mlv:build:registered:v1';
/** Whoever ran the command on a machine of their own: SLSA build level 0 or 1, and never more. */
const BUILDER = 'urn:mlv:builder:local';

/**
 * The in-toto Statement with SLSA Provenance v1 (slsa.dev/spec/v1.0/provenance). Without the record of a run, the build is
 * the registration: what was made is known, the command is not.
 */
export function slsaProvenance(facts: ExportFacts): Statement {
  const { run, environment } = facts;
  const predicate = {
    buildDefinition: {
      buildType: run ? BUILD_TYPE : REGISTERED_TYPE,
      externalParameters: {
        reference: facts.reference,
        ...(run && { command: run.command }),
        params: facts.params,
      },
      internalParameters: { environment, ...(run && { seeds: run.seeds, host: run.host }) },
      resolvedDependencies: materialsOf(facts),
    },
    runDetails: {
      builder: { id: BUILDER },
      metadata: {
        invocationId: run?.oid ?? `sha256:${facts.identity}`,
        ...(run && { startedOn: run.started }),
        finishedOn: run?.ended ?? facts.created,
      },
      byproducts: [
        { name: 'metrics', annotations: facts.metrics },
        ...(run ? [{ name: 'record of the run', digest: digestOf(run.oid) }] : []),
        ...(facts.version !== undefined ? [{ name: 'manifest', digest: { sha256: facts.identity } }] : []),
      ].filter((each) => 'digest' in each || Object.keys(facts.metrics).length > 0),
    },
  };
  return statementOf(facts, { type: 'https://slsa.dev/provenance/v1', predicate });
}

function digestOf(oid: string): Record<string, string> {
  const [algorithm = '', hex = ''] = oid.split(':');
  return { [algorithm]: hex };
}
