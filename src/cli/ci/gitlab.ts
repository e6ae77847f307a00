import { comments, GATES, INSTALL, indented, PULL, REPORT, type Step } from './steps.js';

const MARK = '<!-- mlv report -->';

/** What `.gitlab-ci.yml` needs to include the jobs, where there is none yet. */
export function gitlabInclude(path: string): string {
  return `# Written by \`mlv ci init gitlab\`.\ninclude:\n  - local: ${path}\n`;
}

/** The jobs for GitLab CI. `packageSpec` is where mlv is installed from; a variable of the project without. */
export function gitlabJobs(packageSpec: string | undefined): string {
  const own = packageSpec === undefined ? [] : [`    MLV_PACKAGE: ${JSON.stringify(packageSpec)}`];
  return `${[
    ...comments(HEAD),
    '',
    '.mlv:',
    '  image: node:22',
    '  variables:',
    '    # The whole history: reports and audits look back.',
    "    GIT_DEPTH: '0'",
    '    # Outside .git, which the runner does not keep; in no commit, since it is excluded below.',
    '    MLV_CACHE_DIR: $CI_PROJECT_DIR/.mlv-objects',
    '    MLV_BASE: $CI_MERGE_REQUEST_DIFF_BASE_SHA',
    ...own,
    '  # Objects are named by their content; the key is of the pointers, so that new data makes a new cache.',
    '  cache:',
    '    key:',
    '      prefix: mlv',
    "      files: ['*.mlv', '**/*.mlv']",
    '    paths: [.mlv-objects]',
    '  before_script:',
    ...indented(item(INSTALL), 4),
    ...indented(item(PREPARE), 4),
    '',
    'mlv:check:',
    '  extends: .mlv',
    '  stage: test',
    '  rules:',
    "    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'",
    '    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH',
    '      variables:',
    '        MLV_BASE: $CI_COMMIT_BEFORE_SHA',
    '  script:',
    ...indented([...item(PULL), ...GATES.flatMap(item)], 4),
    '',
    'mlv:report:',
    '  extends: .mlv',
    '  stage: test',
    '  # Not after the gates: also where one of them fails.',
    '  needs: []',
    '  rules:',
    "    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'",
    '  variables:',
    '    MLV_REPORT: report.md',
    '  script:',
    ...indented([...item(REPORT), ...item(COMMENT)], 4),
    '  artifacts:',
    '    paths: [report.md]',
    '    expire_in: 30 days',
  ].join('\n')}\n`;
}

const HEAD = [
  'Written by `mlv ci init gitlab`; yours to change. docs/ci.md says what each part does, and what exit codes mean.',
  'Set these variables of the project, masked where they are secret: MLV_PACKAGE (where mlv is installed from), what your',
  'remote needs (AWS_ACCESS_KEY_ID, …), and MLV_REPORT_TOKEN, a project access token with the scope "api" and the role',
  'Reporter, which comments on merge requests. Without it the report is an artifact of the job.',
];

const PREPARE: Step = {
  name: 'Prepare the clone',
  why: ['The runner fetches the branch alone; the registry is another one, and its tags.'],
  script: [
    'mkdir -p "$(git rev-parse --git-common-dir)/info"',
    'echo /.mlv-objects >> "$(git rev-parse --git-common-dir)/info/exclude"',
    'if git ls-remote --exit-code origin refs/heads/mlv-registry > /dev/null; then',
    "  git fetch --quiet --tags origin '+refs/heads/mlv-registry:refs/remotes/origin/mlv-registry'",
    'fi',
  ],
};

// The token goes to curl through its input, so that no list of processes shows it.
const COMMENT: Step = {
  name: 'Comment on the merge request',
  why: ['One comment, which is written anew each time.'],
  script: [
    'if [ -z "$MLV_REPORT_TOKEN" ]; then echo "no MLV_REPORT_TOKEN: the report is an artifact"; exit 0; fi',
    'notes="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"',
    'api() {',
    '  printf \'header = "PRIVATE-TOKEN: %s"\\n\' "$MLV_REPORT_TOKEN" |',
    '    curl --config - --fail --silent --show-error "$@"',
    '}',
    `mine='const all = JSON.parse(require("fs").readFileSync(0, "utf8"));`,
    `  console.log(all.find(({ body }) => body.startsWith("${MARK}"))?.id ?? "")'`,
    'id=$(api "$notes?per_page=100&order_by=updated_at" | node -e "$mine")',
    '# A note of somebody else that begins alike cannot be changed.',
    'if [ -z "$id" ] || ! api --request PUT --data-urlencode "body@$MLV_REPORT" "$notes/$id" > /dev/null; then',
    '  api --request POST --data-urlencode "body@$MLV_REPORT" "$notes" > /dev/null',
    'fi',
  ],
};

/** Each step in a shell of its own, so that one that ends early ends nothing else. */
function item({ name, why, script }: Step): string[] {
  return [
    ...comments([`${name}.`, ...why]),
    '- |',
    ...indented(['(', ...indented(['set -eo pipefail', ...script], 2), ')'], 2),
  ];
}
