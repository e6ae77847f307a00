import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { MlvError } from '../../core/errors.js';
import { redactUrl } from '../../core/redact.js';
import { shellQuote } from '../../core/shell-quote.js';
import { deliver, makeOwn } from '../../workspace/deliver.js';
import { isElsewhere } from '../elsewhere/is-elsewhere.js';
import { withScratch } from '../elsewhere/open.js';
import type { ElsewhereContent } from '../elsewhere/operand.js';
import { elsewhereContent } from '../elsewhere/operand.js';
import { printElsewhere } from '../elsewhere/print.js';
import { scratchDirectory } from '../elsewhere/scratch.js';
import { stage, stagedPath } from '../elsewhere/stage.js';
import { errorDocument } from '../errors.js';
import { quotePath } from '../render/quote.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import { transferredDocuments } from '../transfers.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/**
 * `mlv get`: see its declaration. Errors: `USAGE`, `TARGET_EXISTS`, `PATH_NOT_FOUND`, those of elsewhereContent and stage.
 */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const [url = '', operand = ''] = args;
  if (isElsewhere(operand, session.cwd) && !isElsewhere(url, session.cwd)) throw repositoryFirst(url, operand);
  const output = textOption(options.output);
  const key = textOption(options.key);
  const asked = {
    url,
    operand,
    revision: textOption(options.rev),
    contents: true,
    versions: true,
    artifactsOnly: options.artifactsOnly === true,
    ...(key !== undefined && { key }),
  };
  const print = output === '-';
  // Looked at before anything travels: another command may be about to make the same directory.
  const into = output !== undefined && (output.endsWith('/') || isDirectory(resolve(session.cwd, output)));
  const directory = print
    ? scratchDirectory(tmpdir())
    : scratchDirectory(nearestDirectory(resolve(session.cwd, output ?? '.')));
  return withScratch(directory, async () => {
    const content = await elsewhereContent(session, { ...asked, directory });
    if (print) {
      await printElsewhere(session, content);
      return {};
    }
    return bring(session, content, { output, into, force: options.force === true });
  });
}

function repositoryFirst(path: string, url: string): MlvError {
  const shown = redactUrl(url);
  return new MlvError('USAGE', `'${redactUrl(path)}' is no Git repository`, {
    hint: `the repository comes first: mlv get ${shellQuote(shown)} ${shellQuote(redactUrl(path))}`,
  });
}

async function bring(
  session: Session,
  content: ElsewhereContent,
  { output, into, force }: { output: string | undefined; into: boolean; force: boolean },
): Promise<Result> {
  const { repository, path, version, problems } = content;
  const { transferred, leftOut } = await stage(session, content);
  repository.dropCache();
  const staged = stagedPath(repository, path ?? '');
  const own = makeOwn(staged);
  const to = placeOf(session, path, { output, into });
  const delivered = deliver(staged, to, { force });
  for (const each of [...leftOut, ...own.leftOut]) {
    session.reporter.warn(`left out: '${each}' is a link that leads elsewhere, or a repository of its own`);
  }
  const { address, elsewhere } = repository;
  const commit = version?.manifest.commit ?? repository.commit;
  const what = version?.name ?? (path === '' ? 'everything' : quotePath(path ?? ''));
  const gitBytes = elsewhere.received();
  return {
    done: [
      `got ${what} of ${address.shown} at ${commit.slice(0, 10)}: ${summary(delivered)}, in ${quotePath(output ?? basename(to))}`,
    ],
    json: {
      url: address.shown,
      commit,
      version: version?.name ?? null,
      path: path ?? null,
      output: to,
      ...delivered,
      leftOut: [...leftOut, ...own.leftOut],
      gitBytes,
      remotes: transferredDocuments(transferred),
      problems: problems.map(errorDocument),
    },
    errors: problems,
  };
}

function summary({ written, bytes, unchanged }: { written: number; bytes: number; unchanged: number }): string {
  if (written === 0) return `${formatCount(unchanged, 'file')} there already`;
  const rest = unchanged > 0 ? `, ${unchanged} there already` : '';
  return `${formatCount(written, 'file')} (${formatBytes(bytes)})${rest}`;
}

/** A version and the top go into a directory; a path gets its own name there, or the name given, as with cp. */
function placeOf(
  { cwd }: Session,
  path: string | undefined,
  { output, into }: { output: string | undefined; into: boolean },
): string {
  if (path === undefined || path === '') return resolve(cwd, output ?? '.');
  const name = basename(path);
  if (output === undefined) return resolve(cwd, name);
  return into ? join(resolve(cwd, output), name) : resolve(cwd, output);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The directory that is there, of a path that need not be. */
function nearestDirectory(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return at;
    if (stat && at !== path)
      throw new MlvError('TARGET_EXISTS', `'${at}' is a file, and no directory`, { data: { path: at } });
    if (dirname(at) === at) return at;
  }
}
