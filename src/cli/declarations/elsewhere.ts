import type { VerbDeclaration } from '../verb.js';
import { importMlflowVerb } from './interop.js';

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
      { flags: '--rev <revision>', description: 'the branch, tag, commit or version, in place of the default branch' },
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
    usage: 'import <git-url-or-path> <path-or-version>',
    summary: 'Take data of another repository into this one, with where it came from',
    description:
      'A file or directory that the other repository tracks, a part of one, files of its Git, or the artifact of a version of its ' +
      'registry (fraud@production). The pointer keeps the address, the path, the revision or version that is followed and the ' +
      'commit; the content goes to the remotes of this repository with mlv push. mlv update asks the source again. A repository in a directory that is called like a verb below is ' +
      'written with ./ before it.',
    options: [
      { flags: '-o, --output <path>', description: 'where to put it, as with cp (default: its own name, here)' },
      { flags: '--rev <revision>', description: 'the branch, tag, commit or version, in place of the default branch' },
      { flags: '--force', description: 'overwrite what is there' },
      { flags: '--stage', description: 'record the pointer in the Git index' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv import git@example.com:team/data.git data/images', 'a directory of the data team'],
      ['mlv import https://git.example.com/models.git bert/weights.bin --rev v3 -o models/', 'a file, as of a tag'],
      [
        'mlv import git@example.com:team/fraud.git fraud@production',
        'the model in production; mlv update follows the stage',
      ],
      ['mlv import ../fraud data/train.csv --rev fraud@production', 'a file that it was made from'],
    ],
    exits: [[1, 'unsaved files stood in the way and were kept'], ...EXITS],
    careful: true,
    load: () => import('../verbs/import.js'),
    verbs: [importMlflowVerb],
  },
  {
    usage: 'import-url <url-or-path>',
    summary: 'Take a file of a bucket, a web server or this machine in, with where it came from',
    description:
      's3://bucket/key (?versionId=… for one version), https://…, file:///… or a path. The pointer keeps the address and what ' +
      'the server calls this content (ETag, version, size, time), so that mlv update can ask whether it changed. Credentials ' +
      'in an address are used and kept nowhere. A download that broke goes on where it was.',
    options: [
      { flags: '-o, --output <path>', description: 'where to put it, as with cp (default: its own name, here)' },
      { flags: '-r, --remote <name>', description: 'use the endpoint and credentials of this remote' },
      { flags: '--force', description: 'overwrite what is there' },
      { flags: '--stage', description: 'record the pointer in the Git index' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv import-url https://example.com/data/iris.csv', 'a public data set'],
      ['mlv import-url s3://vendor-data/2026/labels.parquet -o data/', 'an object of a bucket'],
    ],
    exits: [
      [1, 'unsaved files stood in the way and were kept'],
      [7, 'the address cannot be read: not there, credentials, permissions, network'],
    ],
    careful: true,
    load: () => import('../verbs/import-url.js'),
  },
  {
    usage: 'update [path...]',
    summary: 'Ask where imports came from whether there is something new, and bring it',
    description:
      'Imports of Git repositories follow their branch, or a stage (fraud@production); a tag or commit changes with --rev only. Nothing that was changed here ' +
      'is overwritten without --force. Sources on this machine are asked only where they are named.',
    options: [
      { flags: '--rev <revision>', description: 'follow this branch, tag, commit or version from now on' },
      { flags: '-n, --dry-run', description: 'only say what changed' },
      { flags: '--check', description: 'as --dry-run, and end with exit code 3 where something changed' },
      { flags: '--force', description: 'overwrite what was changed here' },
      { flags: '--stage', description: 'record the pointers in the Git index' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv update', 'everything that was imported'],
      ['mlv update data/images --rev v2', 'from now on as of another tag'],
      ['mlv update --check', 'in CI: is there something new?'],
    ],
    exits: [
      [1, 'something was changed here, and was kept'],
      [3, 'with --check: something changed at its source'],
      ...EXITS,
    ],
    careful: true,
    load: () => import('../verbs/update.js'),
  },
];
