import { type Document, isMap } from 'yaml';
import { isMlvError, MlvError } from '../core/errors.js';
import { parseYamlDocument, yamlReason } from '../core/read-yaml.js';
import { inShellQuotes } from '../core/shell-quote.js';
import { entryNameProblem, isWindowsDeviceName } from '../objects/entry-name.js';
import { isOid, type Oid } from '../objects/oid.js';

/** What a pointer's file name ends with. */
export const POINTER_SUFFIX = '.mlv';

/** What a pointer says, without the optional keys, which only its text keeps. */
export interface Pointer {
  /** Name of the tracked file or directory beside the pointer: one path component. */
  path: string;
  oid: Oid;
  /** Bytes of the file, or of all files in the directory. */
  size: number;
  /** Number of files and links in the directory; undefined for a file. */
  files?: number;
  /** True for a single file that is executable. */
  executable?: boolean;
  /** Remote that this target is pushed to and pulled from, where it is not the default. */
  remote?: string;
  /** The record of the run that made this content: a directory object; see docs/formats/run.md. */
  run?: PointerRun;
}

/** Where the record of a run is, and what it ran. */
export interface PointerRun {
  oid: Oid;
  /** Bytes of the files in the record. */
  size: number;
  files: number;
  /** What was run on what, 64 hex digits: two runs with the same key ran the same command on the same inputs. */
  key: string;
}

const FAST =
  /^mlv: 1\npath: ([A-Za-z0-9_][A-Za-z0-9_.-]*)\noid: ((?:blake3|sha256):[0-9a-f]{64})\nsize: (0|[1-9][0-9]{0,15})\n(?:files: (0|[1-9][0-9]{0,15})\n)?$/;
/** Descriptions and labels included, no pointer comes near this. */
const MAX_POINTER_LENGTH = 64 * 1024;
/** Plain YAML scalars that mean something other than a string. */
const NOT_A_PLAIN_STRING = /^(?:[0-9._+-]|true$|false$|null$|yes$|no$|on$|off$|y$|n$)/i;

/**
 * Reads a pointer's text. `file` is the pointer's path, for messages and because the name inside must fit it.
 * Errors: `POINTER_INVALID` (not a pointer), `POINTER_UNSAFE` (it would reach outside its folder), `FORMAT_TOO_NEW`.
 */
export function parsePointer(text: string, file: string): Pointer {
  const pointer = parseAnyPointer(text, file);
  checkPath(pointer.path, file);
  return pointer;
}

/**
 * As parsePointer, of a pointer that may have had another name once: what it names is not compared with its own name, and
 * must not be used as a path. Errors: `POINTER_INVALID`, `FORMAT_TOO_NEW`.
 */
export function parseAnyPointer(text: string, file: string): Pointer {
  return parseFast(text) ?? parseYaml(text, file);
}

function parseFast(text: string): Pointer | undefined {
  const match = FAST.exec(text);
  if (!match || NOT_A_PLAIN_STRING.test(match[1] as string)) return undefined;
  const pointer: Pointer = { path: match[1] as string, oid: match[2] as Oid, size: Number(match[3]) };
  if (match[4] !== undefined) pointer.files = Number(match[4]);
  return Number.isSafeInteger(pointer.size) && Number.isSafeInteger(pointer.files ?? 0) ? pointer : undefined;
}

function parseYaml(text: string, file: string): Pointer {
  if (text.startsWith('<<<<<<< ') || text.includes('\n<<<<<<< ')) {
    throw new MlvError('POINTER_INVALID', `'${file}' holds an unresolved Git merge conflict`, {
      hint: `merge it: mlv resolve-conflict --ours ${inShellQuotes(file)} (or --theirs), then run the same command again`,
      data: { path: file },
    });
  }
  const value = readMapping(text, file);
  if (typeof value.mlv === 'number' && value.mlv > 1) {
    throw new MlvError('FORMAT_TOO_NEW', `'${file}' has pointer format ${value.mlv}; this mlv reads format 1`, {
      hint: 'install a newer mlv',
      data: { path: file },
    });
  }
  if (value.mlv !== 1) throw invalid(file, "the key 'mlv' is not 1");
  if (typeof value.path !== 'string') throw invalid(file, "the key 'path' is missing or not text");
  if (!isOid(value.oid)) throw invalid(file, "the key 'oid' is not <algorithm>:<64 hex digits>");
  const pointer: Pointer = { path: value.path, oid: value.oid, size: count(value.size, 'size', file) };
  if (value.files !== undefined) pointer.files = count(value.files, 'files', file);
  if (value.executable !== undefined) {
    if (typeof value.executable !== 'boolean') throw invalid(file, "the key 'executable' is not true or false");
    if (value.executable && pointer.files === undefined) pointer.executable = true;
  }
  if (value.remote !== undefined) {
    if (typeof value.remote !== 'string') throw invalid(file, "the key 'remote' is not text");
    pointer.remote = value.remote;
  }
  if (value.run !== undefined) pointer.run = parseRun(value.run, file);
  return pointer;
}

