import { z } from 'zod';

const count = z.int().nonnegative();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Schemas of the verbs that exchange what mlv knows with other tools. */
export const interopSchemas = {
  export: z.strictObject({
    reference: z.string().describe('`model@version`, or a path'),
    format: z.enum(['in-toto', 'slsa', 'cyclonedx', 'spdx', 'mlflow', 'hf-card', 'ro-crate']),
    digest: digest.optional().describe('of the bytes that are written; not for mlflow'),
    document: z.unknown().optional().describe('without --output: the document, or the text of the card'),
    output: z.string().optional(),
    experiment: z.string().optional().describe('its id in MLflow'),
    run: z.string().optional().describe('its id in MLflow'),
  }),
  'import mlflow': z.strictObject({
    dryRun: z.boolean(),
    source: z.string().describe('the store: a URL without credentials, or the name of a directory or file'),
    versions: z
      .array(
        z.strictObject({
          name: z.string().describe('`model@version`'),
          id: z.string().describe('what MLflow calls it: `models:/<name>/<version>` or `runs:/<id>`'),
          files: count.optional(),
          bytes: count.optional(),
        }),
      )
      .describe('what was, or would be, imported'),
    present: z.array(z.strictObject({ name: z.string(), id: z.string() })).describe('imported before'),
    passedOver: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
    stages: z.array(
      z.strictObject({
        name: z.string(),
        stage: z.string().describe("MLflow's stage or alias, in lower case"),
        state: z.enum(['promoted', 'refused', 'unknown', 'wished']).describe('`wished` with --dry-run'),
        reason: z.string().optional(),
      }),
    ),
    proof: z.strictObject({ files: count, bytes: count }).nullable().describe('what was read again and compared'),
    commit: z.string().nullable().describe('the last commit that was made on the current branch'),
    pushed: z.boolean().describe('whether the Git remote has the registry'),
  }),
} as const;
