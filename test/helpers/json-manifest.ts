import { z } from 'zod';

// The manifest of a version as `--json` documents hold it: what docs/formats/manifest.md says, in JSON.

const oid = z.string().regex(/^(blake3|sha256):[0-9a-f]{64}$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const texts = z.array(z.string());
const textMap = z.record(z.string(), z.string());

const item = z.strictObject({
  path: z.string(),
  oid,
  sha256: digest,
  size: z.int().nonnegative(),
  files: z.int().nonnegative().optional(),
  executable: z.literal(true).optional(),
  source: z.string().optional(),
});

/** What a probe found out of machine and software. */
const environmentSchema = z.strictObject({
  os: z.string().optional(),
  kernel: z.string().optional(),
  cpu: z.string().optional(),
  cores: z.int().optional(),
  memory: z.int().optional().describe('bytes'),
  gpus: texts.optional(),
  driver: z.string().optional(),
  cuda: z.string().optional(),
  container: z.string().optional(),
  python: z.string().optional(),
  packages: texts.optional(),
  node: z.string().optional(),
  r: z.string().optional(),
  locks: textMap.optional(),
  variables: textMap.optional(),
  absent: texts.optional(),
});

/** The manifest of a version. */
export const manifestSchema = z
  .strictObject({
    mlv: z.literal(1),
    model: z.string(),
    version: z.string(),
    artifacts: z.array(item),
    data: z.array(item),
    params: z.record(z.string(), z.unknown()).describe('text, number, boolean, null, or a list, by dotted name'),
    metrics: z.record(
      z.string(),
      z.strictObject({
        value: z.number(),
        on: z.string().optional(),
        on_oid: oid.optional(),
        better: z.enum(['higher', 'lower']).optional(),
      }),
    ),
    environment: environmentSchema.optional(),
    commit: z.string(),
    branch: z.string().optional(),
    difference: oid.optional(),
    author: z.string(),
    created: z.string(),
    run: oid.optional(),
    parent: z.string().optional(),
    components: z.array(z.strictObject({ model: z.string(), version: z.string(), manifest: digest })).optional(),
    licence: z.string().optional(),
    description: z.string().optional(),
    owners: texts.optional(),
    retain_until: z.string().optional(),
    origin: z
      .strictObject({
        tool: z.string(),
        id: z.string(),
        source: z.string(),
        created: z.string().optional(),
        facts: textMap,
        tags: textMap,
      })
      .optional(),
    bump: z.strictObject({ part: z.string(), reasons: texts }).optional(),
  })
  .describe('see docs/formats/manifest.md');
