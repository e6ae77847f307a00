import type { OptionDeclaration, VerbDeclaration } from '../verb.js';

const REASON: OptionDeclaration = { flags: '--reason <text>', description: 'why; stays in the history' };
const TICKET: OptionDeclaration = { flags: '--ticket <id>', description: 'a ticket or change request it belongs to' };
const WRITING: readonly OptionDeclaration[] = [
  { flags: '--sign', description: "sign with Git's signing key even where the policy does not ask for it" },
  { flags: '--no-push', description: 'keep it in this clone until mlv registry push' },
  { flags: '-n, --dry-run', description: 'judge it, and write nothing' },
];
const REFUSED = [6, 'the policy refuses it; nothing was written'] as const;

/** Verbs that move versions through stages, judge them and check the registry. */
export const registryStageVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'promote <reference> <stage>',
    summary: 'Put a version on a stage, where the policy lets it',
    description:
      'Every gate of the stage is judged by the policy in force on the registry branch, and printed with its figure. ' +
      'With --traffic the version shares the stage with those that stand there. See docs/registry.md.',
    options: [
      REASON,
      TICKET,
      { flags: '--traffic <percent>', description: 'share of the callers (default: 100, the whole)' },
      {
        flags: '--run-checks',
        description:
          "run the stage's checks in the restored version: commands of the policy, which others may have written",
      },
      { flags: '--override', description: 'go on over failed gates, where the policy lets you; needs --reason' },
      ...WRITING,
    ],
    examples: [
      ['mlv promote fraud@1.4.0 staging', 'the first step'],
      ['mlv promote fraud@1.4.0 production --traffic 10', 'a canary for a tenth of the callers'],
      ['mlv promote fraud@staging production --dry-run', 'would it pass, and by how much?'],
    ],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/promote.js'),
  },
  {
    usage: 'demote <reference>',
    summary: 'Take a version from a stage',
    options: [
      { flags: '--from <stage>', description: 'the stage that it leaves, where it stands on several' },
      { flags: '--to <stage>', description: 'the stage that it goes to (default: none)' },
      REASON,
      ...WRITING,
    ],
    examples: [['mlv demote fraud@1.4.0 --from production --to staging', 'back to where it was tested']],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/demote.js'),
  },
  {
    usage: 'archive <reference>',
    summary: 'Take a version from all stages, for good',
    options: [REASON, ...WRITING],
    examples: [["mlv archive fraud@1.0.0 --reason 'out of support'", 'its record and its objects stay']],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/archive.js'),
  },
  {
    usage: 'rollback <model> <stage>',
    summary: 'Give a stage back to the last good version that stood there',
    description:
      'Passed over is what is deprecated, rejected for the stage, or was rolled back itself. Before anything is written, ' +
      'all artifacts and data of the version and of its components are looked for on the remote.',
    options: [
      { flags: '--to <version>', description: 'this version, which must have stood there' },
      {
        flags: '--smoke <command>',
        description: 'run this in the restored version first; go back only if it ends with 0',
      },
      REASON,
      ...WRITING,
    ],
    examples: [
      ["mlv rollback fraud production --reason 'error rate doubled'", 'what was there before'],
      ['mlv rollback fraud production --dry-run', 'which version would it be?'],
    ],
    exits: [[4, 'objects of the version are missing; nothing was written'], REFUSED],
    careful: true,
    load: () => import('../verbs/rollback.js'),
  },
  {
    usage: 'approve <reference>',
    summary: 'Approve a version for a stage',
    description:
      "Signed with Git's signing key where the policy asks for it. The author of a version cannot approve it.",
    options: [
      { flags: '--stage <stage>', description: 'the stage that it is approved for' },
      REASON,
      TICKET,
      { flags: '--attach <file>', description: 'keep this file with the approval; may be repeated', many: true },
      ...WRITING,
    ],
    examples: [
      ["mlv approve fraud@1.4.0 --stage production --reason 'validated' --attach report.html", 'with the evidence'],
    ],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/approve.js'),
  },
  {
    usage: 'reject <reference>',
    summary: 'Reject a version for a stage',
    description: 'A rejection keeps the version from the stage until the same person approves it.',
    options: [
      { flags: '--stage <stage>', description: 'the stage that it is rejected for' },
      REASON,
      TICKET,
      { flags: '--attach <file>', description: 'keep this file with the rejection; may be repeated', many: true },
      ...WRITING,
    ],
    examples: [["mlv reject fraud@1.4.0 --stage production --reason 'biased on region 7'", 'it stays where it is']],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/reject.js'),
  },
  {
    usage: 'evaluate <reference>',
    summary: 'Record what was measured of a version later',
    options: [
      { flags: '-m, --metric <name=value>', description: 'a figure; may be repeated', many: true },
      { flags: '--metrics <file>', description: 'figures from JSON, YAML or CSV; may be repeated', many: true },
      { flags: '--on <data>', description: 'the data set: a tracked path, or a name' },
      REASON,
      ...WRITING,
    ],
    examples: [
      ['mlv evaluate fraud@1.4.0 -m auc=0.91 --on holdout', 'for a gate that asks for it'],
      ['mlv evaluate fraud@production --metrics june.json --on june', 'how it does on new data'],
    ],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/evaluate.js'),
  },
  {
    usage: 'deprecate <reference>',
    summary: 'Say that a version should not be used any more',
    options: [{ flags: '--successor <reference>', description: 'what to use instead' }, REASON, ...WRITING],
    examples: [['mlv deprecate fraud@1.2.0 --successor fraud@1.4.0', 'nothing goes back to it either']],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/deprecate.js'),
  },
  {
    usage: 'deploy-note <reference>',
    summary: 'Note where a version was rolled out to',
    options: [
      { flags: '--target <name>', description: 'a cluster, a region, an endpoint' },
      { flags: '--stage <stage>', description: 'the stage that it serves there' },
      { flags: '-m, --message <text>', description: 'anything else' },
      ...WRITING,
    ],
    examples: [['mlv deploy-note fraud@production --target eu-west-1', 'from the job that deploys']],
    exits: [REFUSED],
    careful: true,
    load: () => import('../verbs/deploy-note.js'),
  },
  {
    usage: 'guard <model> <stage>',
    summary: 'Compare what was observed of a stage with its baseline, and go back on request',
    description:
      'Each figure is compared with what was registered, and with what other versions do on the same data: where they ' +
      'fell, too, the data is at fault and not the version. The verdict is kept in the registry. See docs/registry.md.',
    options: [
      { flags: '-m, --metric <name=value>', description: 'a figure that was observed; may be repeated', many: true },
      {
        flags: '--observed <file>',
        description: 'observed figures; below "versions" those of several versions (JSON)',
      },
      { flags: '--on <data>', description: 'take what mlv evaluate --on this recorded, of all versions' },
      { flags: '--tolerance <share>', description: '5% for all, or name=20% for one; may be repeated', many: true },
      {
        flags: '--version <version>',
        description: 'which of those that share the stage (default: the last that came)',
      },
      { flags: '--rollback', description: 'go back where the version is at fault' },
      ...WRITING,
    ],
    examples: [
      ['mlv guard fraud production -m auc=0.84 -m error_rate=0.02', 'from a nightly job'],
      ['mlv guard fraud production --observed june.json --tolerance 3% --rollback', 'and act on it'],
    ],
    exits: [[3, 'not healthy'], REFUSED],
    careful: true,
    load: () => import('../verbs/guard.js'),
  },
  {
    usage: 'audit [model]',
    summary: "Check the registry's whole history against its policy",
    description:
      'Judges every commit by the policy that was in force before it: signatures, gates, approvals, digests, and that ' +
      'nothing was changed, taken away or moved. Needs nothing but the clone.',
    options: [
      { flags: '--exit-code', description: 'end with 5 where there is a fault' },
      { flags: '--report <file>', description: 'write a report: Markdown, or JSON where the name ends so' },
      { flags: '--fetch', description: 'ask the Git remote for its branch and tags first' },
    ],
    examples: [
      ['mlv audit --exit-code', 'for CI'],
      ['mlv audit fraud --report audit.md', 'for the compliance file'],
    ],
    exits: [[5, 'faults were found, with --exit-code']],
    load: () => import('../verbs/audit.js'),
  },
];
