import { z } from 'zod';
import { HOOK_NAMES } from '../../src/git/hook-script.js';
import { manifestSchema } from './json-manifest.js';
import { ciSchemas } from './json-schemas-ci.js';
import { annotation, dataSchemas, schemaDifference } from './json-schemas-data.js';
import { elsewhereSchemas } from './json-schemas-elsewhere.js';
import { errorSchema } from './json-schemas-error.js';
import { interopSchemas } from './json-schemas-interop.js';
import { lineageSchemas } from './json-schemas-lineage.js';
import { migrationSchemas } from './json-schemas-migration.js';
import { partialSchemas } from './json-schemas-partial.js';
import { registryQuestionSchemas } from './json-schemas-questions.js';
import { localCollection, retention, spaceSchemas } from './json-schemas-space.js';
import { registryStageSchemas } from './json-schemas-stages.js';

// One schema for the `--json` document of every verb. docs/json.md is made from them (test/unit/cli-documents.test.ts),
// and the end-to-end tests check what the program really prints against them.

const path = z.string().describe('relative to the top of the working tree, `/`-separated');
const bytes = z.int().nonnegative();
const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
const oid = z
  .string()
  .regex(/^(blake3|sha256):[0-9a-f]{64}$/)
  .describe('`<algorithm>:<64 hex digits>`');
const entryKind = z.enum(['file', 'executable', 'link', 'tree']);

const commitOrNull = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
  .nullable();
const problems = z.array(errorSchema).describe('pointers that could not be read');
const totals = z.strictObject({
  added: count,
  modified: count,
  deleted: count,
  renamed: count,
  bytesAdded: bytes,
  bytesDeleted: bytes,
});
const change = z.strictObject({
  kind: z.enum(['added', 'modified', 'deleted', 'renamed', 'mode', 'type']),
  path,
  from: z.string().optional().describe('where the content was before, for `renamed`'),
  before: entryKind.optional(),
  after: entryKind.optional(),
  bytesBefore: bytes,
  bytesAfter: bytes,
});
const state = z.strictObject({
  kind: z.enum(['empty', 'workspace', 'pointers', 'index', 'revision']),
  revision: z.string().optional(),
});
const entry = z.strictObject({
  path,
  kind: entryKind,
  size: bytes.describe('of everything below for a directory'),
  files: count.optional().describe('files and links below, for a directory'),
  oid: oid.optional(),
  link: z.string().optional().describe('target of a symbolic link'),
});
const checkoutFields = {
  written: count.describe('files and links written'),
  bytes,
  removed: count,
  refused: z.array(z.strictObject({ path, reason: z.enum(['modified', 'untracked']) })).describe('kept: in no object'),
  failed: z.array(z.strictObject({ path, oid, error: errorSchema })),
};
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .describe('`sha256:<64 hex digits>`');
const commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
const reference = z.string().describe('`<model>@<version>`');
const restoredVersion = z
  .strictObject({
    reference,
    model: z.string(),
    version: z.string(),
    manifest: digest,
    commit,
    components: z.array(reference).describe('what it consists of, directly and through others'),
    targets: z.array(z.strictObject({ path, oid, size: bytes })),
    pointers: z.array(path).optional().describe('that were written; not with --dry-run'),
    refusedPointers: z.array(path).optional().describe('kept: they say what no commit and no version has'),
  })
  .describe('where a version was asked for');
const failedObject = z.strictObject({
  path,
  oid,
  reason: z.enum(['missing', 'corrupt', 'remote']),
  message: z.string(),
});
const transferred = {
  upToDate: count.describe('targets of which nothing had to travel'),
  objects: count,
  packs: count,
  bytes: bytes.describe('of what was stored (push) or restored (fetch)'),
  requests: count,
  bytesUp: bytes.describe('over the wire'),
  bytesDown: bytes.describe('over the wire'),
  seconds,
  failed: z.array(failedObject),
};
const transferredWith = z.strictObject({
  remote: z.string(),
  url: z.string().describe('empty where the remote could not even be opened'),
  ...transferred,
  failed: z.array(failedObject).describe('what this remote lacked; another one may have had it'),
  error: errorSchema.optional().describe('why the remote could not be used, or not to the end'),
});
const transferFields = {
  dryRun: z.boolean(),
  ...transferred,
  remotes: z.array(transferredWith),
  problems,
};
const setting = z.strictObject({
  key: z.string(),
  value: z.string().describe('credentials are `***`'),
  level: z.enum(['default', 'system', 'user', 'project', 'local', 'environment', 'flags']),
  where: z.string().optional(),
  file: z.string().optional(),
  line: z.int().optional(),
});
const fileLevel = z.enum(['system', 'user', 'project', 'local']);

