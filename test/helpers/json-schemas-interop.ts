import { z } from 'zod';

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
} as const;
