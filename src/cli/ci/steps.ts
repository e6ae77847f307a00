/** A step of a job: what it is for, and what a shell runs for it. */
export interface Step {
  name: string;
  /** Why it is there, for who reads the file. */
  why: readonly string[];
  /** For bash with `-e -o pipefail`, as both hosts run it. */
  script: readonly string[];
  /** Whether it talks to the remote, and needs its credentials. */
  remote?: true;
}

/** Makes `mlv` available. Where it comes from is up to the team: a name that nobody owns could become anybody's. */
export const INSTALL: Step = {
  name: 'Install mlv',
  why: [],
  script: [
    'if [ -z "$MLV_PACKAGE" ]; then',
    '  echo "MLV_PACKAGE is not set: the URL or path of the tarball of mlv, or its name in your registry" >&2',
    '  exit 1',
    'fi',
    'npm install --global --no-audit --no-fund "$MLV_PACKAGE"',
    'mlv version',
  ],
};

/** Brings exactly the data that the commit names. */
export const PULL: Step = {
  name: 'Pull the data of this commit',
  why: ['Every byte is checked against the pointers of this commit, wherever it comes from.'],
  script: ['mlv pull'],
  remote: true,
};

/** What the cache has may be on no remote: others could not pull it. */
const ON_REMOTE: Step = {
  name: 'Everything is recorded and on the remote',
  why: ['The cache of the jobs may have what nobody pushed.'],
  script: ['mlv status --remote --exit-code'],
  remote: true,
};

/** The check of the pre-commit hook, for all commits of the branch at once: not everybody installs hooks. */
const HOOK_CHECKS: Step = {
  name: 'No large file in Git, no pointer without content',
  why: ["What the pre-commit hook refuses, for those who have none: the branch's changes are staged in a tree beside."],
  script: [
    'base=$(git merge-base "$MLV_BASE" HEAD 2>/dev/null || true)',
    'if [ -z "$base" ]; then echo "nothing to compare with"; exit 0; fi',
    'tree=$(mktemp -d)/tree',
    'git worktree add --quiet --detach "$tree" HEAD',
    'git -C "$tree" reset --quiet --soft "$base"',
    'status=0',
    '(cd "$tree" && mlv hook pre-commit) || status=$?',
    'git worktree remove --force "$tree"',
    'exit "$status"',
  ],
};

/** The history of the registry against its policy. */
const AUDIT: Step = {
  name: 'The registry kept its policy',
  why: [],
  script: ['mlv audit --exit-code'],
};

/** A policy that is proposed in the branch. */
const POLICY: Step = {
  name: 'The proposed policy is one',
  why: ['A policy that a branch proposes, before somebody puts it into force with mlv policy set.'],
  script: ['if [ -f policy.yaml ]; then mlv policy check policy.yaml; else echo "no policy.yaml here"; fi'],
};

/** What was observed of a stage against its baseline. */
const GUARD: Step = {
  name: 'What was observed fits the baseline',
  why: [
    'Runs where MLV_GUARD_MODEL, MLV_GUARD_STAGE and MLV_GUARD_METRICS (a file of figures) are set. The verdict stays in',
    'this job: --no-push.',
  ],
  script: [
    'if [ -z "$MLV_GUARD_MODEL" ]; then echo "nothing to guard"; exit 0; fi',
    'export GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@localhost GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@localhost',
    'mlv guard "$MLV_GUARD_MODEL" "$MLV_GUARD_STAGE" --observed "$MLV_GUARD_METRICS" --no-push',
  ],
};

/** What a reviewer needs to know beside the code. */
export const REPORT: Step = {
  name: 'What this branch changes',
  why: [],
  script: ['mlv report --md --schema --base "$MLV_BASE" --output "$MLV_REPORT"'],
  remote: true,
};

/** The gates, in the order in which they run. */
export const GATES: readonly Step[] = [ON_REMOTE, HOOK_CHECKS, AUDIT, POLICY, GUARD];

/** Lines of YAML that stand deeper. */
export function indented(lines: readonly string[], spaces: number): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(spaces) + line));
}

/** Lines as comments. */
export function comments(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '#' : `# ${line}`));
}
