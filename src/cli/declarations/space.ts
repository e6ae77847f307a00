import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const JOBS: OptionDeclaration = { flags: '-j, --jobs <count>', description: 'requests at once (core.jobs)' };
const REMOTE: OptionDeclaration = {
  flags: '-r, --remote <name>',
  description: 'this remote must have it, not that of the pointer; may be repeated',
  many: true,
};

/** Verbs that free space, here and on remotes. */
export const spaceVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'drop <path...>',
    summary: 'Remove the bytes from this machine, where a remote is proved to have them',
    description:
      'The pointer stays, and Git sees no change. First the remote is checked as by mlv fsck --remote: every record is read, ' +
      'every pack asked for. Then the files leave the workspace, and the cache lets go of what no other target of any working ' +
      'tree needs. Local changes are refused. Hooks, mlv pull and mlv checkout without a path leave what was dropped where ' +
      'it is; mlv pull <path> brings it back. See docs/local-space.md.',
    options: [
      REMOTE,
      { flags: '--deep', description: 'download every pack and check every byte before anything is removed' },
      { flags: '--keep-cache', description: 'take it out of the workspace only; mlv checkout <path> brings it back' },
      { flags: '-n, --dry-run', description: 'only prove, and say what would go' },
      JOBS,
    ],
    examples: [
      ['mlv drop data/', 'keep the pointer, free the disk; mlv pull data/ has it back, bit for bit'],
      ['mlv drop data/images/0', 'a part of a directory, which is a partial one then'],
      ['mlv drop models/ --dry-run', 'is all of it on the remote, and how much would be freed?'],
      ['mlv drop raw/ --deep', 'after every byte on the remote was read'],
    ],
    exits: [
      [1, 'the workspace differs from the pointers; nothing was dropped'],
      [4, 'no remote has all of it; nothing was dropped'],
      [7, 'the remote cannot be used; nothing was dropped'],
    ],
    careful: true,
    load: () => import('../verbs/drop.js'),
  },
  {
    usage: 'gc',
    summary: 'Free the cache, or a remote, of what nothing needs',
    description:
      'Without --remote, the cache of this clone: what no commit, stash, index or working tree needs leaves it, and with ' +
      '--workspace, --all-branches, --all-tags, --last or --since what these together do not need. Always kept are all working ' +
      'trees with index and HEAD, the stash, versions of models on a stage or to be retained (retention.last keeps more), and ' +
      'whatever no remote is proved to have. With --remote, that remote: kept is what any pointer names in any commit that ' +
      'this clone can reach (branches, tags, remote-tracking branches, stashes, reflogs), in any index or working tree, what ' +
      'versions of models name, and what was pushed within the grace; the rest is set aside in one run, and deleted by a ' +
      'later run when the grace is over. Without --yes nothing is changed. See docs/local-space.md and docs/collection.md.',
    options: [
      { flags: '--workspace', description: 'keep what the working trees need' },
      { flags: '--all-branches', description: 'keep what the tips of the local branches need' },
      { flags: '--all-tags', description: 'keep what the tags need' },
      {
        flags: '--last <count>',
        description: 'keep what that many commits of HEAD need (with the options above: of each branch and tag)',
      },
      { flags: '--since <date>', description: 'keep what commits since then need: 2026-01-31, or 30d for so long ago' },
      {
        flags: '--unnamed',
        description: 'remove also what nothing names any more and no remote has, when it is older than the grace',
      },
      { flags: '--remote [name]', description: 'collect this remote, or the default one' },
      { flags: '--yes', description: 'carry it out; otherwise only say what would be done' },
      { flags: '-n, --dry-run', description: 'only say what would be done, which it does anyway without --yes' },
      {
        flags: '--grace <duration>',
        description: 'how long stays what nothing names: hours, days, weeks (default: 14d)',
      },
      {
        flags: '--offline',
        description: 'with --remote: do not ask the Git remotes for branches that this clone lacks',
      },
      {
        flags: '--ignore-unreadable',
        description: 'go on without pointers, records and manifests that cannot be read; lists them',
      },
      JOBS,
    ],
    examples: [
      ['mlv gc', 'what in the cache nothing needs'],
      ['mlv gc --workspace --yes', 'keep what is checked out; the rest is on a remote, and comes back by a pull'],
      ['mlv gc --all-branches --last 10 --since 30d', 'what would go'],
      ['mlv gc --remote', 'what would go there, with names and sizes'],
      ['mlv gc --remote=nas --yes', 'set aside what nothing needs, delete what was set aside two weeks ago'],
      ['mlv gc --remote --yes --grace 30d', "with more time to change one's mind"],
    ],
    exits: [
      [1, 'another mlv works with the cache; nothing was removed'],
      [
        5,
        'a pointer, a record, an object or a file of the registry cannot be read, so what it needs is not known; nothing was changed',
      ],
      [7, 'a remote cannot be used (what it might have proved was kept), or another collection is at work'],
    ],
    careful: true,
    load: () => import('../verbs/gc.js'),
  },
  {
    usage: 'cache',
    summary: 'Look at the cache, choose where it is, move it',
    verbs: [
      {
        usage: 'info',
        summary: 'Show where the cache is, what it holds, and how its files come into the workspace',
        examples: [['mlv cache info', 'objects and bytes by algorithm, link modes, what killed processes left']],
        load: () => import('../verbs/cache-info.js'),
      },
      {
        usage: 'dir [path]',
        summary: 'Print where the cache is, or have it elsewhere from now on',
        description:
          'With a path, cache.dir is set, for this clone unless another level is chosen; objects stay where they are (mlv cache ' +
          'migrate takes them along). Several repositories and users may share a directory: see docs/local-space.md.',
        options: [
          { flags: '--local', description: 'this clone only' },
          { flags: '--user', description: 'all repositories of this user' },
          { flags: '--system', description: 'all users of this machine' },
        ],
        examples: [
          ['mlv cache dir', 'for scripts: the path and nothing else'],
          ['mlv cache dir /srv/mlv-cache', 'share the cache of a group'],
        ],
        careful: true,
        load: () => import('../verbs/cache-dir.js'),
      },
      {
        usage: 'migrate <path>',
        summary: 'Move the cache, with all working trees of this clone',
        description:
          'Objects get a second name in the new place or, on another disk, are copied and checked; then cache.dir is set for ' +
          'this clone, links of the working trees follow, and the former objects go. A move that was interrupted is finished ' +
          'by the same command. Where other repositories use the former cache, it stays.',
        examples: [['mlv cache migrate /data/mlv-cache', 'to a larger disk']],
        exits: [
          [1, 'another mlv works with the cache, or a run is in progress; nothing was lost'],
          [5, 'an object is damaged'],
        ],
        careful: true,
        load: () => import('../verbs/cache-migrate.js'),
      },
    ],
  },
];
