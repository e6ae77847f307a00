import type { VerbDeclaration } from '../verb.js';

/** Verbs about the program itself. */
export const aboutVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'doctor',
    summary: 'Check the installation, this repository and its remotes',
    options: [{ flags: '--offline', description: 'do not try the remotes' }],
    examples: [['mlv doctor --json', 'to go with a bug report']],
    exits: [[1, 'a check failed']],
    load: () => import('../verbs/doctor.js'),
  },
  {
    usage: 'version',
    summary: 'Print the version',
    description: 'With --json also those of Node and Git, and which implementation of the hash is used.',
    examples: [['mlv version --json', 'with Node, Git and hash']],
    load: () => import('../verbs/version.js'),
  },
  {
    usage: 'completion <shell>',
    summary: 'Print the completion script for bash, zsh or fish',
    examples: [
      ['source <(mlv completion bash)', 'in ~/.bashrc'],
      ['mlv completion zsh > ~/.zfunc/_mlv', 'for zsh, with ~/.zfunc in $fpath'],
      ['mlv completion fish > ~/.config/fish/completions/mlv.fish', 'for fish'],
    ],
    load: () => import('../verbs/completion.js'),
  },
  {
    usage: 'help [verb...]',
    summary: 'Show help on mlv or on one verb',
    examples: [['mlv help remote add', 'options and examples']],
  },
];
