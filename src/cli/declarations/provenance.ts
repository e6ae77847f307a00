import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const ENVIRONMENT: readonly OptionDeclaration[] = [
  {
    flags: '--any-python',
    description: 'with --env: take another minor version of Python where the recorded one is not here',
  },
  {
    flags: '--build',
    description: 'with --env: build packages that are there as source only; code of theirs runs then',
  },
];

/** Verbs that record and answer how data and models came to be. */
export const provenanceVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'run <command...>',
    summary: 'Run a command, and record what it read and what it made',
    description:
      'The command stands behind --, and runs in the current directory; its input, output, signals and exit code pass ' +
      'through. Where it ends well, its outputs are added as mlv add does, and their pointers name the record of the run: ' +
      'command, inputs, parameters, metrics, environment, commit and what the workspace had beyond it. A command that ' +
      'fails records nothing.',
    options: [
      { flags: '-n, --name <name>', description: 'what the run is called' },
      { flags: '-d, --input <path>', description: 'file or directory that it reads', many: true },
      { flags: '-p, --params <file[:names]>', description: 'parameters that it reads, of a file', many: true },
      { flags: '-o, --output <path>', description: 'file or directory that it writes, for mlv to track', many: true },
      { flags: '-m, --metrics <file>', description: 'figures that it writes; the file stays with Git', many: true },
      { flags: '--desc <text>', description: 'what it is for' },
      { flags: '--stage', description: 'stage pointers and ignore files in Git (git add)' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv run -d data/ -d train.py -p params.yaml -o model.pkl -m metrics.json -- python train.py', 'train'],
      ['mlv run -n prepare -d raw.csv -p params.yaml:split -o data/ -- python prepare.py --fast', 'some parameters'],
      ['mlv run -d data/ -o report/ -- sh -c "make report | tee log"', 'with a shell'],
    ],
    exits: [
      [5, 'a pointer of the inputs or outputs cannot be read'],
      [130, 'interrupted; any other is the exit code of the command'],
    ],
    careful: true,
    load: () => import('../verbs/run.js'),
  },
  {
    usage: 'repro [stage...]',
    summary: 'Run the stages of mlv.yaml that are out of date',
    description:
      'A stage is out of date when its command, its parameters or anything that it reads is not what it was in the run ' +
      'that made its outputs. What anybody ran before on the same is put back instead of being run again. Names of ' +
      'stages: those and all that they need; without, every stage.',
    options: [
      { flags: '-n, --dry-run', description: 'tell what would be done, and why' },
      { flags: '-f, --force', description: 'run also what is current, and put nothing back' },
      { flags: '-k, --keep-going', description: 'go on with what does not need a stage that failed' },
      { flags: '-j, --jobs <number>', description: 'commands at once, where none needs the other (1)' },
      { flags: '--stage', description: 'stage pointers and ignore files in Git (git add)' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv repro', 'everything that is out of date'],
      ['mlv repro --dry-run', 'what that is, and why'],
      ['mlv repro evaluate --jobs 4', 'one stage and what it needs'],
    ],
    exits: [[7, 'an earlier run is on the remote, and the remote failed']],
    careful: true,
    load: () => import('../verbs/repro.js'),
  },
  {
    usage: 'dag [stage...]',
    summary: 'Show the stages of mlv.yaml and what leads from one to another',
    options: [
      { flags: '--mermaid', description: 'as a Mermaid flowchart' },
      { flags: '--dot', description: 'as a graph for Graphviz' },
    ],
    examples: [
      ['mlv dag', 'every stage'],
      ['mlv dag evaluate --mermaid', 'one stage and what it needs, for a README'],
      ['mlv dag --dot | dot -Tsvg > pipeline.svg', 'a picture'],
    ],
    load: () => import('../verbs/dag.js'),
  },
  {
    usage: 'lineage <path-or-version>',
    summary: 'Show what something came of, and what came of it',
    description:
      'Of a tracked file or directory, a file inside one, an oid, a file of Git or a version: through all runs that are ' +
      'recorded in this repository, and all versions of the registry. PATH@REVISION is the content as of a commit.',
    options: [
      { flags: '--up', description: 'only what it came of' },
      { flags: '--down', description: 'only what came of it' },
      { flags: '--mermaid', description: 'as a flowchart for Mermaid' },
      { flags: '--dot', description: 'as a graph for Graphviz' },
    ],
    examples: [
      ['mlv lineage model.pkl', 'both ways'],
      ['mlv lineage fraud@production --up', 'what the model in production was made from'],
      ['mlv lineage raw.csv@v1.0 --dot | dot -Tsvg > lineage.svg', 'a picture'],
    ],
    load: () => import('../verbs/lineage.js'),
  },
  {
    usage: 'impact <path-or-oid>',
    summary: 'List the versions that were made from some data',
    description:
      'One line a version, trained on it directly or through other runs, with the stages it stands on today.',
    examples: [
      ['mlv impact data/2024/january.csv', 'which models have seen this file'],
      ['mlv impact raw.csv@v1.0 --json', 'for scripts'],
    ],
    load: () => import('../verbs/impact.js'),
  },
  {
    usage: 'why <path-or-version>',
    summary: 'Show the run that made a file, directory or version',
    examples: [
      ['mlv why model.pkl', 'command, code, inputs, parameters and figures'],
      ['mlv why fraud@production', 'the same of a version'],
    ],
    exits: [[4, 'no run is known that made it']],
    load: () => import('../verbs/why.js'),
  },
  {
    usage: 'restore <reference>',
    summary: 'Restore code, data, model and description of the environment of a version',
    description:
      'In a new linked working tree: the commit of the version, detached, with its artifacts, its data and those of its ' +
      'components, and what it had beyond the commit. This workspace stays as it is. The environment is described; with --env the part of it that is ' +
      'Python is made, in .venv, where Python and the packages are to be had.',
    options: [
      { flags: '--to <directory>', description: 'where (default: beside this repository)' },
      { flags: '--env', description: 'make the recorded Python environment there, with uv or pip' },
      ...ENVIRONMENT,
    ],
    examples: [
      ['mlv restore fraud@production', 'in ../fraud-1.4.0'],
      ['mlv restore fraud@1.2.0 --to /tmp/fraud --env', 'somewhere else, with its Python packages'],
    ],
    exits: [[4, 'something of it is not to be had: an object, or with --env a package']],
    careful: true,
    load: () => import('../verbs/restore.js'),
  },
  {
    usage: 'reproduce <reference>',
    summary: 'Run again what made a version, and compare what comes of it',
    description:
      "In a linked working tree of its own, with the version's code and data, the recorded command runs again, with the " +
      'variables that were recorded; it is whatever the version says, so ask it of versions that you trust. Verdict: bit-identical, ' +
      'equivalent (other bytes, all metrics within the tolerance) or different. It becomes an event of the version. ' +
      'This workspace stays as it is.',
    options: [
      { flags: '--all', description: 'run the whole chain again, from the data that no run made' },
      {
        flags: '--tolerance <amount>',
        description: '2% or 0.01 for all metrics, name=0.01 for one, name=any; may be repeated (default: 1%)',
        many: true,
      },
      { flags: '--env', description: 'make the recorded Python environment for it, with uv or pip' },
      ...ENVIRONMENT,
      { flags: '--to <directory>', description: 'do it there, and keep it' },
      { flags: '--keep', description: 'keep the directory, and tell where it is' },
      { flags: '--no-record', description: 'write no event' },
      { flags: '--reason <text>', description: 'why; stays in the history' },
      {
        flags: '--sign',
        description: "sign the event with Git's signing key even where the policy does not ask for it",
      },
      { flags: '--no-push', description: 'keep the event in this clone until mlv registry push' },
    ],
    examples: [
      ['mlv reproduce fraud@production', 'is the model what its record says?'],
      ['mlv reproduce fraud@1.4.0 --all --tolerance auc=0.005', 'from the raw data on'],
      ['mlv reproduce fraud@1.4.0 --no-record --to /tmp/again', 'to look at what came of it'],
    ],
    exits: [
      [3, 'the verdict is: different'],
      [4, 'no run is recorded, or something of it is not to be had'],
      [6, 'the policy refuses the event; nothing was written'],
    ],
    careful: true,
    load: () => import('../verbs/reproduce.js'),
  },
];