const deadObject = z.strictObject({
  oid,
  kind: z.enum(['file', 'directory', 'damaged']),
  size: bytes,
  files: count,
  names: z.array(z.string()).describe('some names in a directory'),
});

const runInput = z.strictObject({
  path,
  kind: z.enum(['tracked', 'git', 'plain']),
  oid: z.string().describe('an oid, or `git:<blob>`'),
  size: bytes.optional(),
  files: count.optional(),
  within: path.optional().describe('the tracked directory that it lies in'),
  pointer: oid.optional().describe('what its pointer said instead'),
});
const metric = z.strictObject({
  value: z.number(),
  on: z.string().optional(),
  on_oid: z.string().optional(),
  better: z.enum(['higher', 'lower']).optional(),
});
const runOutput = z.strictObject({
  path,
  oid,
  size: bytes,
  files: count.optional(),
  executable: z.literal(true).optional(),
});
const changedInput = z.strictObject({ path, before: z.string(), after: z.string().nullable() });

const merging = z
  .strictObject({
    driver: z.enum(['current', 'outdated', 'absent']).describe('what the configuration of this clone says'),
    attributes: z.boolean().describe('attributes give pointers to it'),
  })
  .describe('whether Git merges and shows pointers with mlv');

const conflictSide = z.strictObject({
  kind: z.enum(['file', 'executable', 'link', 'tree']),
  size: bytes,
  oid: oid.optional(),
});
const pointerConflict = z.strictObject({
  path: z.string().describe('below the target; empty for all of it'),
  kind: z.enum(['both-modified', 'both-added', 'deleted-by-ours', 'deleted-by-theirs', 'type', 'key']),
  key: z.string().optional().describe('of the pointer'),
  ours: conflictSide.optional(),
  theirs: conflictSide.optional(),
});

/** By verb. Every document may carry `error` beside these keys. */
const hookPlace = {
  directory: z.string(),
  kind: z.enum(['git', 'hooks-path', 'husky']),
  shared: z.boolean().describe('in the working tree, and so committed for everyone'),
  hooks: z.array(
    z.strictObject({
      name: z.enum(HOOK_NAMES),
      state: z.enum(['current', 'outdated', 'absent', 'foreign']),
      previous: z.boolean().describe('another hook runs before'),
    }),
  ),
  merging,
};
const hookChanges = z.strictObject({ ...hookPlace, changed: z.array(z.enum(HOOK_NAMES)) });

