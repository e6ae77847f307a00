import { entryNameProblem } from '../objects/entry-name.js';
import { type ForeignAlgorithm, type ForeignId, foreignInvalid } from './foreign-id.js';

/** A file of a directory that DVC tracks. */
export interface DvcListedFile {
  /** Below the directory, `/`-separated. */
  path: string;
  id: ForeignId;
}

/** A listing of a million files has some 100 MiB. */
export const MAX_LISTING_BYTES = 1024 * 1024 * 1024;
const MD5 = /^[0-9a-f]{32}$/;

/**
 * The files of a `.dir` object: a JSON array of `{"md5": …, "relpath": …}`. `name` is what to call it in messages;
 * `algorithm` is that of the files' names. Error: `FOREIGN_INVALID`, also for paths that leave the directory, that stand
 * twice, or that name a file and a directory at once.
 */
export function parseListing(bytes: Buffer, options: { name: string; algorithm: ForeignAlgorithm }): DvcListedFile[] {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw foreignInvalid(options.name, 'is damaged: it is not JSON', { cause });
  }
  if (!Array.isArray(value)) throw foreignInvalid(options.name, 'is damaged: it is not a list of files');
  return listedFiles(value, options);
}

/** The same from values that are parsed already, in the order of their paths. */
export function listedFiles(
  values: readonly unknown[],
  { name, algorithm }: { name: string; algorithm: ForeignAlgorithm },
): DvcListedFile[] {
  const files = values.map((value): DvcListedFile => {
    const { md5, relpath } = (value ?? {}) as Record<string, unknown>;
    if (typeof relpath !== 'string' || typeof md5 !== 'string' || !MD5.test(md5)) {
      throw foreignInvalid(name, 'is damaged: an entry has no path, or no MD5');
    }
    // DVC on Windows wrote backslashes for a while.
    const bad = relpath.split('/').find((part) => entryNameProblem(Buffer.from(part, 'utf8')) !== undefined);
    if (bad !== undefined) throw foreignInvalid(name, `is refused: the path '${relpath}' in it is not safe`);
    return { path: relpath, id: { algorithm, hex: md5 } };
  });
  refuseCollisions(files, name);
  return files;
}

function refuseCollisions(files: readonly DvcListedFile[], name: string): void {
  const known = new Set<string>();
  for (const { path } of files) {
    if (known.has(path)) throw foreignInvalid(name, `is damaged: '${path}' stands in it twice`);
    known.add(path);
  }
  const directories = new Set<string>();
  for (const { path } of files) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const directory = path.slice(0, at);
      if (directories.has(directory)) break;
      if (known.has(directory))
        throw foreignInvalid(name, `is damaged: '${directory}' is a file and a directory in it`);
      directories.add(directory);
    }
  }
}
