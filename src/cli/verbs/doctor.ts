import { existsSync } from 'node:fs';
import { FILE_LEVELS } from '../../config/levels.js';
import { isMlvError, MlvError } from '../../core/errors.js';
import { type OpenRepository, openRepository } from '../context.js';
import { type Check, ok } from '../doctor/check.js';
import { checkLinkModes } from '../doctor/link-modes.js';
import { checkHash, checkPrograms } from '../doctor/machine.js';
import { checkRemotes } from '../doctor/remotes.js';
import { mergingWords } from '../merge-installation.js';
import { escapeControls } from '../render/quote.js';
import type { Style } from '../render/style.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv doctor`: see its declaration. Error: `CHECK_FAILED`. */
export async function run(session: Session, { options }: VerbInput): Promise<Result> {
  const checks = await checkPrograms(session);
  const repository = await open(session);
  checks.push(await checkHash('hash' in repository ? repository.hash : undefined));
  if ('hash' in repository) {
    checks.push(...checkRepository(repository), await checkMerging(repository), checkLinkModes(repository));
    if (options.offline !== true) checks.push(...(await checkRemotes(session, repository)));
  } else checks.push(repository);
  const problems = checks.filter(({ state }) => state === 'problem');
  return {
    text: checks.flatMap((check) => [...lines(check, session.style)]),
    json: { ok: problems.length === 0, checks },
    errors: problems.length === 0 ? [] : [failure(problems)],
  };
}

/** The repository; or, outside of one, what there is to say of that. */
async function open(session: Session): Promise<OpenRepository | Check> {
  try {
    return await openRepository(session);
  } catch (error) {
    if (!isMlvError(error)) throw error;
    const absent = ['NOT_A_GIT_REPOSITORY', 'NOT_INITIALISED'].includes(error.code);
    const { message, hint } = error;
    return {
      name: 'repository',
      state: absent ? 'warning' : 'problem',
      message,
      ...(hint === undefined ? {} : { hint }),
    };
  }
}

function checkRepository({ layout, config, paths, cache }: OpenRepository): Check[] {
  const found = FILE_LEVELS.filter((level) => existsSync(paths[level] ?? ''));
  const files = Object.fromEntries(found.map((level) => [level, paths[level]]));
  return [
    ok('repository', `${layout.worktree} (${config.project?.repository})`, {
      worktree: layout.worktree,
      gitDir: layout.gitDir,
    }),
    ok('configuration', found.map((level) => `${level}: ${paths[level]}`).join(', '), files),
    ok('cache', cache.directory, { directory: cache.directory }),
  ];
}

async function checkMerging({ git }: OpenRepository): Promise<Check> {
  const setup = await git.mergeSetup();
  const name = 'merge driver';
  const data = { ...setup };
  const words = mergingWords(setup);
  if (setup.driver === 'current' ? setup.attributes : !setup.attributes) return ok(name, words, data);
  return { name, state: 'warning', message: words, hint: 'have Git merge pointers with mlv: mlv hooks install', data };
}

const MARKS: Record<Check['state'], string> = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' };

function* lines({ name, state, message, hint }: Check, style: Style): Generator<string> {
  const colour = state === 'ok' ? style.green : state === 'warning' ? style.yellow : style.red;
  yield `${colour(MARKS[state])}${style.bold(name)}: ${escapeControls(message)}`;
  if (hint !== undefined) yield `        ${style.dim(escapeControls(hint))}`;
}

function failure(problems: readonly Check[]): MlvError {
  const names = problems.map(({ name }) => name);
  return new MlvError(
    'CHECK_FAILED',
    `${names.length === 1 ? 'a check' : `${names.length} checks`} failed: ${names.join(', ')}`,
    {
      hint: problems[0]?.hint ?? 'see above',
      data: { checks: names },
    },
  );
}
