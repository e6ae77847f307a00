import { tmpdir } from 'node:os';
import { checkElsewhereRemotes } from '../../config/elsewhere.js';
import { MlvError } from '../../core/errors.js';
import { type ListedEntry, listEntries } from '../../workspace/list.js';
import { lacksListing } from '../../workspace/listings.js';
import { notTracked, type Target } from '../../workspace/pointers.js';
import { getListings } from '../listings.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';
import { withScratch } from './open.js';
import { type ElsewhereContent, elsewhereContent } from './operand.js';
import { printElsewhere } from './print.js';
import { scratchDirectory } from './scratch.js';

/** What a repository elsewhere tracks. */
export interface ElsewhereListing {
  entries: ListedEntry[];
  targets: Target[];
  problems: MlvError[];
}

/**
 * Lists what a repository elsewhere tracks at a path or in a version; of the objects only listings are fetched. Errors:
 * those of elsewhereContent and listEntries, `PATH_NOT_TRACKED` where there are files of Git only.
 */
export function listElsewhere(session: Session, { args, options }: VerbInput): Promise<ElsewhereListing> {
  const [url = '', operand = '', ...more] = args;
  if (more.length > 0) throw new MlvError('USAGE', 'one path of a repository elsewhere can be listed at a time');
  const recursive = options.recursive === true;
  return look(session, { url, operand, revision: textOption(options.rev), contents: false }, async (content) => {
    const { repository, selections, path, gitFiles, problems } = content;
    if (selections.length === 0 && gitFiles.length > 0 && path !== '') throw notTracked(path ?? operand);
    const targets = [...new Set(selections.map(({ target }) => target))];
    const paths = path === undefined || path === '' ? [] : [path];
    if (recursive || paths.length > 0) {
      const lacking = selections.filter((selection) => lacksListing(repository, selection, recursive));
      const { config } = repository;
      checkElsewhereRemotes(
        config,
        lacking.map(({ target }) => target.pointer.remote ?? config.core.remote ?? ''),
      );
      await getListings(session, repository, { selections: lacking, recursive });
    }
    // All at once: what they are read from goes away.
    return {
      entries: targets.length === 0 ? [] : [...listEntries(repository, targets, { paths, recursive })],
      targets,
      problems,
    };
  });
}

/** `mlv cat <git-url> <path>`. Errors: those of elsewhereContent and printElsewhere. */
export function catElsewhere(session: Session, { args, options }: VerbInput): Promise<Result> {
  const [url = '', operand = ''] = args;
  return look(session, { url, operand, revision: textOption(options.rev), contents: true }, async (content) => {
    await printElsewhere(session, content);
    return {};
  });
}

async function look<T>(
  session: Session,
  asked: { url: string; operand: string; revision: string | undefined; contents: boolean },
  work: (content: ElsewhereContent) => Promise<T>,
): Promise<T> {
  const directory = scratchDirectory(tmpdir());
  return withScratch(directory, async () =>
    work(await elsewhereContent(session, { ...asked, directory, versions: true })),
  );
}
