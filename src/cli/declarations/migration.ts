import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const COMMON: readonly OptionDeclaration[] = [
  { flags: '-n, --dry-run', description: 'only say what would be done' },
  { flags: '--no-commit', description: 'leave the change staged in Git' },
  { flags: '-m, --message <text>', description: 'message of the commit' },
  { flags: '--keep-going', description: 'leave what cannot be migrated as it is, and migrate the rest' },
  { flags: '--history', description: 'rewrite all branches and tags, as new ones below migrated/' },
  { flags: '--replace', description: 'with --history: move the branches and tags themselves' },
];

const EXITS: VerbDeclaration['exits'] = [
  [4, 'contents are missing; with --keep-going or --history, the rest was migrated'],
  [5, 'a file of the other tool is damaged or unsafe'],
  [7, 'the other remote or server cannot be used'],
];

const PROOF =
  'Contents are checked against the names they had while they are read, and at the end every file that the new pointers ' +
  'give is compared with what was there. A migration that was interrupted can be run again.';

/** Verbs that take a repository over from other tools. */
export const migrationVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'migrate',
    summary: 'Take a repository over from another tool',
    verbs: [
      {
        usage: 'dvc',
        summary: 'Replace DVC by mlv, with its data, stages and remotes',
        description:
          'Turns .dvc files, dvc.yaml and dvc.lock into pointers and stages of mlv, in one commit. Contents come from the ' +
          `workspace, DVC's cache or its remote, which are only read. ${PROOF}`,
        options: [
          ...COMMON,
          { flags: '-r, --remote <name>', description: "DVC's remote for what is not here; its default one otherwise" },
        ],
        examples: [
          ['mlv migrate dvc --dry-run', 'what would be done, and what has no place in mlv'],
          ['mlv migrate dvc', 'one commit on this branch'],
          ['mlv migrate dvc --history', 'all branches and tags, beside the old ones'],
        ],
        exits: EXITS,
        careful: true,
        load: () => import('../verbs/migrate-dvc.js'),
      },
      {
        usage: 'lfs',
        summary: 'Replace Git LFS by mlv',
        description:
          'Turns what Git LFS tracks into pointers of mlv, in one commit, and takes its filter out of .gitattributes. ' +
          `Contents come from the workspace, .git/lfs or the server; git-lfs need not be installed. ${PROOF}`,
        options: [
          ...COMMON,
          { flags: '--group <directory>', description: 'one pointer for all in it; may be repeated', many: true },
          { flags: '-r, --remote <name>', description: 'Git remote whose server is asked for what is not here' },
        ],
        examples: [
          ['mlv migrate lfs --dry-run', 'what would be done'],
          ['mlv migrate lfs --group data/images', 'a pointer a file, and one for a whole directory'],
          ['mlv migrate lfs --history', 'all branches and tags, beside the old ones'],
        ],
        exits: EXITS,
        careful: true,
        load: () => import('../verbs/migrate-lfs.js'),
      },
    ],
  },
];
