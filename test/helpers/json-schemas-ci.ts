import { z } from 'zod';
import { schemaDifference } from './json-schemas-data.js';

const count = z.int().nonnegative();
const commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
const side = z.strictObject({ revision: z.string().describe('as it was asked for'), commit });
const both = z.strictObject({ before: count, after: count });
const figure = { source: z.string().describe('the file or run that says so'), name: z.string() };

/** Schemas of the verbs for jobs that check what was pushed; `shared` are those of changed files. */
export function ciSchemas<Change extends z.ZodType, Totals extends z.ZodType>(shared: {
  change: Change;
  totals: Totals;
}) {
  return {
    'ci init': z.strictObject({
      host: z.enum(['github', 'gitlab']),
      dryRun: z.boolean(),
      files: z.array(
        z.strictObject({
          path: z.string(),
          text: z.string(),
          state: z.enum(['written', 'replaced', 'unchanged']).describe('with --dry-run, what it would be'),
        }),
      ),
    }),
    report: z.strictObject({
      base: side.extend({ commit: commit.describe('what both have in common last') }),
      head: side,
      data: z.array(
        z.strictObject({
          path: z.string(),
          change: z.enum(['added', 'removed', 'changed']),
          bytes: both,
          files: both.optional().describe('of directories'),
          changes: z.array(shared.change).optional().describe('absent where a listing is not to be had'),
        }),
      ),
      totals: shared.totals.optional(),
      params: z.array(z.strictObject({ ...figure, before: z.unknown().optional(), after: z.unknown().optional() })),
      metrics: z.array(
        z.strictObject({
          ...figure,
          before: z.number().optional(),
          after: z.number().optional(),
          better: z.enum(['higher', 'lower']),
          verdict: z.enum(['better', 'worse']).optional().describe('absent where it is new or gone'),
        }),
      ),
      unchanged: z.strictObject({ params: count, metrics: count }),
      schemas: z.array(schemaDifference).describe('with --schema: tables in which something is other'),
      versions: z
        .array(z.strictObject({ name: z.string(), commit, stages: z.array(z.string()), deprecated: z.boolean() }))
        .describe('registered on the commits between'),
      notes: z.array(z.string()).describe('what could not be looked at'),
      markdown: z.string().describe('the report as it is printed without --json'),
    }),
  };
}
