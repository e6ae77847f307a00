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
    summary: 'Delete from a remote what no commit, stash or working tree needs',
    description:
      'Kept is what any pointer names in any commit that this clone can reach (branches, tags, remote-tracking branches, ' +
      'stashes, reflogs), in any index or working tree, what any version of a model in the registry names, and what was ' +
      'pushed within the grace. The rest is set aside in ' +
      'one run, and deleted by a later run when the grace is over; until then it can still be pulled. Without --yes ' +
      'nothing is changed. See docs/collection.md.',
    options: [
      { flags: '--remote [name]', description: 'collect this remote, or the default one' },
      { flags: '--yes', description: 'carry it out; otherwise only say what would be done' },
      { flags: '--grace <duration>', description: 'how long unused data stays: hours, days, weeks (default: 14d)' },
      { flags: '--offline', description: 'do not ask the Git remotes for branches that this clone lacks' },
      {
        flags: '--ignore-unreadable',
        description: 'go on without pointers, records and manifests that cannot be read; lists them',
      },
      JOBS,
    ],
    examples: [
      ['mlv gc --remote', 'what would go, with names and sizes'],
      ['mlv gc --remote=nas --yes', 'set aside what nothing needs, delete what was set aside two weeks ago'],
      ['mlv gc --remote --yes --grace 30d', "with more time to change one's mind"],
    ],
    exits: [
      [
        5,
        'a pointer, a record or a file of the registry cannot be read, so what it needs is not known; nothing was changed',
      ],
      [7, 'the remote cannot be used, or another collection is at work'],
    ],
    careful: true,
    load: () => import('../verbs/gc.js'),
  },
];
