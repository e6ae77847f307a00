import { z } from 'zod';

// Of the verbs that free space on this machine; see json-schemas.ts.

const path = z.string().describe('relative to the top of the working tree, `/`-separated');
const bytes = z.int().nonnegative();
const count = z.int().nonnegative();
const oid = z.string().regex(/^(blake3|sha256):[0-9a-f]{64}$/);

const counted = { objects: count, bytes };
const commit = z.string().nullable().describe('a commit that has it; null: no commit has');

/** What retention rules make of the versions of models. */
export const retention = z
  .strictObject({
    kept: z.array(z.strictObject({ model: z.string(), version: z.string(), reasons: z.array(z.string()) })),
    released: z.array(z.string()).describe('`model@version`: no rule keeps it'),
  })
  .nullable()
  .describe('null: every version of every model is kept');

/** The document of `mlv gc` without `--remote`. */
export const localCollection = z.strictObject({
  dryRun: z.boolean().describe('true without --yes'),
  directory: z.string(),
  scope: z
    .strictObject({ branches: z.boolean(), tags: z.boolean(), last: count, since: z.iso.datetime().nullable() })
    .nullable()
    .describe('null: all that Git leads to is kept'),
  held: z.strictObject(counted).describe('what the cache held before'),
  kept: z
    .array(
      z.strictObject({
        reason: z.enum([
          'working trees',
          'stash',
          'commits',
          'history',
          'registry',
          'links',
          'other repositories',
          'unproven',
        ]),
        ...counted,
      }),
    )
    .describe('each object for the first reason that keeps it'),
  removed: z.strictObject({
    ...counted,
    versions: z.array(z.strictObject({ path: z.string(), commit, oid, remote: z.string(), ...counted })),
    unnamed: z
      .strictObject({ proven: z.strictObject(counted), lost: z.strictObject(counted) })
      .describe('what nothing names: on a remote all the same, or, with --unnamed, on none'),
  }),
  unproven: z.array(z.strictObject({ path: z.string(), commit, oid })).describe('kept, because no remote has it'),
  unnamed: z.strictObject(counted).describe('kept, though nothing names it'),
  retention,
  errors: z
    .array(
      z.strictObject({
        code: z.string(),
        message: z.string(),
        hint: z.string().optional(),
        data: z.record(z.string(), z.unknown()),
      }),
    )
    .describe('why remotes could not be asked'),
});

const level = z.enum(['default', 'system', 'user', 'project', 'local', 'environment', 'flags']);
const linkMode = z.enum(['reflink', 'copy', 'hardlink', 'symlink']);
const counting = z.strictObject({ files: count, bytes });

/** By the words of the verb. */
export const spaceSchemas = {
  'cache info': z.strictObject({
    directory: z.string(),
    level: level.describe('where `cache.dir` is set'),
    own: z.boolean().describe("true: in the repository's own Git directory"),
    group: z.boolean().describe('true: a group may write to it'),
    algorithms: z.array(z.strictObject({ algorithm: z.enum(['blake3', 'sha256']), ...counted })),
    temporary: counting,
    stale: counting.describe('of these, what killed processes left'),
    corrupt: counting.describe('damaged objects that were set aside'),
    repositories: z
      .array(z.strictObject({ worktree: z.string(), commonDir: z.string() }))
      .describe('others that use it'),
    links: z.strictObject({
      supported: z.array(linkMode).nullable().describe('null: nothing can be written here'),
      configured: z.array(linkMode),
      used: linkMode.nullable(),
    }),
  }),
  'cache dir': z.strictObject({ directory: z.string(), level }),
  'cache migrate': z.strictObject({
    from: z.string(),
    to: z.string(),
    linked: count,
    copied: count,
    present: count.describe('objects that were there already'),
    bytes: bytes.describe('of the copies'),
    relinked: count.describe('links of working trees'),
    removed: z.boolean().describe('false: other repositories use the former cache, which stays'),
  }),
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
