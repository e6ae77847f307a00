import { z } from 'zod';

// Of the verbs that free space on this machine; see json-schemas.ts.

const path = z.string().describe('relative to the top of the working tree, `/`-separated');
const bytes = z.int().nonnegative();
const count = z.int().nonnegative();
const oid = z.string().regex(/^(blake3|sha256):[0-9a-f]{64}$/);

/** By the words of the verb. */
export const spaceSchemas = {
  drop: z.strictObject({
    dryRun: z.boolean(),
    targets: z.array(
      z.strictObject({
        path,
        oid,
        size: bytes,
        remote: z.string().describe('that was proved to have all of it'),
        workspace: z.boolean().describe('false: it was not in the workspace before'),
      }),
    ),
    cache: z.strictObject({ objects: count, bytes }).describe('what left the cache'),
  }),
};
