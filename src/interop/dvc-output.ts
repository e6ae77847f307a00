import { isMapping } from '../core/mapping.js';
import type { RepositoryPath } from '../workspace/paths.js';
import type { PointerSource } from '../workspace/pointer-source.js';
import { type DvcListedFile, listedFiles } from './dvc-listing.js';
import { type ForeignAlgorithm, type ForeignId, foreignInvalid } from './foreign-id.js';
import { trackedPath } from './foreign-path.js';

/** What our pointer keeps as `source`, but for the object id. */
export type DvcSource = Omit<PointerSource, 'oid'>;

/** A file or directory that DVC tracks. */
export interface DvcOutput {
  path: RepositoryPath;
  /** Of a directory: its listing, whose name in DVC's cache has `.dir` behind it. */
  id: ForeignId;
  directory: boolean;
  executable: boolean;
  /** Bytes, as DVC has it; a hint only. */
  size?: number;
  /** The files of a directory, where the pointer itself lists them (remotes with versions of their own). */
  files?: DvcListedFile[];
  desc?: string;
  labels?: string[];
  /** Where an imported content came from. */
  source?: DvcSource;
}

const MD5 = /^([0-9a-f]{32})(\.dir)?$/;

/**
 * One entry of `outs`, in a `.dvc` file or in `dvc.lock`. Undefined where it has no content yet. Error:
 * `FOREIGN_INVALID` for a path that leaves the repository, for a name that is no MD5 and for any other hash.
 */
export function readOutput(
  value: unknown,
  place: { file: RepositoryPath; directory: RepositoryPath },
): DvcOutput | undefined {
  const { file } = place;
  if (!isMapping(value)) throw foreignInvalid(file, "is damaged: an entry of 'outs' is not a mapping");
  const { path, md5, hash, isexec, files, desc, labels, size } = value;
  if (typeof path !== 'string') throw foreignInvalid(file, "is damaged: an entry of 'outs' has no path");
  const tracked = trackedPath({ ...place, path });
  if (md5 === undefined || md5 === null) {
    const other = ['etag', 'checksum', 'version_id'].find((key) => value[key] !== undefined);
    if (other === undefined) return undefined;
    throw foreignInvalid(
      file,
      `cannot be migrated: DVC knows '${path}' by ${other} and not by the hash of its content`,
    );
  }
  const match = typeof md5 === 'string' ? MD5.exec(md5) : null;
  if (!match) throw foreignInvalid(file, `is damaged: '${String(md5).slice(0, 80)}' of '${path}' is not an MD5`);
  const algorithm = algorithmOf(hash, file);
  const id = { algorithm, hex: match[1] as string };
  const directory = match[2] !== undefined;
  return {
    path: tracked,
    id,
    directory,
    executable: isexec === true && !directory,
    ...(Array.isArray(files) && directory && { files: listedFiles(files, { name: file, algorithm }) }),
    ...(Number.isSafeInteger(size) && { size: size as number }),
    ...(typeof desc === 'string' && { desc }),
    ...(Array.isArray(labels) && labels.every((each) => typeof each === 'string') && { labels }),
  };
}

/** Files that DVC 3 wrote say `hash: md5`; older ones say nothing. */
function algorithmOf(hash: unknown, file: string): ForeignAlgorithm {
  if (hash === undefined || hash === null || hash === 'md5-dos2unix') return 'md5-dos2unix';
  if (hash === 'md5') return 'md5';
  throw foreignInvalid(file, `cannot be migrated: the hash '${String(hash).slice(0, 40)}' is not known`);
}
