import { isUtf8 } from 'node:buffer';
import { MlvError } from '../core/errors.js';

const NUL = 0;
const TAB = 9;

/** Calls `visit` with every NUL-terminated piece of `output`, as a view on its bytes. */
export function forEachPiece(output: Buffer, visit: (piece: Buffer) => void): void {
  for (let start = 0; start < output.length; ) {
    const end = output.indexOf(NUL, start);
    const stop = end === -1 ? output.length : end;
    if (stop > start) visit(output.subarray(start, stop));
    start = stop + 1;
  }
}

/**
 * Calls `visit` with the path and the fields of every entry of `ls-tree -z` or `ls-files -z --stage`, which are
 * `<fields>TAB<path>`; with a suffix, of those alone whose path ends with it.
 */
export function forEachEntry(output: Buffer, visit: (path: Buffer, fields: string[]) => void, suffix = ''): void {
  const ending = Buffer.from(suffix);
  forEachPiece(output, (piece) => {
    const tab = piece.indexOf(TAB);
    const path = piece.subarray(tab + 1);
    if (endsWith(path, ending)) visit(path, piece.toString('latin1', 0, tab).split(' '));
  });
}

/** A path from Git's output as text. Error: `PATH_UNSUPPORTED` for a name that is not UTF-8. */
export function decodePath(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new MlvError('PATH_UNSUPPORTED', `the file name '${bytes.toString('latin1')}' in Git is not UTF-8`, {
    hint: 'rename the file with `git mv`',
  });
}

/** True when the path's bytes end with those of the suffix. */
export function endsWith(path: Buffer, suffix: Buffer): boolean {
  return path.length >= suffix.length && path.subarray(path.length - suffix.length).equals(suffix);
}

/** Joins paths for Git's `-z` inputs. Error: `PATH_UNSUPPORTED` for a path that contains a NUL. */
export function nulTerminated(paths: readonly string[]): string {
  const bad = paths.find((path) => path.includes('\0'));
  if (bad !== undefined)
    throw new MlvError('PATH_UNSUPPORTED', `the path '${bad.replaceAll('\0', '\\0')}' contains a NUL`);
  return paths.map((path) => `${path}\0`).join('');
}

const ARGUMENT_COUNT = 64;
const ARGUMENT_BYTES = 16 * 1024;

/** True when the paths may go onto a command line: few and short, so that no system's limit is near. */
export function fitsArguments(paths: readonly string[]): boolean {
  if (paths.length > ARGUMENT_COUNT) return false;
  return paths.reduce((sum, path) => sum + Buffer.byteLength(path) + 1, 0) <= ARGUMENT_BYTES;
}
