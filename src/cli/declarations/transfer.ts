import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const REMOTE: OptionDeclaration = {
  flags: '-r, --remote <name>',
  description: 'this remote, not the default one; may be repeated',
  many: true,
};
const JOBS: OptionDeclaration = { flags: '-j, --jobs <count>', description: 'requests at once (core.jobs)' };
const SCOPE: readonly OptionDeclaration[] = [
  {
    flags: '--rev <revision>',
    description: 'the pointers of this revision, or version of a model; may be repeated',
    many: true,
  },
  { flags: '--all-branches', description: 'the pointers of every local branch' },
  { flags: '--all-tags', description: 'the pointers of every tag' },
  { flags: '--all-commits', description: 'the pointers of every commit that a local branch or tag leads to' },
];
const DRY_RUN: OptionDeclaration = { flags: '-n, --dry-run', description: 'only say what would travel' };
const EXITS = [
  [4, 'objects are missing; everything else was transferred'],
  [5, 'objects are damaged; everything else was transferred'],
  [7, 'the remote cannot be used: address, credentials, permissions, network'],
] as const;

/** Verbs that exchange objects with remotes. */
export const transferVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'push [path...]',
    summary: 'Send objects to a remote',
    description:
      'Sends what the pointers name and the remote lacks, to its mirrors, too; remotes that are named get it, and no ' +
      'others. A push that was interrupted goes on where it was.',
    options: [REMOTE, ...SCOPE, DRY_RUN, JOBS],
    examples: [
      ['mlv push', 'everything that is tracked'],
      ['mlv push data/ --remote nas', 'one target, to one remote'],
      ['mlv push --remote origin --remote backup', 'to two'],
      ['mlv push --all-commits', 'the whole history: before a clone is deleted'],
    ],
    exits: EXITS,
    careful: true,
    inRepository: true,
    load: () => import('../verbs/push.js'),
  },
  {
    usage: 'pull [path-or-version...]',
    summary: 'Fetch objects from a remote and check them out',
    description:
      'Paths and patterns may lie inside a tracked directory: only that part is fetched, and wanted here from then on; ' +
      'naming the directory brings, and wants, all of it (docs/partial-directories.md). What a remote lacks comes from its mirrors. ' +
      'Files whose content is in no object are kept and listed, as by mlv checkout.',
    options: [
      REMOTE,
      ...SCOPE,
      { flags: '--force', description: 'overwrite files with unsaved content' },
      { flags: '--artifacts-only', description: 'of a version, leave out its data' },
      DRY_RUN,
      JOBS,
    ],
    examples: [
      ['mlv pull', 'after git clone or git pull'],
      ['mlv pull data/2024/', 'one part of a tracked directory'],
      ["mlv pull 'data/**/*.csv'", 'what matches in it'],
      ['mlv pull fraud@production --artifacts-only', 'the model that is in production, in a CI job'],
    ],
    exits: [[1, 'unsaved files stood in the way and were kept'], ...EXITS],
    careful: true,
    inRepository: true,
    load: () => import('../verbs/pull.js'),
  },
  {
    usage: 'fetch [path...]',
    summary: 'Fetch objects from a remote into the cache',
    description:
      'The workspace is left alone; mlv checkout brings it to the pointers. What a remote lacks comes from its mirrors.',
    options: [REMOTE, ...SCOPE, DRY_RUN, JOBS],
    examples: [
      ['mlv fetch --rev v1.0', 'what a tag needs, before the train leaves'],
      ['mlv fetch --rev fraud@production', 'what the version in production was registered with'],
      ['mlv fetch --dry-run', 'how much would come'],
    ],
    exits: EXITS,
    careful: true,
    inRepository: true,
    load: () => import('../verbs/fetch.js'),
  },
  {
    usage: 'fsck [path...]',
    summary: 'Check every object of the cache, the workspace, and on request a remote',
    description:
      'Reads every object of the cache and every tracked file, whatever their times say. With --remote, proves that ' +
      'everything the pointers need is there; --deep reads every byte of it.',
    options: [
      {
        flags: '--remote [name]',
        description: 'check this remote, or the default one and its mirrors, too; may be repeated',
        many: true,
      },
      { flags: '--deep', description: 'download and check every pack that is needed' },
      { flags: '--repair', description: 'set damaged objects aside and fetch them again; upload what a remote lacks' },
      ...SCOPE,
      JOBS,
    ],
    examples: [
      ['mlv fsck', 'is what I have what it should be?'],
      ['mlv fsck --remote --all-tags', 'can every release be restored?'],
      ['mlv fsck --remote --all-commits', 'and every commit?'],
      ['mlv fsck --remote=nas --repair', 'upload again what the remote lost'],
    ],
    exits: [
      [4, 'the remote lacks something'],
      [5, 'something is damaged'],
      [7, 'the remote cannot be used'],
    ],
    careful: true,
    load: () => import('../verbs/fsck.js'),
  },
];
