import { z } from 'zod';
import { errorSchema } from './json-schemas-error.js';

const count = z.int().nonnegative();

const migrated = z.strictObject({
  dryRun: z.boolean(),
  pointers: z
    .array(
      z.strictObject({
        path: z.string(),
        pointer: z.string(),
        from: z.string().describe('file of the other tool that it takes the place of'),
        oid: z.string().optional().describe('absent with `--dry-run`'),
        size: count.describe('with `--dry-run`, what the other tool says'),
        files: count.optional().describe('of a directory'),
      }),
    )
    .describe('of HEAD'),
  contents: z
    .strictObject({
      files: count.describe('different contents that were wanted'),
      here: count.describe("found in the workspace or the other tool's cache"),
      remote: count,
      missing: count,
    })
    .describe('where contents came from'),
  remote: z.string().optional().describe('remote, or address of the server, that was asked'),
  kept: z
    .array(
      z.strictObject({
        path: z.string(),
        commit: z.string().optional().describe('with `--history`: the first commit that has it'),
        error: errorSchema,
      }),
    )
    .describe('files that stay as they are, with the reason'),
  left: z.array(z.string()).describe('what has no place in mlv'),
  proof: z
    .strictObject({
      files: count.describe('files of pointers that were compared'),
      objects: count.describe('objects that were read'),
      bytes: count.describe('bytes of these'),
    })
    .optional()
    .describe('absent where nothing was written'),
  commit: z.string().optional().describe('the new commit of HEAD, without `--history`'),
  staged: z.boolean().describe('whether the change was left in the index (`--no-commit`)'),
  filled: count.describe('files of the workspace that stood for their content, and now have it'),
  refusals: z
    .array(errorSchema)
    .optional()
    .describe('with `--dry-run`: what else would be refused, such as files that are not as the last commit has them'),
  history: z
    .strictObject({
      commits: count,
      changed: count.describe('commits that are others now'),
      map: z.string().describe('file with a line for each commit: the old and the new name; empty with `--dry-run`'),
      refs: z.array(z.strictObject({ name: z.string(), from: z.string(), to: z.string() })),
    })
    .optional()
    .describe('with `--history`'),
});

/** Schemas of the verbs that take a repository over from other tools. */
export const migrationSchemas = { 'migrate dvc': migrated, 'migrate lfs': migrated };
