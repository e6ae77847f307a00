import { z } from 'zod';
import { annotation } from './json-schemas-data.js';

const starts = z.array(z.string()).describe('ids of what was asked about');
const gaps = z.array(z.string()).describe('what could not be looked at, so that the answer may lack something');
const imported = z.strictObject({
  kind: z.literal('import'),
  id: z.string(),
  url: z.string().describe('without credentials'),
  path: z.string().optional().describe('in a Git repository'),
  commit: z.string().optional(),
  etag: z.string().optional(),
  version: z.string().optional().describe('of the object in its bucket'),
});
const stages = z.array(z.string()).describe('where it stands today');

/** Schemas of the verbs that answer how things came to be. */
export const lineageSchemas = {
  lineage: z.strictObject({
    starts,
    nodes: z.array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('content'),
          id: z.string().describe('oid, or `git:<blob>` for a file of Git'),
          paths: z.array(z.string()),
          annotation: annotation.optional().describe('where it came from, as its pointer says today'),
        }),
        z.strictObject({
          kind: z.literal('run'),
          id: z.string().describe('oid of its record'),
          name: z.string().optional(),
          command: z.string(),
          ended: z.string(),
          commit: z.string().optional(),
          dirty: z.boolean(),
        }),
        z.strictObject({
          kind: z.literal('version'),
          id: z.string().describe('`model@version`'),
          stages,
          deprecated: z.boolean(),
        }),
        imported,
      ]),
    ),
    edges: z.array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        as: z.enum(['input', 'output', 'artifact', 'data', 'component', 'part', 'import']),
      }),
    ),
    gaps,
  }),
  impact: z.strictObject({
    starts,
    versions: z.array(z.strictObject({ version: z.string(), stages, deprecated: z.boolean() })),
    gaps,
  }),
  restore: z.strictObject({
    version: z.string(),
    directory: z.string(),
    commit: z.string(),
    difference: z.boolean().describe('whether it had more than its commit, which was put back'),
    about: z.string().describe('directory in it with manifest, environment and packages'),
    environment: z
      .strictObject({
        directory: z.string().describe('the virtual environment'),
        tool: z.enum(['uv', 'pip']),
        python: z.strictObject({ before: z.string(), after: z.string() }),
        installed: z.int().describe('packages that are there as recorded'),
        missing: z.array(z.string()).describe('`name==version`'),
        other: z.array(z.strictObject({ name: z.string(), before: z.string(), after: z.string() })),
        refused: z.array(z.string()).describe('entries of the record that are no packages of an index'),
        same: z.boolean().describe('whether Python and all packages are those that were recorded'),
        from: z.string().describe('where names and versions come from'),
        described: z.array(z.string()).describe('what is described only, and not made'),
      })
      .optional()
      .describe('with --env'),
  }),
  reproduce: z.strictObject({
    version: z.string(),
    verdict: z.enum(['bit-identical', 'equivalent', 'different']),
    runs: z
      .array(z.strictObject({ oid: z.string(), name: z.string().optional(), command: z.string() }))
      .describe('what was run again, in order'),
    outputs: z.array(
      z.strictObject({
        path: z.string(),
        before: z.string().describe('oid'),
        after: z.string().describe('oid'),
        same: z.boolean(),
        artifact: z.boolean().describe('whether it belongs to the version, and decides the verdict'),
      }),
    ),
    metrics: z.array(
      z.strictObject({
        name: z.string(),
        before: z.number(),
        after: z.number().nullable().describe('null where it is missing'),
        tolerance: z.string().describe('`1%`, `0.01` or `any`'),
        within: z.boolean(),
      }),
    ),
    environment: z
      .array(z.strictObject({ name: z.string(), before: z.string().nullable(), after: z.string().nullable() }))
      .describe('what is other than recorded'),
    directory: z.string().nullable().describe('where it was kept'),
    notes: z.array(z.string()),
    recorded: z.boolean().describe('whether it became an event of the version'),
    commit: z.string().nullable().describe('of the registry'),
    pushed: z.boolean(),
  }),
  why: z.strictObject({
    starts,
    runs: z.array(z.looseObject({ oid: z.string().describe('of the record') })).describe('as docs/formats/run.md says'),
    imports: z.array(imported).describe('where it was brought from'),
    annotations: z.record(z.string(), annotation).describe('where it came from, as its pointer says, by path'),
    gaps,
  }),
};
