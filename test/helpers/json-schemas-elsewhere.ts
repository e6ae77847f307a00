import { z } from 'zod';

const bytes = z.int().nonnegative();
const count = z.int().nonnegative();

const source = z.strictObject({
  url: z.string().describe('without credentials; a path relative to the top of the working tree, or absolute'),
  path: z.string().optional().describe('in a Git repository'),
  rev: z.string().optional().describe('branch or tag that is followed'),
  commit: z.string().optional().describe('of a Git repository'),
  etag: z.string().optional(),
  version: z.string().optional().describe('of the object in its bucket'),
  size: bytes.optional(),
  modified: z.string().optional(),
  remote: z.string().optional().describe('whose settings are used'),
  oid: z.string().describe('what was brought'),
});
const imported = z.strictObject({
  path: z.string(),
  pointer: z.string(),
  oid: z.string(),
  size: bytes,
  files: count.optional().describe('for a directory'),
  source,
  written: z.array(z.string()).describe('files that a commit should hold'),
  staged: z.boolean(),
});

/** Schemas of the verbs that take data from elsewhere, made of what other verbs have, too. */
export function elsewhereSchemas<T extends z.ZodType, P extends z.ZodType>(parts: { transferred: T; problems: P }) {
  const { transferred, problems } = parts;
  return {
    get: z.strictObject({
      url: z.string().describe('of the repository, without credentials'),
      commit: z.string(),
      version: z.string().nullable().describe('`model@version`, where one was asked for'),
      path: z.string().nullable().describe('in the repository; null for a version'),
      output: z.string().describe('where it is now'),
      written: count.describe('files that are there now and were not, or had other content'),
      bytes: bytes.describe('of these'),
      unchanged: count.describe('files that were there with this content'),
      leftOut: z.array(z.string()).describe('links that lead elsewhere, submodules'),
      gitBytes: bytes.describe('packs that Git received'),
      remotes: z.array(transferred),
      problems,
    }),
    import: imported,
    'import-url': imported,
    update: z.strictObject({
      dryRun: z.boolean().describe('true with --check, too'),
      targets: z.array(
        z.strictObject({
          path: z.string(),
          state: z
            .enum(['unchanged', 'changed', 'updated'])
            .describe('`changed`: the source has something new, and nothing was done'),
          before: source,
          after: source.partial({ oid: true }).describe('without `oid` where only the content would tell'),
          changes: z
            .strictObject({ added: count, modified: count, deleted: count })
            .optional()
            .describe('files of a directory'),
          files: z.array(z.string()).describe('that a commit should hold'),
        }),
      ),
      notAsked: z.array(z.string()).describe('imports from this machine that were not named'),
      problems: z.array(z.unknown()).describe('errors: pointers that cannot be read, sources that cannot be asked'),
    }),
  };
}