export const jsonSchemas = {
  'hooks install': hookChanges,
  'hooks uninstall': hookChanges,
  'hooks status': z.strictObject(hookPlace),
  init: z.strictObject({
    created: z.boolean(),
    worktree: z.string(),
    repository: z.uuid().describe("the repository's id"),
    hash: z.enum(['blake3', 'sha256']),
    merging: merging.optional().describe('with --git-attributes'),
  }),
  'resolve-conflict': z.strictObject({
    conflicts: z
      .array(
        z.strictObject({
          path,
          kind: z.enum(['content', 'deleted-by-ours', 'deleted-by-theirs', 'deleted-by-both']),
          conflicts: z.array(pointerConflict),
        }),
      )
      .optional()
      .describe('without a side: what is in conflict'),
    settled: z
      .array(
        z.strictObject({
          path,
          deleted: z.boolean(),
          decided: count.describe('conflicts that are decided'),
          open: z.array(pointerConflict).describe('conflicts that are left'),
          decision: z
            .strictObject({
              winner: z.enum(['ours', 'theirs']),
              metric: z.string(),
              better: z.enum(['higher', 'lower']),
              ours: z.number(),
              theirs: z.number(),
            })
            .optional()
            .describe('with --by-metric'),
        }),
      )
      .optional()
      .describe('with a side'),
    staged: z.boolean().optional(),
  }),
  add: z.strictObject({
    targets: z.array(
      z.strictObject({
        path,
        pointer: z.string().describe('path of the pointer file'),
        state: z.enum(['added', 'updated', 'unchanged']),
        oid,
        size: bytes,
        files: count.optional().describe('directories only'),
        read: z.strictObject({ files: count, bytes }).describe('what had to be read'),
      }),
    ),
    files: z.array(z.string()).describe('what a commit should hold: pointers and ignore files'),
    staged: z.boolean(),
  }),
  status: z.strictObject({
    targets: z.array(
      z.strictObject({
        path,
        state: z
          .enum(['unchanged', 'modified', 'behind', 'deleted', 'type'])
          .describe('`behind`: the pointer is newer, and nothing was changed here'),
        behind: z.literal(true).optional().describe('came from an older version of the pointer, changed since or not'),
        otherVersion: z
          .literal(true)
          .optional()
          .describe('came from a version that is not older, such as one of another branch, and was not changed since'),
        directory: z.boolean(),
        files: count.optional().describe('in a directory, as its pointer says'),
        changes: z.array(change),
        totals,
        detailsMissing: z.boolean().describe('the changes cannot be listed'),
        missing: z
          .strictObject({ objects: count, bytes, examples: z.array(z.strictObject({ path: z.string(), oid })) })
          .describe('what the cache lacks'),
        problems: z.array(z.strictObject({ path: z.string(), reason: z.string() })).describe('what cannot be tracked'),
        partial: z
          .strictObject({
            paths: z.array(z.string()).describe('wanted here, below the directory'),
            patterns: z.array(z.string()),
            without: z.array(z.string()).describe('not wanted here'),
            absent: z.strictObject({ files: count, bytes }).describe('what is not here, and no change'),
          })
          .optional()
          .describe('of a directory of which only a part is wanted here'),
      }),
    ),
    conflicts: z
      .array(
        z.strictObject({
          path,
          kind: z.enum(['content', 'deleted-by-ours', 'deleted-by-theirs', 'deleted-by-both']),
        }),
      )
      .describe('pointers that a merge left in conflict'),
    problems,
    remotes: z
      .array(z.strictObject({ remote: z.string(), url: z.string(), targets: count, missing: z.array(z.string()) }))
      .optional()
      .describe('with --remote'),
  }),
  diff: z.strictObject({
    before: state,
    after: state,
    changes: z.array(change),
    totals,
    problems,
    schema: schemaDifference.optional().describe('with --schema'),
  }),
  ls: z.strictObject({
    entries: z.array(entry.extend({ annotation: annotation.optional().describe('where it came from') })),
    problems,
  }),
  du: z.strictObject({ entries: z.array(entry), total: z.strictObject({ size: bytes, files: count }), problems }),
  checkout: z.strictObject({ ...checkoutFields, problems, version: restoredVersion.optional() }),
  register: z.strictObject({
    dryRun: z.boolean().describe('nothing was written'),
    state: z
      .enum(['registered', 'present'])
      .describe('`present`: the same content was there already; with --dry-run, what it would be'),
    model: z.string(),
    version: z.string(),
    reference,
    tag: z.string(),
    digest: digest.describe('of the manifest'),
    registryCommit: commit.nullable().describe('null where nothing was written'),
    pushed: z.boolean().describe('to the Git remote'),
    notes: z.array(z.string()),
    refusals: z.array(errorSchema).describe('with --dry-run: what would refuse it'),
    manifest: manifestSchema,
  }),
  rm: z.strictObject({ removed: z.array(z.string()), kept: z.boolean(), staged: z.boolean() }),
  mv: z.strictObject({ from: z.string(), to: z.string(), staged: z.boolean() }),
  unprotect: z.strictObject({ files: z.array(z.string()) }),
  push: z.strictObject(transferFields),
  fetch: z.strictObject(transferFields),
  pull: z.strictObject({
    ...transferFields,
    checkout: z.strictObject(checkoutFields).optional().describe('not with --dry-run'),
    version: restoredVersion.optional(),
  }),
  fsck: z.strictObject({
    cache: z.strictObject({
      objects: count.describe('that were read'),
      bytes,
      damaged: z.array(z.strictObject({ oid, path: z.string(), movedTo: z.string().optional() })),
      contradicted: z
        .array(z.strictObject({ path, message: z.string() }))
        .describe('pointers that their objects contradict'),
      incomplete: z
        .array(
          z.strictObject({ path, objects: count, bytes, examples: z.array(z.strictObject({ path: z.string(), oid })) }),
        )
        .describe('targets that the cache does not hold in full; no damage'),
      freed: bytes.describe('of temporary files that killed processes left'),
    }),
    workspace: z.strictObject({
      unnoticed: z.array(path).describe('files whose content changed while their times did not'),
    }),
    fetched: z.array(transferredWith).describe('with --repair'),
    remotes: z.array(
      z.strictObject({
        remote: z.string(),
        url: z.string(),
        roots: count,
        records: count,
        packs: count,
        bytes,
        findings: z.array(
          z.strictObject({
            kind: z.enum([
              'info-missing',
              'info-damaged',
              'record-missing',
              'record-damaged',
              'pack-missing',
              'pack-damaged',
            ]),
            key: z.string().describe('on the remote'),
            paths: z.array(z.string()),
            message: z.string(),
          }),
        ),
        repaired: z.boolean().describe('everything that was found is mended'),
      }),
    ),
    problems,
  }),
  run: z.strictObject({
    exitCode: z.int().describe('of the command'),
    interrupted: z.string().optional().describe('the signal that came while it ran'),
    key: z.string().describe('what was run on what; see docs/formats/run.md'),
    recorded: oid.nullable().describe('the record, a directory object; null where the command failed'),
    inputs: z.array(runInput),
    changed: z.array(changedInput).describe('inputs that changed while it ran'),
    outputs: z.array(runOutput),
    metrics: z.record(z.string(), metric),
    files: z
      .array(z.string())
      .describe('what a commit should hold: pointers, ignore files, and metrics that Git does not ignore'),
    staged: z.boolean(),
  }),
  repro: z.strictObject({
    dryRun: z.boolean(),
    stages: z
      .array(
        z.strictObject({
          stage: z.string(),
          state: z
            .enum(['current', 'restored', 'ran', 'failed', 'skipped', 'outdated'])
            .describe('outdated: would run or be restored, with --dry-run'),
          reasons: z.array(z.string()).describe('why it was not current, or why it failed or was skipped'),
          run: oid.optional().describe('the record of the run that its outputs are of'),
          exitCode: z.int().optional().describe('of its command'),
          files: z
            .array(z.string())
            .describe('what a commit should hold: pointers, ignore files, and metrics that Git does not ignore'),
        }),
      )
      .describe('in the order in which they were looked at'),
  }),
  dag: z.strictObject({
    stages: z.array(
      z.strictObject({
        name: z.string(),
        command: z.union([z.string(), z.array(z.string())]),
        desc: z.string().optional(),
        line: z.int().describe('of mlv.yaml'),
        reads: z.array(path),
        writes: z.array(path),
        after: z.array(z.string()).describe('stages that come first'),
      }),
    ),
    edges: z.array(z.strictObject({ from: z.string(), to: z.string(), path })),
  }),
  ...ciSchemas({ change, totals }),
  ...dataSchemas,
  ...interopSchemas,
  ...elsewhereSchemas({ transferred: transferredWith, problems }),
  ...lineageSchemas,
  ...migrationSchemas,
  ...spaceSchemas,
  ...partialSchemas,
  gc: z.union([
    localCollection,
    z.strictObject({
      remote: z.string(),
      url: z.string(),
      dryRun: z.boolean().describe('true without --yes'),
      grace: seconds,
      roots: count.describe('objects that pointers name, in every commit, index and working tree'),
      absentRoots: count.describe('of those, how many are not on this remote'),
      live: z.strictObject({ records: count, packs: count }).describe('what is needed'),
      restored: count.describe('records that were set aside and are needed again'),
      setAside: z.strictObject({ records: count, objects: z.array(deadObject) }).describe('out of use from now on'),
      marked: z.strictObject({ packs: count, bytes }).describe('to be deleted when the grace is over'),
      swept: z
        .strictObject({ records: count, packs: count, bytes, objects: z.array(deadObject) })
        .describe('deleted for good'),
      waiting: z
        .strictObject({ records: count, packs: count, bytes, until: z.iso.datetime().nullable() })
        .describe('set aside and marked before; until is when the first of it can go'),
      unreadable: z
        .strictObject({
          pointers: z.array(z.strictObject({ path: z.string(), commit: z.string().optional(), message: z.string() })),
          records: z.array(z.strictObject({ message: z.string() })),
        })
        .describe('passed over: with --ignore-unreadable, and records that nothing in Git needs yet'),
      retention,
      requests: count,
      bytesUp: bytes,
      bytesDown: bytes,
      seconds,
    }),
  ]),
  'remote copy': z.strictObject({
    dryRun: z.boolean(),
    from: z.strictObject({ remote: z.string(), url: z.string() }),
    to: z.strictObject({ remote: z.string(), url: z.string() }),
    packs: count,
    records: count,
    bytes: bytes.describe('of the packs and records'),
    present: count.describe('packs and records that were there already'),
    failed: z
      .array(z.strictObject({ key: z.string(), message: z.string() }))
      .describe('damaged or missing at the source, and what needs it'),
    requests: count,
    bytesUp: bytes.describe('over the wire'),
    bytesDown: bytes.describe('over the wire'),
    seconds,
  }),
  'registry push': z.strictObject({ remote: z.string(), received: count, sent: count, tip: commitOrNull }),
  'registry pull': z.strictObject({
    remote: z.string(),
    received: count,
    dropped: count.describe('changes of this clone that were given up'),
    ahead: count.describe('changes that only this clone has'),
    tip: commitOrNull,
    tagsKept: z.string().nullable().describe('what Git said of tags of versions that differ here, and were kept'),
  }),
  'registry status': z.strictObject({
    remote: z.string().nullable().describe('the Git remote'),
    local: commitOrNull,
    remoteTip: commitOrNull.describe('as this clone knows it'),
    ahead: count.describe('changes that only this clone has'),
    behind: count.describe('changes that only the remote has'),
  }),
  'policy show': z.union([
    z.strictObject({ commit: commitOrNull, default: z.boolean(), policy: z.record(z.string(), z.unknown()) }),
    z.strictObject({ commit: commitOrNull, text: z.string().describe('with `--raw`') }),
  ]),
  'policy check': z.strictObject({
    file: z.string(),
    policy: z.record(z.string(), z.unknown()).describe('see docs/formats/policy.md'),
  }),
  'policy set': z.strictObject({ commit: commitOrNull.describe('null: it was in force already'), pushed: z.boolean() }),
  'model show': z.strictObject({
    model: z.string(),
    versions: count,
    description: z.string().nullable(),
    owners: z.array(z.string()),
    licence: z.string().nullable(),
    card: z.record(z.string(), z.unknown()).nullable().describe('front matter of its model card'),
    other: z.record(z.string(), z.unknown()).nullable().describe('what the file says beyond that'),
  }),
  'model edit': z.strictObject({
    model: z.string(),
    commit: commitOrNull.describe('null: it said that already'),
    pushed: z.boolean(),
  }),
  'remote add': z.strictObject({
    name: z.string(),
    url: z.string(),
    added: z.boolean().describe('false where it was there already'),
    default: z.boolean(),
    level: fileLevel,
    file: z.string(),
  }),
  'remote list': z.strictObject({
    default: z.string().nullable(),
    remotes: z.array(
      z.strictObject({
        name: z.string(),
        url: z.string().nullable(),
        default: z.boolean(),
        level: setting.shape.level.nullable(),
        settings: z.record(z.string(), z.string()),
      }),
    ),
  }),
  'remote remove': z.strictObject({ name: z.string(), levels: z.array(fileLevel) }),
  'remote default': z.strictObject({ default: z.string(), level: fileLevel.optional(), file: z.string().optional() }),
  'config get': setting,
  'config set': z.strictObject({ key: z.string(), value: z.string(), level: fileLevel, file: z.string() }),
  'config unset': z.strictObject({ key: z.string(), level: fileLevel, file: z.string() }),
  'config list': z.strictObject({ settings: z.array(setting) }),
  ...registryQuestionSchemas,
  ...registryStageSchemas,
  doctor: z.strictObject({
    ok: z.boolean(),
    checks: z.array(
      z.strictObject({
        name: z.string(),
        state: z.enum(['ok', 'warning', 'problem']),
        message: z.string(),
        hint: z.string().optional(),
        data: z.record(z.string(), z.unknown()).optional(),
      }),
    ),
  }),
  version: z.strictObject({
    mlv: z.string(),
    node: z.string(),
    git: z.string().nullable(),
    hash: z.strictObject({ algorithm: z.string(), implementation: z.enum(['native', 'wasm', 'openssl']) }),
  }),
} as const;

export { errorSchema } from './json-schemas-error.js';

export type DocumentedVerb = keyof typeof jsonSchemas;

/** The document of a verb, which may carry an `error` beside its own keys. */
export type Document<V extends DocumentedVerb> = z.infer<(typeof jsonSchemas)[V]> & {
  error?: z.infer<typeof errorSchema>;
};

/** Reads what a verb printed with `--json` and checks it against its schema. */
export function parseDocument<V extends DocumentedVerb>(verb: V, stdout: string): Document<V> {
  const { error, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
  const document = jsonSchemas[verb].parse(rest);
  const failure = error === undefined ? {} : { error: errorSchema.parse(error) };
  return { ...document, ...failure } as Document<V>;
}
