import type { VerbDeclaration } from '../verb.js';

const load = (): Promise<typeof import('../verbs/hooks.js')> => import('../verbs/hooks.js');

/** Verbs that make Git call mlv. */
export const hookVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'hooks',
    summary: 'Let Git call mlv on checkout, merge, commit and push',
    description:
      'After a checkout, merge or rebase the content follows the pointers that changed; a commit refuses large files ' +
      'that nobody tracks and pointers without content; a push sends the objects of what it pushes first. Hooks that ' +
      'are there already run before. MLV_HOOKS=0 before a command skips the hooks of mlv once: see docs/hooks.md. ' +
      'With the hooks, Git also merges pointers with mlv, and shows in diffs what is in them: see docs/merging.md.',
    verbs: [
      {
        usage: 'install',
        summary: 'Install hooks and merge driver in this repository, beside the hooks that are there',
        options: [
          {
            flags: '--shared',
            description: 'also where core.hooksPath leads out of this repository, for all that use it',
          },
        ],
        examples: [['mlv hooks install', 'again after an update of mlv; harmless']],
        load: async () => ({ run: (await load()).install }),
      },
      {
        usage: 'uninstall',
        summary: 'Take hooks and merge driver of mlv away, and put back what was there before',
        examples: [['mlv hooks uninstall', 'pointers and content stay as they are']],
        load: async () => ({ run: (await load()).uninstall }),
      },
      {
        usage: 'status',
        summary: 'Show which hooks are installed, and where, and whether Git merges with mlv',
        examples: [['mlv hooks status --json', 'for scripts']],
        load: async () => ({ run: (await load()).status }),
      },
    ],
  },
  {
    usage: 'resolve-conflict [path...]',
    summary: 'Settle pointers that a merge left in conflict',
    description:
      'Without a side, lists the pointers that Git has in conflict, and the files in them. With one, settles the ' +
      'conflicts of the given paths (targets, what holds them, or files in a tracked directory) for that side; what does ' +
      'not conflict is merged all the same. --by-metric takes the whole content of the side whose run has the better ' +
      'figure. The content follows; work that is in no object stays. See docs/merging.md.',
    options: [
      { flags: '--ours', description: 'our side: the branch that is merged into (in a rebase, the one rebased onto)' },
      { flags: '--theirs', description: 'the other side' },
      { flags: '--by-metric <name>', description: 'the side whose run has the better metric' },
      { flags: '--higher', description: 'more is better; by default as the metric, or its name, says' },
      { flags: '--lower', description: 'less is better' },
      {
        flags: '--file <path>',
        description: 'only this file, by its path in the directory; may be repeated',
        many: true,
      },
      { flags: '--all', description: 'list every file in conflict, not just the first 20 of a target' },
      { flags: '--stage', description: 'stage what is settled in Git (git add)' },
      { flags: '--no-stage', description: 'leave the Git index alone, whatever core.stage says' },
    ],
    examples: [
      ['mlv resolve-conflict', 'what is in conflict'],
      [
        'mlv resolve-conflict --theirs data --file labels.csv',
        'one file of a directory; data/labels.csv names it, too',
      ],
      ['mlv resolve-conflict --by-metric auc --stage model.pkl', 'the better model, and git add'],
    ],
    exits: [
      [4, 'a listing, or the record of a run, is not to be had'],
      [5, 'a side of the conflict is not a pointer'],
    ],
    careful: true,
    load: () => import('../verbs/resolve-conflict.js'),
  },
  {
    usage: 'merge-driver <base> <ours> <theirs> <path>',
    summary: 'What Git calls to merge pointers',
    hidden: true,
    options: [{ flags: '--ancestor', description: 'between common ancestors: no side wins a conflict' }],
    load: () => import('../verbs/merge-driver.js'),
  },
  {
    usage: 'hook <name> [arguments...]',
    summary: 'What the installed hooks call',
    hidden: true,
    options: [{ flags: '--facts', description: 'the arguments are what was found, not what Git gave the hook' }],
    load: () => import('../verbs/hook.js'),
  },
];