function parseRun(value: unknown, file: string): PointerRun {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(file, "the key 'run' is not a mapping");
  }
  const { oid, size, files, key } = value as Record<string, unknown>;
  if (!isOid(oid)) throw invalid(file, "the key 'run.oid' is not <algorithm>:<64 hex digits>");
  if (typeof key !== 'string' || !/^[0-9a-f]{64}$/.test(key))
    throw invalid(file, "the key 'run.key' is not 64 hex digits");
  return { oid, size: count(size, 'run.size', file), files: count(files, 'run.files', file), key };
}

function readMapping(text: string, file: string): Record<string, unknown> {
  if (text.length > MAX_POINTER_LENGTH) throw invalid(file, `it is longer than ${MAX_POINTER_LENGTH} characters`);
  try {
    const document = parseYamlDocument(text, { schema: 'core', logLevel: 'error' });
    const error = document.errors[0];
    if (error) throw invalid(file, `line ${error.linePos?.[0].line ?? 1}: ${yamlReason(error)}`);
    if (!isMap(document.contents)) throw invalid(file, 'it is not a YAML mapping');
    return document.toJS({ maxAliasCount: 0 }) as Record<string, unknown>;
  } catch (cause) {
    if (isMlvError(cause)) throw cause;
    // The parser raises errors of its own for aliases (which may expand without end) and for deep nesting.
    throw invalid(file, 'it holds YAML aliases, or is nested too deeply', cause);
  }
}

function count(value: unknown, key: string, file: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(file, `the key '${key}' is not a whole number`);
  }
  return value;
}

/** Why a file or directory of this name cannot have a pointer on every platform, or undefined when it can. */
export function targetNameProblem(name: string): string | undefined {
  const problem = entryNameProblem(Buffer.from(name, 'utf8'));
  if (problem || /[\\/]/.test(name)) return 'is not a plain name in its own folder';
  return isWindowsDeviceName(name) ? 'is a device name on Windows' : undefined;
}

function checkPath(path: string, file: string): void {
  const expected = file.slice(file.lastIndexOf('/') + 1, -POINTER_SUFFIX.length);
  const unsafe = (reason: string, advice = 'restore it with git, or remove it'): never => {
    throw new MlvError('POINTER_UNSAFE', `'${file}' is refused: its path '${path}' ${reason}`, {
      hint: `a pointer names the file or directory beside it; ${advice}`,
      data: { path: file },
    });
  };
  const problem = targetNameProblem(path);
  if (problem) unsafe(problem);
  const folder = file.slice(0, file.lastIndexOf('/') + 1);
  const [from, to] = [inShellQuotes(`${folder}${path}`), inShellQuotes(`${folder}${expected}`)];
  if (path !== expected)
    unsafe(
      `does not fit its own name, which says '${expected}'`,
      `give it its name back, and rename with: mlv mv ${from} ${to}`,
    );
}

function invalid(file: string, reason: string, cause?: unknown): MlvError {
  return new MlvError('POINTER_INVALID', `'${file}' is not a pointer: ${reason}`, {
    hint: `restore it: git checkout -- ${inShellQuotes(file)}`,
    data: { path: file },
    cause,
  });
}

/**
 * The text of a pointer. With the text it had before, keys that mlv does not know, comments and order are kept, and
 * a pointer that says the same already is given back byte for byte. What it said of a run goes where the content is
 * another and no run is given: that run did not make it.
 */
export function formatPointer(pointer: Pointer, before?: string): string {
  const document = parseYamlDocument(before ?? 'mlv: 1\n', { schema: 'core' });
  if (document.errors.length > 0 || !isMap(document.contents)) return formatPointer(pointer);
  const wanted: Record<string, string | number | boolean | undefined> = {
    path: pointer.path,
    oid: pointer.oid,
    size: pointer.size,
    files: pointer.files,
    executable: pointer.executable === true ? true : undefined,
  };
  if (pointer.remote !== undefined) wanted.remote = pointer.remote;
  const sameContent = document.get('oid') === pointer.oid;
  let changed = before === undefined;
  for (const [key, value] of Object.entries(wanted)) {
    if (document.get(key) === value) continue;
    changed = true;
    if (value === undefined) document.delete(key);
    else document.set(key, value);
  }
  if (pointer.run ? !saysRun(document, pointer.run) : !sameContent && document.has('run')) {
    changed = true;
    if (pointer.run) document.set('run', document.createNode({ ...pointer.run }));
    else document.delete('run');
  }
  if (!changed) return before as string;
  return document.toString({ lineWidth: 0 });
}

function saysRun(document: Document, run: PointerRun): boolean {
  return (['oid', 'size', 'files', 'key'] as const).every((key) => document.getIn(['run', key]) === run[key]);
}
