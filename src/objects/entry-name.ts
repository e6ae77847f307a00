import { isUtf8 } from 'node:buffer';

const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * True for names that some file system takes for Git's own directory (`.git`, `.GIT`, `git~1`, `.git.`, with
 * code points that HFS+ ignores). Such an entry could plant hooks, so that no tree may hold one.
 * Follows the checks of Git's own `verify_path` (path.c, utf8.c).
 */
export function isGitDirectoryName(name: string): boolean {
  if (name.length < 4 || !/git/i.test(name.replace(IGNORED_BY_HFS, ''))) return false;
  const plain = name
    .replace(IGNORED_BY_HFS, '')
    .split(':', 1)[0]
    ?.replace(/[ .]+$/, '')
    .toLowerCase();
  return plain === '.git' || plain === 'git~1';
}

/**
 * Why `bytes` cannot be the name of a tree entry, or undefined when it can: one path component of valid UTF-8
 * without NUL and `/`, other than `.`, `..` and what passes for `.git`.
 */
export function entryNameProblem(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'a name is empty';
  let ascii = true;
  let git = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number;
    if (byte === 0) return 'a name holds a NUL byte';
    if (byte === 0x2f) return 'a name holds a slash';
    if (byte >= 0x80) ascii = false;
    if (byte === 0x67 || byte === 0x47) git = true;
  }
  if (bytes[0] === 0x2e && (bytes.length === 1 || (bytes.length === 2 && bytes[1] === 0x2e))) {
    return `a name is '${'.'.repeat(bytes.length)}'`;
  }
  if (!ascii && !isUtf8(bytes)) return 'a name is not valid UTF-8';
  if (git && isGitDirectoryName(Buffer.from(bytes).toString('utf8'))) return "a name stands for Git's own directory";
  return undefined;
}

const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;

/** True for a name that Windows gives to a device (`CON`, `aux.txt`, `COM1`), whatever its case and extension. */
export function isWindowsDeviceName(name: string): boolean {
  return WINDOWS_DEVICE.test(name.replace(/[ .]+$/, ''));
}

/** Why this name cannot be created on Windows, or undefined when it can. */
export function windowsNameProblem(name: string): string | undefined {
  if (isWindowsDeviceName(name)) return 'it is a device name on Windows';
  if (/[<>:"\\|?*\u0001-\u001f]/.test(name)) return 'it holds a character that Windows does not allow';
  if (/[ .]$/.test(name)) return 'Windows does not allow a space or dot at the end';
  return undefined;
}

/** Orders two names by their UTF-8 bytes, which is the order of tree entries. */
export function compareNames(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    // UTF-16 puts surrogates below U+E000..U+FFFF; UTF-8 puts the characters they stand for above.
    const aSurrogate = a >= 0xd800 && a <= 0xdfff;
    const bSurrogate = b >= 0xd800 && b <= 0xdfff;
    if (aSurrogate !== bSurrogate) return aSurrogate ? 1 : -1;
    return a - b;
  }
  return left.length - right.length;
}

const ABOVE_SURROGATES = /[\ud800-\uffff]/;

/** Sorts names in place by their UTF-8 bytes. */
export function sortNames(names: string[]): string[] {
  // The built-in order is by UTF-16 code units: the same, and several times faster, below the surrogates.
  names.sort();
  return names.some((name) => ABOVE_SURROGATES.test(name)) ? names.sort(compareNames) : names;
}
