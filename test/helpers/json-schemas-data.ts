import { z } from 'zod';

const count = z.int().nonnegative();
const kind = z.enum(['int', 'float', 'bool', 'date', 'timestamp', 'string', 'list', 'object', 'binary']);
const numberOrText = z.union([z.number(), z.string()]);
const category = z.strictObject({ value: z.string(), count });
const column = z.strictObject({
  name: z.string(),
  type: z.enum([...kind.options, 'mixed', 'empty']),
  kinds: z.partialRecord(kind, count).optional().describe('how many values of each kind, for `mixed`'),
  nulls: count.optional().describe('rows without a value; absent where it is not known'),
  min: numberOrText.optional().describe('of numbers; of dates as they are written'),
  max: numberOrText.optional(),
  mean: z.number().optional(),
  length: z
    .strictObject({ min: count, max: count, mean: z.number() })
    .optional()
    .describe('of texts in UTF-16 units, of lists in items, of binary values in bytes'),
  categories: z
    .union([
      z.strictObject({ values: z.array(category).describe('most frequent first') }),
      z.strictObject({ moreThan: count.describe('there are more distinct values than were counted') }),
    ])
    .optional(),
});

const annotatedColumn = z.strictObject({ name: z.string(), type: z.string() });
/** What a pointer says of where its data came from. */
export const annotation = z.strictObject({
  urls: z.array(z.string()).optional(),
  from: z.string().optional().describe('ISO 8601: a year, month, day or timestamp'),
  to: z.string().optional(),
  filters: z.array(z.string()).optional(),
  licence: z.string().optional().describe('SPDX expression'),
  procedure: z.string().optional(),
  schema: z
    .strictObject({ oid: z.string(), digest: z.string(), rows: count, columns: z.array(annotatedColumn).optional() })
    .optional()
    .describe('of the content with that oid'),
  facts: z.record(z.string(), z.string()).optional(),
});

/** What `mlv diff --schema` adds to its document. */
export const schemaDifference = z.strictObject({
  path: z.string(),
  drift: z.boolean().describe('whether any finding is drift'),
  rows: z.strictObject({ before: count, after: count }),
  findings: z.array(
    z.strictObject({
      what: z.enum(['rows', 'malformed', 'added', 'removed', 'type', 'range', 'nulls', 'values', 'shares']),
      column: z.string().optional(),
      drift: z.boolean().describe('false for what is only worth knowing'),
      before: z
        .unknown()
        .optional()
        .describe('count, type, `[min, max]`, share or values, as docs/data-sources.md says'),
      after: z.unknown().optional(),
    }),
  ),
});

/** Schemas of the verbs that tell what is in data. */
export const dataSchemas = {
  annotate: z.strictObject({
    path: z.string(),
    oid: z.string(),
    annotation: annotation.describe('as it stands now'),
    files: z.array(z.string()).describe('pointers that changed'),
    staged: z.boolean(),
  }),
  schema: z.strictObject({
    path: z.string(),
    format: z.enum(['csv', 'tsv', 'jsonl', 'parquet']),
    rows: count.describe('that were looked at'),
    complete: z.boolean().describe('false where --sample left rows out'),
    columns: z.array(column),
    malformed: z
      .strictObject({ count, first: z.array(z.strictObject({ line: count, reason: z.string() })) })
      .describe('rows that could not be read, and are in nothing else'),
    notes: z.array(z.string()).describe('what could not be found out'),
  }),
};
