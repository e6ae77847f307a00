import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const REFERENCES =
  'A reference is fraud@1.4.0, fraud@^1.2, fraud@latest, fraud@production, fraud@production~1 (what was there before), ' +
  'fraud@production@{2026-03-01}, fraud alone (the latest), the oid of an artifact, a commit, or the digest of a ' +
  'manifest: docs/references.md.';
const CONDITIONS = 'Conditions are explained in docs/conditions.md.';

const where: OptionDeclaration = { flags: '--where <condition>', description: "such as 'metrics.auc > 0.9'" };
const limit: OptionDeclaration = { flags: '--limit <number>', description: 'show at most so many' };
const sort: OptionDeclaration = {
  flags: '--sort <name>',
  description: 'by version (default), created, or a metric or other figure, the best first',
};
const reverse: OptionDeclaration = { flags: '--reverse', description: 'turn the order round' };
const damaged = [5, 'a file of the registry is damaged or forged'] as const;

const listOptions: readonly OptionDeclaration[] = [
  { flags: '--stage <name>', description: 'only what stands on this stage; none for what stands nowhere' },
  where,
  sort,
  reverse,
  limit,
  { flags: '--metric <names>', description: 'metrics to show, instead of all', many: true },
  { flags: '--param <names>', description: 'parameters to show', many: true },
];

/** Verbs that ask the registry. */
export const registryQuestionVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'resolve <reference>',
    summary: 'Print the version that a reference means',
    description: `${REFERENCES} Prints MODEL@VERSION and nothing else.`,
    options: [
      { flags: '--key <text>', description: 'choose by traffic for this caller, always the same' },
      { flags: '--format <text>', description: "print this, with fields of --json in braces: '{commit}'" },
    ],
    examples: [
      ['mlv resolve fraud@production', 'for a script: fraud@1.4.0'],
      ['mlv resolve fraud@production --key user-123', 'the version that this caller gets of a canary or A/B test'],
      ["mlv resolve fraud@production --format '{commit}'", 'the commit that it was registered on'],
    ],
    exits: [damaged],
    load: () => import('../verbs/resolve.js'),
  },
  {
    usage: 'list [model]',
    summary: 'List the registered models, or the versions of one',
    description: CONDITIONS,
    options: listOptions,
    examples: [
      ['mlv list', 'all models, and what stands on their stages'],
      ['mlv list fraud --metric auc,f1 --sort auc', 'its versions by a metric'],
      ["mlv list fraud --where 'auc > 0.9' --stage staging", 'some of them'],
    ],
    exits: [damaged],
    load: () => import('../verbs/list.js'),
  },
  {
    usage: 'show <reference>',
    summary: 'Show everything that is known of a version',
    description: REFERENCES,
    options: [{ flags: '--no-events', description: 'leave out what happened to it' }],
    examples: [
      ['mlv show fraud@production', 'on which data it was trained, who approved it, and its history'],
      ['mlv show fraud@1.4.0 --json', 'the whole manifest, for a script'],
    ],
    exits: [damaged],
    load: () => import('../verbs/show.js'),
  },
  {
    usage: 'compare <reference> <references...>',
    summary: 'Compare versions: figures, parameters, data, environment, code',
    description:
      `What is the same in all is left out. Directories are compared file by file where their listings are in the cache. ` +
      `${REFERENCES}`,
    options: [{ flags: '--all', description: 'show what is the same, too' }],
    examples: [
      ['mlv compare fraud@production fraud@latest', 'what the new version would change'],
      ['mlv compare fraud@1.2.0 fraud@1.3.0 fraud@1.4.0', 'several with the first of them'],
    ],
    exits: [damaged],
    load: () => import('../verbs/compare.js'),
  },
  {
    usage: 'best <model>',
    summary: 'Print the version with the best figure',
    description:
      'Less is better for metrics that say so, or that are called loss, error, rmse, latency and the like ' +
      '(docs/params-and-metrics.md). Deprecated versions are left out; of equals the newest wins.',
    options: [
      { flags: '--metric <name>', description: 'the figure, such as auc or evaluations["holdout"].auc' },
      where,
      { flags: '--lower', description: 'less is better' },
      { flags: '--higher', description: 'more is better' },
      { flags: '--limit <number>', description: 'print so many, the best first (default: 1)' },
    ],
    examples: [
      ['mlv best fraud --metric auc', 'for a script: fraud@1.4.0'],
      ["mlv best fraud --metric rmse --where 'params.model.depth <= 8'", 'the best of the small ones'],
    ],
    exits: [damaged],
    load: () => import('../verbs/best.js'),
  },
  {
    usage: 'select [model]',
    summary: 'Print the versions that a condition chooses',
    description: `One a line, of one model or of all. ${CONDITIONS}`,
    options: [where, sort, reverse, limit],
    examples: [
      ['mlv select --where \'metrics.auc > 0.9 and stage == "staging"\'', 'of all models'],
      ['mlv select fraud --where \'data has "blake3:4f1c9a02"\'', 'what was trained on that data'],
    ],
    exits: [damaged],
    load: () => import('../verbs/select.js'),
  },
  {
    usage: 'history <model> [stage]',
    summary: 'Show what happened to a model: who, when, why',
    description:
      'The latest comes first. Gates that were failed or overridden are named. With fraud@1.4.0, or any other reference, that of one version.',
    options: [limit, { flags: '--reverse', description: 'the oldest first' }],
    examples: [
      ['mlv history fraud production', 'what was in production, since when, by whom'],
      ['mlv history fraud@1.4.0', 'what happened to one version'],
    ],
    exits: [damaged],
    load: () => import('../verbs/history.js'),
  },
  {
    usage: 'at [model]',
    summary: 'List the registry as it was at a date',
    description:
      'As mlv list. A day means its end in UTC. The order of the commits of the registry counts, so that no clock that ' +
      'was wrong somewhere can change it.',
    options: [{ flags: '--date <date>', description: 'such as 2026-03-01 or 2026-03-01T10:00:00Z' }, ...listOptions],
    examples: [
      ['mlv at --date 2026-03-01', 'what stood where on that day'],
      ['mlv at --date 2026-03-01T10:00:00Z fraud', 'the versions of one model at that moment'],
    ],
    exits: [damaged],
    load: () => import('../verbs/at.js'),
  },
  {
    usage: 'card <reference>',
    summary: 'Make the model card of a version',
    description:
      'Front matter as the Hugging Face Hub reads it, then Markdown, from the manifest and the card in model.yaml. ' +
      REFERENCES,
    options: [
      { flags: '-o, --output <file>', description: 'write it there' },
      { flags: '--force', description: 'overwrite the file' },
    ],
    examples: [
      ['mlv card fraud@production', 'print it'],
      ['mlv card fraud@1.4.0 -o README.md', 'for a repository on the Hub'],
    ],
    exits: [damaged],
    load: () => import('../verbs/card.js'),
  },
  {
    usage: 'complete <line>',
    summary: 'What the completion scripts call',
    hidden: true,
    load: () => import('../verbs/complete.js'),
  },
];
