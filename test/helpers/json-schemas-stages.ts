import { z } from 'zod';

// The `--json` documents of the verbs that move versions, judge them and check the registry; see json-schemas.ts.

const gate = z.strictObject({
  gate: z
    .string()
    .describe('`role`, `signature`, `transition`, `freeze`, `metrics`, `evaluation`, `approvals`, `check`'),
  rule: z.string(),
  passed: z.boolean(),
  found: z.string().describe('the figure, for people'),
});
const event = z.looseObject({
  type: z.string(),
  model: z.string(),
  version: z.string(),
  by: z.string(),
  at: z.string(),
});
const proposed = z.strictObject({
  dryRun: z.boolean(),
  name: z.string().nullable().describe('`model@version`; null where it was refused'),
  event: event.nullable().describe('see docs/formats/event.md; null where there was nothing to do, or it was refused'),
  gates: z.array(gate).describe('of a promotion: all, passed ones included'),
  refusals: z
    .array(z.strictObject({ code: z.string(), sentence: z.string(), event: z.int().optional() }))
    .describe('why it was, or would be, refused; codes as in docs/registry.md'),
  commit: z.string().nullable(),
  pushed: z.boolean(),
});
const finding = z.strictObject({
  code: z.string().describe('see docs/registry.md'),
  gravity: z.enum(['fault', 'note']),
  sentence: z.string(),
  commit: z.string().optional(),
  file: z.string().optional().describe("path on the registry's branch, or name of a ref"),
  model: z.string().optional(),
  version: z.string().optional(),
});

export const registryStageSchemas = {
  promote: proposed,
  demote: proposed,
  archive: proposed,
  rollback: proposed,
  approve: proposed,
  reject: proposed,
  evaluate: proposed,
  deprecate: proposed,
  'deploy-note': proposed,
  guard: z.strictObject({
    name: z.string(),
    verdict: z.enum(['healthy', 'version-fault', 'data-fault', 'unclear']),
    because: z.string(),
    signals: z.array(gate).describe('every comparison; `gate` is `registered` or `other-version`'),
    commit: z.string().nullable(),
    pushed: z.boolean(),
    rollback: proposed.nullable().describe('what --rollback came to'),
  }),
  audit: z.strictObject({
    passed: z.boolean(),
    tip: z.string().nullable(),
    root: z.string().nullable().describe('the first commit of the chain'),
    from: z.string().optional(),
    to: z.string().optional(),
    commits: z.int(),
    signed: z.int().describe('commits that are signed by a key in force'),
    events: z.int(),
    versions: z.int(),
    standing: z.array(
      z.strictObject({
        model: z.string(),
        version: z.string(),
        stage: z.string(),
        traffic: z.number(),
        since: z.string(),
        by: z.string(),
        approvedBy: z.array(z.string()),
        manifest: z.string(),
        data: z.array(z.string()),
      }),
    ),
    policies: z.array(z.strictObject({ commit: z.string(), by: z.string(), at: z.string(), signed: z.boolean() })),
    findings: z.array(finding),
  }),
} as const;
