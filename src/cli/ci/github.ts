import { comments, GATES, INSTALL, indented, PULL, REPORT, type Step } from './steps.js';

const MARK = '<!-- mlv report -->';

/** The workflow for GitHub Actions. `packageSpec` is where mlv is installed from; a variable of the repository without. */
export function githubWorkflow(packageSpec: string | undefined): string {
  const from = packageSpec === undefined ? expression('vars.MLV_PACKAGE') : JSON.stringify(packageSpec);
  return `${[
    ...comments(HEAD),
    'name: mlv',
    '',
    'on:',
    '  pull_request:',
    '  push:',
    '    branches: [main]',
    '',
    '# Nothing more than is named below: jobs cannot write to the repository.',
    'permissions:',
    '  contents: read',
    '',
    'env:',
    '  # Where mlv is installed from: a variable of the repository, or write it here.',
    `  MLV_PACKAGE: ${from}`,
    `  MLV_BASE: ${EXPRESSION.base}`,
    '',
    'jobs:',
    '  check:',
    '    runs-on: ubuntu-latest',
    '    steps:',
    ...indented([...setUp('actions/cache@v4'), ...step(PULL), ...GATES.flatMap((each) => step(each))], 6),
    '',
    '  report:',
    '    # Also where a gate failed; not for forks, whose jobs may not comment.',
    '    needs: check',
    `    if: ${EXPRESSION.own}`,
    '    runs-on: ubuntu-latest',
    '    permissions:',
    '      contents: read',
    '      pull-requests: write',
    '    env:',
    '      MLV_REPORT: report.md',
    '    steps:',
    ...indented(
      [...setUp('actions/cache/restore@v4'), ...step(REPORT), ...step(SUMMARY), ...step(COMMENT, COMMENT_ENV)],
      6,
    ),
  ].join('\n')}\n`;
}

const HEAD = [
  'Written by `mlv ci init github`; yours to change. docs/ci.md says what each part does, and what exit codes mean.',
  'Set the repository variable MLV_PACKAGE, and the secrets that your remote needs: those of S3 stand below, where they',
  'are used, as examples.',
];

function expression(text: string): string {
  return `\${{ ${text} }}`;
}

/** None of them puts text of a pull request into a script. */
const EXPRESSION = {
  base: expression('github.event.pull_request.base.sha || github.event.before'),
  own: expression(
    "!cancelled() && github.event_name == 'pull_request' && " +
      'github.event.pull_request.head.repo.full_name == github.repository',
  ),
  os: expression('runner.os'),
  pointers: expression("hashFiles('**/*.mlv')"),
};

/** Only the steps that talk to the remote see them; forks get none. */
const CREDENTIALS: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: expression('secrets.AWS_ACCESS_KEY_ID'),
  AWS_SECRET_ACCESS_KEY: expression('secrets.AWS_SECRET_ACCESS_KEY'),
};

/** What both jobs begin with. `cache` restores and saves, or only restores. */
function setUp(cache: string): string[] {
  return [
    '- uses: actions/checkout@v5',
    '  with:',
    '    # The whole history: reports and audits look back. The token is not left in the clone.',
    '    fetch-depth: 0',
    '    persist-credentials: false',
    '- uses: actions/setup-node@v5',
    '  with:',
    '    node-version: 22',
    '    package-manager-cache: false',
    ...step(INSTALL),
    '# Objects are named by their content, so what an older cache has is as good.',
    `- uses: ${cache}`,
    '  with:',
    '    path: .git/mlv',
    `    key: mlv-${EXPRESSION.os}-${EXPRESSION.pointers}`,
    `    restore-keys: mlv-${EXPRESSION.os}-`,
  ];
}

const SUMMARY: Step = {
  name: 'Show it in the summary of the job',
  why: [],
  script: ['cat "$MLV_REPORT" >> "$GITHUB_STEP_SUMMARY"'],
};

const COMMENT: Step = {
  name: 'Comment on the pull request',
  why: ['One comment, which is written anew each time.'],
  script: [
    'comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"',
    `mine='.[] | select(.user.type == "Bot" and (.body | startswith("${MARK}"))) | .id'`,
    'id=$(gh api --paginate "$comments" --jq "$mine" | sed -n 1p)',
    'if [ -n "$id" ]; then',
    '  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$MLV_REPORT"',
    'else',
    '  gh api --silent --method POST "$comments" --field "body=@$MLV_REPORT"',
    'fi',
  ],
};

const COMMENT_ENV: Readonly<Record<string, string>> = {
  GH_TOKEN: expression('github.token'),
  PULL_REQUEST: expression('github.event.pull_request.number'),
};

function step({ name, why, script, remote }: Step, env: Readonly<Record<string, string>> = {}): string[] {
  const variables = Object.entries({ ...(remote && CREDENTIALS), ...env }).map(
    ([key, value]) => `    ${key}: ${value}`,
  );
  return [
    ...comments(why),
    `- name: ${name}`,
    ...(variables.length > 0 ? ['  env:', ...variables] : []),
    '  shell: bash',
    '  run: |',
    ...indented(script, 4),
  ];
}
