import { MlvError } from '../core/errors.js';
import type { DataFormat, DataProfile, ProfileOptions } from '../provenance/data-profile.js';
import { type DriftLimits, driftBetween, type Finding } from '../provenance/drift.js';
import { profileFile } from '../provenance/profile-file.js';
import type { ComparedState } from '../workspace/compare.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { OpenRepository } from './context.js';
import { withFileAt } from './data-file.js';
import type { Session } from './session.js';

/** How a table of rows is other in one state than in another. */
export interface SchemaDifference {
  path: RepositoryPath;
  /** Whether any finding is drift. */
  drift: boolean;
  rows: { before: number; after: number };
  findings: Finding[];
}

export interface SchemaQuestion {
  path: RepositoryPath;
  before: ComparedState;
  after: ComparedState;
  options: ProfileOptions & { format?: DataFormat };
  limits: DriftLimits;
}

/**
 * Profiles a file as two states have it, and compares. Errors: `PATH_NOT_FOUND` where a state lacks it, those of withFileAt
 * and profileFile.
 */
export async function schemaDifference(
  session: Session,
  repository: OpenRepository,
  { path, before, after, options, limits }: SchemaQuestion,
): Promise<SchemaDifference> {
  const profile = async (state: ComparedState): Promise<DataProfile> => {
    const found = await withFileAt(session, repository, {
      name: path,
      state,
      use: (file) => profileFile(file, options),
    });
    if (found) return found;
    throw new MlvError('PATH_NOT_FOUND', `'${path}' is not in ${stateWords(state)}`, {
      hint: 'mlv ls shows what is tracked; the file has to be on both sides',
      data: { path },
    });
  };
  const [was, is] = [await profile(before), await profile(after)];
  const findings = driftBetween(was, is, limits);
  return { path, drift: findings.some(({ drift }) => drift), rows: { before: was.rows, after: is.rows }, findings };
}

function stateWords(state: ComparedState): string {
  if (state.kind === 'revision') return `revision '${state.revision}'`;
  return state.kind === 'empty' ? 'what was before the first commit' : `the ${state.kind}`;
}
