import type { VerbDeclaration } from '../verb.js';

const EXITS = [
  [4, 'objects are missing from the remote'],
  [5, 'an object or pointer is damaged'],
  [7, 'the remote cannot be used: address, credentials, permissions, network'],
] as const;

/** Verbs that take data from repositories, buckets and servers elsewhere. */
export const elsewhereVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'get <git-url-or-path> <path-or-version>',
    summary: 'Bring files of a repository here that nobody cloned',
    description:
      'A file or directory that the repository tracks (whole, or a part of it), a file that its Git holds, or a version of ' +
      'its registry (fraud@production). Only what is needed is fetched, and all of it is checked. A path is taken before a ' +
      'version. The current directory need not be a repository.',
    options: [
      {
        flags: '-o, --output <path>',
        description: 'where to put it, as with cp; for a version the directory; - prints one file',
      },
      { flags: '--rev <revision>', description: 'the branch, tag or commit, in place of the default branch' },
      { flags: '--force', description: 'overwrite files that are there with other content' },
      { flags: '--artifacts-only', description: 'of a version, leave out its data' },
      { flags: '--key <text>', description: 'who asks, for a stage that several versions share' },
    ],
    examples: [
      ['mlv get https://git.example.com/fraud.git fraud@production -o model/', 'the model in production, in a CI job'],
      ['mlv get git@example.com:team/data.git data/images/0', 'one part of a tracked directory'],
      ['mlv get ../other model.pkl --rev v1.0 -o - | sha256sum', 'one file, to another program'],
    ],
    exits: EXITS,
    careful: true,
    load: () => import('../verbs/get.js'),
  },
  {
    usage: 'import <git-url-or-path> <path>',
    summary: 'Take data of another repository into this one, with where it came from',
    description:
      'A file or directory that the other repository tracks, a part of one, or files of its Git. The pointer keeps the ' +
      'address, the path, the revision that is followed and the commit; the content goes to the remotes of this repository ' +
      'with mlv push. mlv update asks the source again. A repository in a directory that is called like a verb below is ' +
      'written with ./ before it.',
    options: [
      { flags: '-o, --output <path>', description: 'where to put it, as with cp (default: its own name, here)' },
      { flags: '--rev <revision>', description: 'the branch, tag or commit, in place of the default branch' },
      { flags: '--force', description: 'overwrite what is there' },
      { flags: '--stage', description: 'record the pointer in the Git index' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv import git@example.com:team/data.git data/images', 'a directory of the data team'],
      ['mlv import https://git.example.com/models.git bert/weights.bin --rev v3 -o models/', 'a file, as of a tag'],
    ],
    exits: [[1, 'unsaved files stood in the way and were kept'], ...EXITS],
    careful: true,
    load: () => import('../verbs/import.js'),
  },
];
