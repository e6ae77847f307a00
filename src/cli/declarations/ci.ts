import type { VerbDeclaration } from '../verb.js';

/** Verbs for jobs that check what was pushed. */
export const ciVerbs: readonly VerbDeclaration[] = [
  {
    usage: 'report',
    summary: 'Tell what a branch changes: data, parameters, metrics, versions',
    description:
      'In Markdown for a pull request on GitHub or GitLab. Compares with what the branch has in common with its base, so ' +
      'that what others did meanwhile is not in it. Reads Git and the cache; listings and records of runs that are not ' +
      'there are fetched, contents only with --schema.',
    options: [
      { flags: '--md', description: 'as Markdown, which is what it does anyway' },
      { flags: '--base <revision>', description: 'where the branch goes (origin/HEAD, main or master)' },
      { flags: '--head <revision>', description: 'the branch (HEAD)' },
      { flags: '--schema', description: 'also what drifted in changed tables up to 64 MiB' },
      { flags: '-o, --output <file>', description: 'write it to a file' },
    ],
    examples: [
      ['mlv report --md', 'what this branch changes'],
      ['mlv report --base v1.0 --head v1.1 --schema', 'between two releases, with drift'],
      ['mlv report --base origin/main --output report.md', 'for a job that posts it'],
    ],
    load: () => import('../verbs/report.js'),
  },
  {
    usage: 'ci',
    summary: 'Run checks and reports in CI',
    verbs: [
      {
        usage: 'init <host>',
        summary: 'Write a workflow for github or gitlab',
        description:
          'A commented workflow: a cache of objects between jobs, the data of exactly that commit, gates, and a report as a ' +
          'comment. What it writes is yours to change; docs/ci.md tells of each part.',
        options: [
          {
            flags: '--package <spec>',
            description: 'what npm installs mlv from (the variable MLV_PACKAGE of the host)',
          },
          { flags: '-n, --dry-run', description: 'print it, and write nothing' },
          { flags: '--force', description: 'replace what is there' },
        ],
        examples: [
          ['mlv ci init github', 'writes .github/workflows/mlv.yml'],
          ['mlv ci init gitlab --dry-run', 'shows .gitlab/mlv.yml'],
        ],
        load: () => import('../verbs/ci-init.js'),
      },
    ],
  },
];
