import { MlvError } from '../../core/errors.js';
import { shellQuote } from '../../core/shell-quote.js';
import { isExplicitReference } from '../../registry/reference.js';
import type { ElsewhereContent } from './operand.js';

/** What becomes one target here, and what its source is called from then on. */
export interface Importable {
  /** With a path. */
  content: ElsewhereContent;
  /** The revision that `mlv update` follows; undefined for the default branch. */
  rev: string | undefined;
  commit: string;
}

/**
 * A path elsewhere as it is; of a version (`fraud@production`) the file or directory that it consists of, which follows that
 * reference. `content` was asked for with artifacts only. Pure. Error: `USAGE` for a version with more than one
 * artifact, or one with a revision beside it.
 */
export function importable(
  content: ElsewhereContent,
  { operand, revision }: { operand: string; revision: string | undefined },
): Importable {
  const { version, repository, selections } = content;
  if (!version) return { content, rev: revision, commit: repository.commit };
  const { shown } = repository.address;
  const { model, artifacts, commit } = version.manifest;
  const rev = isExplicitReference(operand) ? operand : operand === model ? `${model}@latest` : version.name;
  if (revision !== undefined) {
    throw new MlvError('USAGE', `'${operand}' is a version, which has its own revision`, {
      hint: `without --rev: mlv import ${shellQuote(shown)} ${shellQuote(operand)}`,
    });
  }
  const [artifact] = artifacts;
  if (!artifact || artifacts.length > 1) {
    const paths = artifacts.map(({ path }) => path);
    throw new MlvError(
      'USAGE',
      `${version.name} has ${artifacts.length} artifacts, and one can be imported at a time`,
      {
        hint: `name it: mlv import ${shellQuote(shown)} ${shellQuote(paths[0] ?? '<path>')} --rev ${shellQuote(rev)}`,
        data: { version: version.name, paths },
      },
    );
  }
  const { path } = artifact;
  const own = selections.filter(({ target }) => target.path === path);
  return { content: { ...content, path, selections: own }, rev, commit };
}
