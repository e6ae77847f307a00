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
      'are there already run before. MLV_HOOKS=0 before a command skips the hooks of mlv once: see docs/hooks.md.',
    verbs: [
      {
        usage: 'install',
        summary: 'Install the hooks in this repository, beside those that are there',
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
        summary: 'Take the hooks of mlv away, and put back what was there before',
        examples: [['mlv hooks uninstall', 'pointers and content stay as they are']],
        load: async () => ({ run: (await load()).uninstall }),
      },
      {
        usage: 'status',
        summary: 'Show which hooks are installed, and where',
        examples: [['mlv hooks status --json', 'for scripts']],
        load: async () => ({ run: (await load()).status }),
      },
    ],
  },
  {
    usage: 'hook <name> [facts...]',
    summary: 'What the installed hooks call',
    hidden: true,
    load: () => import('../verbs/hook.js'),
  },
];
