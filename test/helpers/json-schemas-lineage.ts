import { z } from 'zod';

const starts = z.array(z.string()).describe('ids of what was asked about');
const gaps = z.array(z.string()).describe('what could not be looked at, so that the answer may lack something');
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
      ]),
    ),
    edges: z.array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        as: z.enum(['input', 'output', 'artifact', 'data', 'component', 'part']),
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
  }),
  why: z.strictObject({
    starts,
    runs: z.array(z.looseObject({ oid: z.string().describe('of the record') })).describe('as docs/formats/run.md says'),
    gaps,
  }),
};
