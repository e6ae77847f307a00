import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const LEVELS: readonly OptionDeclaration[] = [
  { flags: '--local', description: 'this clone only' },
  { flags: '--project', description: 'mlv.yaml, which is committed' },
  { flags: '--user', description: 'all repositories of this user' },
  { flags: '--system', description: 'all users of this machine' },
];

/** Verbs that read and change the configuration. */
export const settingVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'remote',
    summary: 'Configure where objects are pushed to and pulled from',
    verbs: [
      {
        usage: 'add <name> <url>',
        summary: 'Add a remote; the first one becomes the default',
        description:
          'The URL is a directory (absolute, or relative to the current directory), s3://bucket/prefix, ' +
          'azure://container/prefix, gs://bucket/prefix, sftp://user@host/path or https://host/path. It is written ' +
          'to mlv.yaml unless another level is chosen. Credentials do not belong in it: see docs/configuration.md.',
        options: [
          { flags: '--default', description: 'make it the default remote' },
          { flags: '--mirror-of <remote>', description: 'it holds what that remote holds: see docs/remotes.md' },
          ...LEVELS,
          { flags: '--region <region>', description: 'S3: region of the bucket' },
          { flags: '--profile <profile>', description: 'S3: profile of the AWS configuration' },
          { flags: '--endpoint <url>', description: 'S3, Azure, Google: address of a compatible server' },
          { flags: '--account <name>', description: 'Azure: the storage account' },
          { flags: '--project-id <id>', description: 'Google: the project that is billed where the requester pays' },
          { flags: '--path-style', description: 'S3: bucket in the path and not in the host name' },
          { flags: '--sse <algorithm>', description: 'S3: encryption on the server', choices: ['AES256', 'aws:kms'] },
          { flags: '--sse-kms-key-id <id>', description: 'S3: key for aws:kms' },
          { flags: '--storage-class <class>', description: 'S3: storage class of new packs' },
          {
            flags: '--checksum <when>',
            description: 'S3: checksums of requests',
            choices: ['when-required', 'when-supported'],
          },
          { flags: '--unsigned-payload', description: 'S3: leave bodies out of the signature (https only)' },
        ],
        examples: [
          ['mlv remote add origin s3://my-bucket/team', 'a bucket'],
          ['mlv remote add nas /mnt/nas/models', 'a directory'],
          ['mlv remote add eu s3://my-bucket-eu/team --mirror-of origin', 'a second place for the same objects'],
          ['mlv remote add lab sftp://ada@lab.example.com/srv/mlv', 'a directory behind SSH'],
          ['mlv remote add minio s3://models --endpoint https://minio.example.com --path-style', 'a compatible server'],
        ],
        careful: true,
        load: () => import('../verbs/remote-add.js'),
      },
      {
        usage: 'list',
        summary: 'List the remotes',
        examples: [['mlv remote list', 'names and URLs; * marks the default']],
        load: () => import('../verbs/remote-list.js'),
      },
      {
        usage: 'remove <name>',
        summary: 'Forget a remote; nothing on it is deleted',
        options: LEVELS,
        examples: [['mlv remote remove nas', 'from every level of this repository that names it']],
        careful: true,
        load: () => import('../verbs/remote-remove.js'),
      },
      {
        usage: 'default [name]',
        summary: 'Show or choose the default remote',
        options: LEVELS,
        examples: [
          ['mlv remote default', 'show it'],
          ['mlv remote default nas --local', 'for this clone only'],
        ],
        careful: true,
        load: () => import('../verbs/remote-default.js'),
      },
      {
        usage: 'copy <from> <to>',
        summary: 'Copy everything on one remote to another',
        description:
          'Checks every pack and record on its way, and leaves out what is damaged. A copy that was interrupted goes on ' +
          'where it was; one that is repeated brings what is new.',
        options: [
          { flags: '-n, --dry-run', description: 'only say what would be copied' },
          { flags: '-j, --jobs <count>', description: 'requests at once (core.jobs)' },
        ],
        examples: [
          ['mlv remote copy origin backup', 'a second place for everything'],
          ['mlv remote copy nas s3 --dry-run', 'how much would travel'],
        ],
        exits: [
          [5, 'something is damaged; everything else was copied'],
          [7, 'a remote cannot be used, or is being collected'],
        ],
        careful: true,
        load: () => import('../verbs/remote-copy.js'),
      },
    ],
  },
  {
    usage: 'config',
    summary: 'Read and change settings',
    verbs: [
      {
        usage: 'get <key>',
        summary: 'Print one setting; ends with 1 where it has no value',
        options: [...LEVELS, { flags: '--show-origin', description: 'with where it was set' }],
        examples: [['mlv config get cache.dir', 'the value in force']],
        load: () => import('../verbs/config-get.js'),
      },
      {
        usage: 'set <key> <value>',
        summary: 'Set one setting, for this clone unless another level is chosen',
        options: LEVELS,
        examples: [
          ['mlv config set core.stage true', 'mlv add stages pointers'],
          ['mlv config set --user cache.link hardlink,copy', 'for all repositories of mine'],
        ],
        careful: true,
        load: () => import('../verbs/config-set.js'),
      },
      {
        usage: 'unset <key>',
        summary: 'Remove one setting from a level; ends with 1 where it was not set',
        options: LEVELS,
        examples: [['mlv config unset core.stage', 'back to what other levels say']],
        careful: true,
        load: () => import('../verbs/config-unset.js'),
      },
      {
        usage: 'list',
        summary: 'List every setting in force',
        options: [...LEVELS, { flags: '--show-origin', description: 'with where each was set' }],
        examples: [['mlv config list --show-origin', 'what decides, and where']],
        load: () => import('../verbs/config-list.js'),
      },
    ],
  },
];
