import { readYamlMapping, YamlProblem } from '../core/read-yaml.js';
import { parentOf, type RepositoryPath } from '../workspace/paths.js';
import { type DvcOutput, isRecord, readOutput } from './dvc-output.js';
import { foreignInvalid } from './foreign-id.js';
import { repositoryDirectory } from './foreign-path.js';

/** Lists of versions of files on a remote can make a `.dvc` file long. */
const MAX_DVC_FILE = 64 * 1024 * 1024;

/** What a `.dvc` file says. */
export interface DvcFile {
  outputs: DvcOutput[];
  /** What it says that mlv has no place for, in words. */
  left: string[];
}

/** Reads a `.dvc` file of any version of DVC. Error: `FOREIGN_INVALID`. */
export function parseDvcFile(text: string, file: RepositoryPath): DvcFile {
  const value = readYaml(text, file);
  const directory = workingDirectory(value.wdir, { file, directory: parentOf(file) });
  const { outs = [], deps, cmd } = value;
  if (outs !== null && !Array.isArray(outs)) throw foreignInvalid(file, "is damaged: 'outs' is not a list");
  const source = sourceOf(deps);
  const outputs = (outs ?? []).flatMap((each): DvcOutput[] => {
    // A metric that DVC leaves to Git.
    if (isRecord(each) && each.cache === false) return [];
    const output = readOutput(each, { file, directory });
    return output ? [{ ...output, ...(source && { source }) }] : [];
  });
  const left: string[] = [];
  if (cmd !== undefined && cmd !== null) left.push(`${file}: a stage of DVC before 1.0 (its cmd)`);
  if (value.frozen === true && !source) left.push(`${file}: frozen`);
  return { outputs, left };
}

/** A YAML mapping of DVC. Error: `FOREIGN_INVALID`. */
export function readYaml(text: string, file: RepositoryPath): Record<string, unknown> {
  try {
    return text.trim() === '' ? {} : readYamlMapping(text, MAX_DVC_FILE);
  } catch (cause) {
    if (!(cause instanceof YamlProblem)) throw cause;
    throw foreignInvalid(file, `cannot be read: ${cause.message}`, { cause });
  }
}

/** The directory that `wdir` names, relative to that of the file. Error: `FOREIGN_INVALID`. */
export function workingDirectory(
  wdir: unknown,
  { file, directory }: { file: RepositoryPath; directory: RepositoryPath },
): RepositoryPath {
  return typeof wdir === 'string' ? repositoryDirectory({ file, directory, path: wdir }) : directory;
}

/** `deps` of an import say where the content came from. */
function sourceOf(deps: unknown): Record<string, unknown> | undefined {
  if (!Array.isArray(deps) || deps.length !== 1 || !isRecord(deps[0])) return undefined;
  const { path, repo, etag, md5, version_id: version } = deps[0];
  if (typeof path !== 'string') return undefined;
  if (isRecord(repo) && typeof repo.url === 'string') {
    return {
      git: repo.url,
      path,
      ...(typeof repo.rev === 'string' && { rev: repo.rev }),
      ...(typeof repo.rev_lock === 'string' && { commit: repo.rev_lock }),
    };
  }
  return {
    url: path,
    ...(typeof etag === 'string' && { etag }),
    ...(typeof version === 'string' && { version }),
    ...(typeof md5 === 'string' && { md5 }),
  };
}
