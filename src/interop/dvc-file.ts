import { posix } from 'node:path';
import { isMapping } from '../core/mapping.js';
import { readYamlMapping, YamlProblem } from '../core/read-yaml.js';
import { redactUrl } from '../core/redact.js';
import { parentOf, type RepositoryPath } from '../workspace/paths.js';
import { type DvcOutput, type DvcSource, readOutput } from './dvc-output.js';
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
  const source = sourceOf(deps, directory);
  const outputs = (outs ?? []).flatMap((each): DvcOutput[] => {
    // A metric that DVC leaves to Git.
    if (isMapping(each) && each.cache === false) return [];
    const output = readOutput(each, { file, directory });
    return output ? [{ ...output, ...(source && { source }) }] : [];
  });
  const left: string[] = [];
  if (cmd !== undefined && cmd !== null) left.push(`${file}: a stage of DVC before 1.0 (its cmd)`);
  if (value.frozen === true && !source) left.push(`${file}: frozen`);
  return { outputs, left };
}

/**
 * The mapping in a YAML file of DVC (64 MiB at most), empty for an empty text. Error: `FOREIGN_INVALID`, naming the file, for
 * what is no mapping, is too long or has aliases.
 */
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

/** `deps` of an import say where the content came from. Credentials in an address are left out. */
function sourceOf(deps: unknown, directory: RepositoryPath): DvcSource | undefined {
  if (!Array.isArray(deps) || deps.length !== 1 || !isMapping(deps[0])) return undefined;
  const { path, repo, etag, version_id: version } = deps[0];
  if (typeof path !== 'string') return undefined;
  if (isMapping(repo) && typeof repo.url === 'string') {
    const { url, rev, rev_lock: commit } = repo;
    const isLocked = typeof commit === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit);
    return { url: address(url, directory), ...(typeof rev === 'string' && { rev }), ...(isLocked && { path, commit }) };
  }
  return {
    url: address(path, directory),
    ...(typeof etag === 'string' && { etag }),
    ...(typeof version === 'string' && { version }),
  };
}

/** Without user and password; a relative path of DVC starts from the directory of its file, ours from the top. */
function address(url: string, directory: RepositoryPath): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(url)) {
    return redactUrl(url) === url ? url : url.replace(/^([a-z][a-z0-9+.-]+:\/\/)[^/]*@/i, '$1').replace(/\?.*$/s, '');
  }
  if (url.startsWith('/') || /^[^/]+:/.test(url)) return url;
  const joined = posix.normalize(posix.join(directory || '.', url));
  return joined.startsWith('../') ? joined : `./${joined}`;
}
