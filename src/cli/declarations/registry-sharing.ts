import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const NO_PUSH: OptionDeclaration = {
  flags: '--no-push',
  description: 'keep it in this clone until mlv registry push',
};
const SIGN: OptionDeclaration = {
  flags: '--sign',
  description: 'sign with your Git signing key, also where nobody asks',
};
const BRANCH =
  'The registry is the branch mlv-registry of the Git remote; which one, the setting registry.remote says, else the ' +
  'current branch, else origin.';

/** Verbs that share the registry, and what it says beside versions. */
export const registrySharingVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'registry',
    summary: 'Share the registry of models with the Git remote',
    verbs: [
      {
        usage: 'push',
        summary: 'Send what was registered and decided with --no-push',
        description: `Each change is judged again on the newest state, and put behind what others wrote. ${BRANCH}`,
        examples: [['mlv registry push', 'back online']],
        exits: [
          [5, "the remote's history was rewritten, or a file of the registry is damaged"],
          [6, 'the policy in force now refuses one of the changes; nothing was sent'],
        ],
        careful: true,
        load: () => import('../verbs/registry-push.js'),
      },
      {
        usage: 'pull',
        summary: 'Take over what others registered and decided',
        description: `Tags of versions come along. What is only in this clone is judged again and put behind it. ${BRANCH}`,
        options: [
          { flags: '--drop-local', description: 'give up what is only in this clone' },
          {
            flags: '--accept-rewritten',
            description: "take the remote's history as it is, also where it lost what it had; gives up what it lacks",
          },
        ],
        examples: [
          ['mlv registry pull', 'before the train leaves'],
          ['mlv registry pull --drop-local', 'somebody else registered that version meanwhile'],
        ],
        exits: [
          [5, "the remote's history was rewritten, or a file of the registry is damaged"],
          [6, 'the policy in force now refuses one of the changes of this clone; it was kept as it was'],
        ],
        careful: true,
        load: () => import('../verbs/registry-pull.js'),
      },
      {
        usage: 'status',
        summary: 'Show how this clone stands to the Git remote',
        options: [{ flags: '--fetch', description: 'ask the Git remote first' }],
        examples: [['mlv registry status --fetch', 'has anybody promoted anything?']],
        exits: [[5, "the remote's history was rewritten"]],
        load: () => import('../verbs/registry-status.js'),
      },
    ],
  },
  {
    usage: 'policy',
    summary: 'Show, check or change who may do what with models',
    verbs: [
      {
        usage: 'show',
        summary: 'Show the policy in force',
        options: [{ flags: '--raw', description: 'the text of policy.yaml as it is' }],
        examples: [['mlv policy show --raw > policy.yaml', 'to change it']],
        exits: [[5, 'the policy cannot be read']],
        load: () => import('../verbs/policy-show.js'),
      },
      {
        usage: 'check <file>',
        summary: 'Check a policy file without putting it into force',
        examples: [['mlv policy check policy.yaml', 'in the pull request that changes it']],
        exits: [[5, 'it is not a policy']],
        load: () => import('../verbs/policy-check.js'),
      },
      {
        usage: 'set <file>',
        summary: 'Put a policy file into force',
        description: 'The policy that is in force until then decides who may do so. See docs/formats/policy.md.',
        options: [SIGN, NO_PUSH],
        examples: [['mlv policy set policy.yaml', 'from now on']],
        exits: [
          [5, 'it is not a policy'],
          [6, 'the policy in force does not let you'],
        ],
        careful: true,
        load: () => import('../verbs/policy-set.js'),
      },
    ],
  },
  {
    usage: 'model',
    summary: 'Show or change what is said of a model as a whole',
    verbs: [
      {
        usage: 'show <model>',
        summary: 'Show description, owners, licence and card of a model',
        examples: [['mlv model show fraud', 'whom to ask']],
        load: () => import('../verbs/model-show.js'),
      },
      {
        usage: 'edit <model>',
        summary: 'Change description, owners, licence and card of a model',
        description: 'What no option names stays as it is; an empty text takes a line out.',
        options: [
          { flags: '--description <text>', description: 'what it is for' },
          {
            flags: '--owner <person>',
            description: 'who answers for it; may be repeated; replaces those before',
            many: true,
          },
          { flags: '--licence <name>', description: 'such as Apache-2.0' },
          {
            flags: '--card <file>',
            description: "YAML with the front matter of its model card, as the Hub has it; '-' for standard input",
          },
          SIGN,
          NO_PUSH,
        ],
        examples: [
          [
            "mlv model edit fraud --description 'Scores card payments' --owner 'Ada <ada@example.com>'",
            'from its first day on',
          ],
          ['mlv model edit fraud --card card.yaml', 'tags, datasets and languages for the Hub'],
        ],
        exits: [[5, 'the card is not YAML']],
        careful: true,
        load: () => import('../verbs/model-edit.js'),
      },
    ],
  },
];
