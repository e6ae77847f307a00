import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { PROJECT_FILE } from '../../config/levels.js';
import { createProject } from '../../config/project.js';
import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { openGit } from '../../git/open.js';
import { ATTRIBUTES_FILE } from '../../workspace/git-attributes-file.js';
import { forDisplay } from '../../workspace/paths.js';
import { installMerging } from '../merge-installation.js';
import { quotePath } from '../render/quote.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv init`: see its declaration. Errors: `USAGE` for a hash other than the recorded one; those of createProject. */
export async function run(session: Session, { options }: VerbInput): Promise<Result> {
  const git = await openGit(session.cwd, { env: session.env });
  const { layout } = git;
  const wanted = options.hash === 'sha256' ? 'sha256' : 'blake3';
  const { project, created } = await createProject(layout.worktree, { repository: randomUUID(), hash: wanted });
  if (options.hash !== undefined && project.hash !== options.hash) throw otherHash(project.hash, wanted);
  const merging = options.gitAttributes === true ? await installMerging(git) : undefined;
  const json = {
    created,
    worktree: layout.worktree,
    repository: project.repository,
    hash: project.hash,
    ...(merging && { merging: await git.mergeSetup() }),
  };
  const where = quotePath(layout.worktree);
  const merges =
    merging?.driver || merging?.attributes ? ['Git merges pointers with mlv, and shows what is in them'] : [];
  if (!created) {
    const unchanged = merges.length > 0 ? '' : '; nothing was changed';
    return { done: [`mlv is in use in ${where} already (${project.hash})${unchanged}`, ...merges], json };
  }
  if ((await git.ignoredPaths([PROJECT_FILE])).size > 0) {
    session.reporter.warn(`Git ignores ${PROJECT_FILE}, which must be committed; take it out of the ignore rules`);
  }
  const files = [PROJECT_FILE, ...(merging?.attributes ? [ATTRIBUTES_FILE] : [])];
  const file = files.map((each) => shellQuote(forDisplay(layout, each))).join(' ');
  return {
    done: [
      `mlv is ready in ${where} (${project.hash}); ${quotePath(join(layout.worktree, PROJECT_FILE))} was written`,
      ...merges,
    ],
    notes: [
      'Next:',
      `  git add ${file} && git commit -m 'Use mlv' -- ${file}`,
      '  mlv add <files and directories>',
      '  mlv remote add origin <directory or s3://bucket/prefix>',
    ],
    json,
  };
}

function otherHash(recorded: string, wanted: string): MlvError {
  return new MlvError('USAGE', `this repository names objects by ${recorded}, which cannot become ${wanted}`, {
    hint: 'leave --hash out',
    data: { hash: recorded },
  });
}
