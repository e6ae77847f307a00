import type { VerbDeclaration } from '../verb.js';

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
      [127, 'and any other: the exit code of the command'],
    ],
    careful: true,
    load: () => import('../verbs/run.js'),
  },
];
