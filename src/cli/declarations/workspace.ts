import type { VerbDeclaration } from '../verb.js';
import { profileOptionDeclarations } from './data.js';

const REVISIONS =
  'A version of a model (fraud@production) is as good as a revision: that of the commit it was registered on. A name that is a ' +
  'tracked path is taken for the path; `--` separates revisions from paths.';

/** Verbs that work on the workspace, the pointers and the cache. */
export const workspaceVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'init',
    summary: 'Start using mlv in this Git repository',
    description: 'Writes mlv.yaml, which belongs in Git. Running it again changes nothing.',
    options: [
      { flags: '--hash <algorithm>', description: 'what objects are named by', choices: ['blake3', 'sha256'] },
      {
        flags: '--git-attributes',
        description: 'have Git merge and show pointers with mlv: .gitattributes, and the configuration of this clone',
      },
    ],
    examples: [
      ['mlv init', 'start with BLAKE3, the default'],
      ['mlv init --hash sha256', 'where only FIPS 180 hashes are allowed'],
    ],
    careful: true,
    load: () => import('../verbs/init.js'),
  },
  {
    usage: 'add <path...>',
    summary: 'Track files and directories, or record their new content',
    description:
      'Stores the content in the cache, writes a pointer NAME.mlv beside each path and a line in the .gitignore beside ' +
      'it. The pointers belong in Git. Patterns (* ? [..] {..} **) are expanded where the shell did not; * does not ' +
      'match names that begin with a dot. What .mlvignore files name is left out of directories. Of a path inside a ' +
      'tracked directory only that is recorded: the rest of the directory need not be here.',
    options: [
      { flags: '--stage', description: 'stage pointers and ignore files in Git (git add)' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv add data/ model.pkl', 'track a directory and a file'],
      ["mlv add 'models/**/*.onnx'", 'track every file that matches'],
      ['mlv add data/new.png', 'one file more in a directory that is tracked, here or not'],
      ['mlv add --stage -- -odd-name', 'a name that begins with a dash; stage its pointer'],
    ],
    careful: true,
    inRepository: true,
    load: () => import('../verbs/add.js'),
  },
  {
    usage: 'status [path...]',
    summary: 'Show what differs between the workspace and the pointers',
    options: [
      {
        flags: '--remote [name]',
        description: 'also what this remote, or the default one and its mirrors, lack; may be repeated',
        many: true,
      },
      { flags: '--exit-code', description: 'end with 3 when something differs' },
      { flags: '--all', description: 'list every changed file, not just the first 20 of a target' },
    ],
    examples: [
      ['mlv status', 'everything that is tracked'],
      ['mlv status data/2024 --json', 'one part of a tracked directory, for a script'],
      ['mlv status --remote --exit-code', 'in a CI job: is everything recorded and pushed?'],
    ],
    exits: [
      [3, 'something differs, with --exit-code'],
      [5, 'a pointer cannot be read'],
    ],
    inRepository: true,
    load: () => import('../verbs/status.js'),
  },
  {
    usage: 'diff [revision-or-path...]',
    summary: 'Show which files differ between revisions, the index and the workspace',
    description:
      'Without a revision, compares the index with the workspace; with one, that revision with the workspace; with ' +
      `two (or A..B), the first with the second. ${REVISIONS}`,
    options: [
      { flags: '--staged', description: 'compare HEAD, or the revision, with the index' },
      { flags: '--stat', description: 'print the totals only' },
      { flags: '--exit-code', description: 'end with 3 when something differs; with --schema, when there is drift' },
      { flags: '--schema', description: 'of one file of rows: columns, types, ranges, nulls and values that changed' },
      {
        flags: '--tolerance <share>',
        description: 'with --schema: change in the share of nulls that is no drift (0.01)',
      },
      ...profileOptionDeclarations.map((each) => ({ ...each, description: `with --schema: ${each.description}` })),
    ],
    examples: [
      ['mlv diff', 'what changed since the pointers were staged'],
      ['mlv diff HEAD~1 HEAD', 'what the last commit changed'],
      ['mlv diff v1.0 -- data/', 'what changed below data/ since v1.0'],
      ['mlv diff fraud@production fraud@latest', 'what differs between two versions of a model'],
      ['mlv diff --schema --exit-code v1.0 HEAD data/train.csv', 'did the data drift between two versions?'],
    ],
    exits: [
      [3, 'something differs, with --exit-code'],
      [4, 'a directory listing is neither in the cache nor to be had from its remote'],
    ],
    inRepository: true,
    load: () => import('../verbs/diff.js'),
  },
  {
    usage: 'ls [revision-or-path...]',
    summary: 'List what is tracked',
    description:
      `The first operand is a revision where it names one. ${REVISIONS} Where it is the address of another Git repository, ` +
      'what that one tracks is listed, at a path or in a version of its registry, without a clone.',
    options: [
      { flags: '-r, --recursive', description: 'list everything below directories' },
      { flags: '-l, --long', description: 'with kind, size and object' },
      { flags: '-z, --null', description: 'end lines with NUL and quote nothing' },
      { flags: '--rev <revision>', description: 'of a repository elsewhere, this branch, tag, commit or version' },
    ],
    examples: [
      ['mlv ls', 'the tracked files and directories'],
      ['mlv ls -l data/2024', 'one directory, with sizes'],
      ['mlv ls -r HEAD~1 data/', 'every file that it held one commit ago'],
      ['mlv ls -r fraud@production data/', 'every file of the data that the version in production has'],
      ['mlv ls -l https://git.example.com/data.git images', 'of a repository that nobody cloned'],
    ],
    exits: [[4, 'a directory listing is neither in the cache nor to be had from its remote']],
    inRepository: true,
    load: () => import('../verbs/ls.js'),
  },
  {
    usage: 'du [revision-or-path...]',
    summary: 'Show how much space tracked data takes',
    description: `The first operand is a revision where it names one. ${REVISIONS}`,
    options: [{ flags: '--bytes', description: 'print plain numbers of bytes' }],
    examples: [
      ['mlv du', 'every tracked file and directory, and the total'],
      ['mlv du data/', 'the directories in data/'],
    ],
    exits: [[4, 'a directory listing is neither in the cache nor to be had from its remote']],
    load: () => import('../verbs/du.js'),
  },
  {
    usage: 'checkout [path-or-version...]',
    summary: 'Bring the workspace to what the pointers say',
    description:
      'Files whose content is in no object are never overwritten without --force; they are listed, and everything else ' +
      'is done. Without paths, everything that is tracked, and of partial directories the part that is wanted here. A version of a model (fraud@1.4.0) is brought as git restore ' +
      '--source would: its pointers and their content, with what it consists of; HEAD and the index stay. What exists as ' +
      'a path is taken for the path.',
    options: [
      { flags: '--force', description: 'overwrite files with unsaved content' },
      { flags: '--artifacts-only', description: 'of a version, leave out its data' },
      { flags: '--clean', description: 'remove files of tracked directories that the pointer does not name' },
    ],
    examples: [
      ['mlv checkout', 'after git checkout or git pull'],
      ['mlv checkout data/2024', 'one part of a tracked directory'],
      ['mlv checkout fraud@1.4.0', 'the artifacts and data of a registered version'],
      ['mlv checkout --force model.pkl', 'throw my changes away'],
    ],
    exits: [
      [1, 'unsaved files stood in the way and were kept'],
      [4, 'objects are not in the cache; mlv pull fetches them'],
      [5, 'an object or pointer is damaged'],
    ],
    careful: true,
    inRepository: true,
    load: () => import('../verbs/checkout.js'),
  },
  {
    usage: 'rm <path...>',
    summary: 'Stop tracking, and remove from the workspace',
    description:
      'Objects stay in the cache and on the remotes, so that older commits keep working. A path inside a tracked directory ' +
      'is taken out of it, whether it is here or not.',
    options: [
      { flags: '--keep', description: 'leave the file or directory in the workspace' },
      { flags: '--force', description: 'remove content that is in no object, too' },
      { flags: '--stage', description: 'record the removal in the Git index' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv rm old-model.pkl', 'remove it and its pointer'],
      ['mlv rm --keep data/', 'stop tracking, keep the files'],
      ['mlv rm data/old.png', 'out of a tracked directory'],
    ],
    careful: true,
    load: () => import('../verbs/rm.js'),
  },
  {
    usage: 'mv <from> <to>',
    summary: 'Move or rename what is tracked, with its pointer',
    description:
      'Inside a tracked directory, and from one to another, paths are moved whether they are here or not. What was moved ' +
      'with other tools before is only recorded.',
    options: [
      { flags: '--stage', description: 'record the move in the Git index' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv mv model.pkl models/fraud.pkl', 'a new name'],
      ['mlv mv data archive/', 'into a directory'],
      ['mlv mv data/a.png data/b.png', 'inside a tracked directory'],
    ],
    careful: true,
    load: () => import('../verbs/mv.js'),
  },
  {
    usage: 'sparse',
    summary: 'Have only a part of a tracked directory here',
    description:
      'mlv pull of a path inside a directory brings a part, or more of it; mlv pull of the directory brings all of it. ' +
      'What is not here is no deletion: see docs/partial-directories.md.',
    verbs: [
      {
        usage: 'set <path...>',
        summary: 'Want these parts of their directories here, and no others',
        description:
          'Brings what is not here, from the remote where the cache lacks it; the rest leaves the workspace where it is as the ' +
          'pointer says and in the cache, which keeps it (mlv drop takes it from there, too). Patterns are those of .gitignore.',
        examples: [
          ['mlv sparse set data/images/0 data/labels.csv', 'these two, of data'],
          ["mlv sparse set 'data/**/*.csv'", 'what matches'],
        ],
        exits: [
          [1, 'something that is saved nowhere stayed'],
          [4, 'objects are missing; nothing was removed'],
          [7, 'the remote cannot be used; nothing was removed'],
        ],
        careful: true,
        load: () => import('../verbs/sparse-set.js'),
      },
      {
        usage: 'list',
        summary: 'List which parts are wanted here',
        examples: [['mlv sparse list', 'of every directory that is partial in this working tree']],
        load: () => import('../verbs/sparse-list.js'),
      },
    ],
  },
  {
    usage: 'unprotect <path...>',
    summary: 'Make linked files private copies that can be edited',
    description:
      'Needed only with cache.link set to hardlink or symlink, where files share their bytes with the cache.',
    examples: [['mlv unprotect model.pkl', 'before a script rewrites it in place']],
    careful: true,
    load: () => import('../verbs/unprotect.js'),
  },
  {
    usage: 'cat <path-or-git-url> [path]',
    summary: 'Print the content of a tracked file, as of any revision',
    description:
      'The revision, or the version of a model, follows an @: path@revision. Paths inside tracked directories work, too. ' +
      'What the cache lacks is fetched from the remote. An oid is that object of the cache. Behind the address of another Git repository, a file of that one, without a clone.',
    options: [
      { flags: '--rev <revision>', description: 'of a repository elsewhere, this branch, tag, commit or version' },
    ],
    examples: [
      ['mlv cat data/labels.csv | head', 'as the pointer says'],
      ['mlv cat model.pkl@v1.0 > old.pkl', 'as of a tag'],
      ['mlv cat data/labels.csv@fraud@production', 'as the version in production has it'],
      ['mlv cat git@example.com:team/data.git labels.csv | head', 'of another repository'],
    ],
    exits: [
      [4, 'the object is neither in the cache nor on the remote'],
      [5, 'the object is damaged; what was printed is not to be used'],
    ],
    load: () => import('../verbs/cat.js'),
  },
];
