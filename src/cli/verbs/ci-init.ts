import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { openGit } from '../../git/open.js';
import { absolutePath, ensureRealDirectory, parentOf, type RepositoryPath } from '../../workspace/paths.js';
import { writeTextFile } from '../../workspace/pointer-write.js';
import { OWN_FILE_LIMIT, readWholeTextFile } from '../../workspace/text-file.js';
import { githubWorkflow } from '../ci/github.js';
import { gitlabInclude, gitlabJobs } from '../ci/gitlab.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

const GITHUB = '.github/workflows/mlv.yml';
const GITLAB = '.gitlab/mlv.yml';
const GITLAB_MAIN = '.gitlab-ci.yml';

interface Planned {
  path: RepositoryPath;
  text: string;
  state: 'written' | 'replaced' | 'unchanged';
}

/** `mlv ci init`: see its declaration. Errors: `USAGE`, `TARGET_EXISTS`, `POINTER_UNSAFE` for a link on the way. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const { layout } = await openGit(session.cwd, { env: session.env });
  const host = args[0] ?? '';
  const packageSpec = packageOption(textOption(options.package));
  const there = (path: RepositoryPath): string | undefined => {
    const found = readWholeTextFile(absolutePath(layout, path), OWN_FILE_LIMIT);
    return found && ('link' in found ? found.link : found.text);
  };
  const planned = filesFor(host, { packageSpec, there }).map(({ path, text }): Planned => {
    const before = there(path);
    return { path, text, state: before === undefined ? 'written' : before === text ? 'unchanged' : 'replaced' };
  });
  const replaced = planned.filter(({ state }) => state === 'replaced').map(({ path }) => path);
  const dryRun = options.dryRun === true;
  if (replaced.length > 0 && options.force !== true && !dryRun) throw exists(replaced);
  const changed = planned.filter(({ state }) => state !== 'unchanged');
  if (!dryRun) {
    for (const { path, text } of changed) {
      ensureRealDirectory(layout, parentOf(path));
      writeTextFile(layout, path, text);
    }
  }
  const include = host === 'gitlab' && planned.length === 1 ? included(there(GITLAB_MAIN)) : [];
  return {
    ...(dryRun
      ? { text: planned.flatMap(({ path, text }) => [`# --- ${path}`, ...text.trimEnd().split('\n')]) }
      : { done: planned.map(({ path, state }) => `${state} ${path}`) }),
    json: { host, dryRun, files: planned },
    notes: [
      ...include,
      ...(dryRun || changed.length === 0
        ? []
        : [`Next: git add ${changed.map(({ path }) => shellQuote(path)).join(' ')}`]),
      ...(packageSpec === undefined
        ? [
            `Set the variable MLV_PACKAGE on ${host === 'github' ? 'GitHub' : 'GitLab'} (what npm installs mlv from), or give --package`,
          ]
        : []),
    ],
  };
}

function filesFor(
  host: string,
  { packageSpec, there }: { packageSpec: string | undefined; there: (path: RepositoryPath) => string | undefined },
): { path: RepositoryPath; text: string }[] {
  if (host === 'github') return [{ path: GITHUB, text: githubWorkflow(packageSpec) }];
  if (host !== 'gitlab') {
    throw new MlvError('USAGE', `there is no template for '${host}'`, {
      hint: 'mlv ci init github, or: mlv ci init gitlab',
    });
  }
  const main = { path: GITLAB_MAIN, text: gitlabInclude(GITLAB) };
  const before = there(GITLAB_MAIN);
  return [
    { path: GITLAB, text: gitlabJobs(packageSpec) },
    // What is there is the team's own, and is never rewritten.
    ...(before === undefined || before === main.text ? [main] : []),
  ];
}

function included(text: string | undefined): string[] {
  return text?.includes(GITLAB) ? [] : [`Add to ${GITLAB_MAIN}:`, '  include:', `    - local: ${GITLAB}`];
}

/** What `npm install` takes, without anything that would not be one word of it. */
function packageOption(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^[A-Za-z0-9@._~/:+#=?&%-]+$/.test(text) && !text.startsWith('-')) return text;
  throw new MlvError('USAGE', `'${text}' is nothing that npm installs`, {
    hint: 'such as: --package https://example.com/mlv-0.1.0.tgz, or --package @ours/mlv@0.1.0',
  });
}

function exists(paths: readonly RepositoryPath[]): MlvError {
  return new MlvError('TARGET_EXISTS', `'${paths[0]}' is there already, and is not what would be written`, {
    hint: 'look at it with --dry-run; --force replaces it',
    data: { paths: [...paths] },
  });
}
