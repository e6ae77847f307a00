import type { DataProfile } from '../../provenance/data-profile.js';
import { profileFile } from '../../provenance/profile-file.js';
import type { ComparedState } from '../../workspace/compare.js';
import { type RepositoryPath, toRepositoryPath } from '../../workspace/paths.js';
import { notTracked } from '../../workspace/pointers.js';
import { type OpenRepository, openRepository } from '../context.js';
import { withFileAt } from '../data-file.js';
import { displayer, pathAtRevision } from '../operands.js';
import { profileOptions } from '../profile-options.js';
import { profileLines, profileNotes } from '../render/data-profile.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv schema`: see its declaration. Errors: those of withFileAt and profileFile, `USAGE`, `PATH_NOT_TRACKED`. */
export async function run(session: Session, input: VerbInput): Promise<Result> {
  const repository = await openRepository(session);
  const options = profileOptions(session, input);
  const look = async (name: RepositoryPath, state: ComparedState): Promise<Looked | undefined> => {
    const use = async (file: { path: string; name: string }): Promise<Looked> => {
      return { path: name, profile: await profileFile(file, options) };
    };
    return withFileAt(session, repository, { name, state, use });
  };
  const { path, profile } = await find(session, repository, { argument: input.args[0] ?? '', look });
  const name = displayer(repository)(path);
  return {
    text: profileLines(name, profile, session.style),
    json: { path, ...profile },
    notes: profileNotes(profile),
  };
}

interface Looked {
  path: RepositoryPath;
  profile: DataProfile;
}

/** A path first, then a path with a revision, so that an @ in a name does no harm. */
async function find(
  session: Session,
  repository: OpenRepository,
  {
    argument,
    look,
  }: { argument: string; look: (name: RepositoryPath, state: ComparedState) => Promise<Looked | undefined> },
): Promise<Looked> {
  const { layout } = repository;
  const literal = toRepositoryPath(layout, argument);
  const here = await look(literal, { kind: 'workspace' });
  if (here) return here;
  const parts = await pathAtRevision(session, repository, argument);
  if (!parts) throw notTracked(literal);
  const path = toRepositoryPath(layout, parts.path);
  const then = await look(path, { kind: 'revision', revision: parts.revision });
  if (then) return then;
  throw notTracked(path);
}
