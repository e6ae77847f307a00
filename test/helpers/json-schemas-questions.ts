import { z } from 'zod';
import { annotation } from './json-schemas-data.js';

// What the verbs that ask the registry print with --json; see json-schemas.ts.

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const oid = z.string().regex(/^(blake3|sha256):[0-9a-f]{64}$/);
const commit = z.string().regex(/^[0-9a-f]{40,64}$/);
const bytes = z.int().nonnegative();
const count = z.int().nonnegative();
const time = z.string().describe('RFC 3339');
const person = z.string().describe('`Name <mail>`');
const version = z.string().describe('such as `1.4.0`');
const traffic = z.number().describe('percent of the callers');
const figures = z.record(z.string(), z.number());
const better = z.enum(['higher', 'lower']);
const paramValue = z.unknown();
const params = z.record(z.string(), paramValue).describe('by dotted name');

const share = z.strictObject({ stage: z.string(), traffic });
const item = z.strictObject({
  path: z.string(),
  oid,
  sha256: digest,
  size: bytes,
  files: count.optional(),
  executable: z.boolean().optional(),
  source: z.string().optional(),
});
const component = z.strictObject({ model: z.string(), version, manifest: digest });
const metric = z.strictObject({
  value: z.number(),
  on: z.string().optional(),
  on_oid: oid.optional(),
  better: better.optional(),
});
const manifest = z
  .looseObject({
    mlv: z.literal(1),
    model: z.string(),
    version,
    artifacts: z.array(item),
    data: z.array(item),
    params,
    metrics: z.record(z.string(), metric),
    commit,
    author: person,
    created: time,
  })
  .describe('docs/formats/manifest.md has every key');
const modelSummary = z.strictObject({
  model: z.string(),
  versions: count,
  latest: version.optional(),
  stages: z.array(
    z.strictObject({
      stage: z.string(),
      versions: z.array(z.strictObject({ version, traffic, since: time })),
    }),
  ),
  description: z.string().optional(),
  owners: z.array(z.string()).optional(),
});
const versionSummary = z.strictObject({
  model: z.string(),
  version,
  manifest: digest,
  commit,
  author: person,
  created: time,
  stages: z.array(share),
  metrics: figures,
  params,
  deprecated: z.boolean(),
});
const event = z
  .looseObject({
    seq: z.int().positive().describe('its place in the life of the model'),
    id: z.string(),
    what: z.string().describe('what happened, for people'),
    type: z.string(),
    model: z.string(),
    version,
    manifest: digest,
    by: person,
    at: time,
    reason: z.string().optional(),
    ticket: z.string().optional(),
  })
  .describe('docs/formats/registry.md has every key of each type');
const row = z.strictObject({ name: z.string(), values: z.array(z.unknown()), same: z.boolean() });
const itemRow = z.strictObject({
  path: z.string(),
  values: z.array(z.strictObject({ oid, size: bytes, files: count.optional() }).nullable()),
  changes: z
    .array(
      z
        .strictObject({
          kind: z.enum(['same', 'added', 'removed', 'changed']),
          files: z
            .strictObject({
              added: count,
              modified: count,
              deleted: count,
              renamed: count,
              bytesAdded: bytes,
              bytesDeleted: bytes,
            })
            .optional(),
          unlisted: z.boolean().optional().describe('true where a listing is not in the cache'),
        })
        .nullable(),
    )
    .describe('against the first version'),
  same: z.boolean(),
});

export const registryQuestionSchemas = {
  resolve: z.strictObject({
    reference: z.string(),
    name: z.string().describe('`model@version`'),
    model: z.string(),
    version,
    manifest: digest,
    commit,
    created: time,
    author: person,
    stages: z.array(share),
    since: time.optional().describe('for a reference to a stage'),
    by: person.optional(),
    traffic: traffic.optional(),
    deprecated: z.boolean(),
    artifacts: z.array(item),
    data: z.array(item),
    params,
    metrics: figures,
    components: z.array(component),
    registry: commit.describe('of the branch mlv-registry'),
  }),
  list: z.strictObject({
    models: z.array(modelSummary).optional().describe('without an operand'),
    versions: z.array(versionSummary).optional().describe('with a model'),
  }),
  at: z.strictObject({
    at: time,
    registry: commit,
    models: z.array(modelSummary).optional(),
    versions: z.array(versionSummary).optional(),
  }),
  select: z.strictObject({
    condition: z.string(),
    asked: count.describe('versions that were looked at'),
    missing: z.record(z.string(), count).describe('how many of them lack a name'),
    versions: z.array(versionSummary),
  }),
  best: z.strictObject({
    metric: z.string(),
    better,
    versions: z.array(versionSummary.extend({ value: z.number() })),
    without: z.array(z.string()).describe('versions without that figure'),
  }),
  history: z.strictObject({ model: z.string(), stage: z.string().optional(), events: z.array(event) }),
  show: z.strictObject({
    reference: z.string(),
    name: z.string().describe('`model@version`'),
    digest: digest.describe('of the manifest'),
    manifest,
    stages: z.array(share.extend({ since: time, by: person })),
    evaluations: z.record(z.string(), z.record(z.string(), metric)).describe('by data set'),
    approvals: z.array(
      z.strictObject({
        stage: z.string(),
        by: person,
        approved: z.boolean(),
        seq: z.int(),
        reason: z.string().optional(),
        ticket: z.string().optional(),
      }),
    ),
    deprecated: z
      .strictObject({
        by: person,
        at: time,
        reason: z.string().optional(),
        successor: z.string().describe('`model@version`').optional(),
      })
      .optional(),
    reproduced: z
      .strictObject({ verdict: z.string(), by: person, at: time, found: z.array(z.string()).optional() })
      .describe('what came of the last reproduction')
      .optional(),
    components: z
      .array(z.looseObject({ ...component.shape, stages: z.array(z.string()), metrics: figures }))
      .describe('each with `components` of its own, and `problem` where it is not in the registry'),
    annotations: z.record(z.string(), annotation).describe('where its data came from, as its commit says, by path'),
    events: z.array(event),
  }),
  compare: z.strictObject({
    versions: z.array(z.string()).describe('`model@version`; the others are compared with the first'),
    params: z.array(row),
    metrics: z.array(
      row.extend({
        values: z.array(z.number().nullable()),
        on: z.string().optional().describe('the data set of a later evaluation'),
        better,
        marks: z.array(z.enum(['better', 'worse', 'same']).nullable()),
      }),
    ),
    artifacts: z.array(itemRow),
    data: z.array(itemRow),
    environment: z.array(row),
    components: z.array(row),
    code: z.array(
      z.strictObject({
        commit,
        branch: z.string().optional(),
        range: z.string().optional().describe('from the first version, for git log and git diff'),
        unsaved: z.boolean().describe('made with more than the commit has'),
      }),
    ),
  }),
  card: z.strictObject({ name: z.string(), card: z.string().optional(), output: z.string().optional() }),
} as const;
