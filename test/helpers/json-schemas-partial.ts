import { z } from 'zod';

const part = {
  directory: z.string().describe('the tracked directory, relative to the top'),
  paths: z.array(z.string()).describe('wanted here, below the directory'),
  patterns: z.array(z.string()),
  without: z.array(z.string()).describe('not wanted here'),
};

/** By the words of the verb. */
export const partialSchemas = {
  'sparse set': z.strictObject({
    directories: z.array(
      z.strictObject({
        ...part,
        removed: z.strictObject({ files: z.int().min(0), bytes: z.int().min(0) }).describe('what left the workspace'),
        kept: z.array(z.string()).describe('what stayed because it would be lost'),
      }),
    ),
  }),
  'sparse list': z.strictObject({ directories: z.array(z.strictObject(part)) }),
};
