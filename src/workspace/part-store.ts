import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../config/lock-file.js';
import { encodeCanonicalYaml } from '../core/canonical-yaml.js';
import { MlvError } from '../core/errors.js';
import { readYamlMapping, YamlProblem } from '../core/read-yaml.js';
import type { RepositoryLayout } from '../git/git.js';
import { entryNameProblem } from '../objects/entry-name.js';
import type { RepositoryPath } from './paths.js';
import { readTextFile } from './text-file.js';
import { type PartText, WantedPart } from './wanted-part.js';
import { writeWholeFile } from './write-whole-file.js';

/** More is no list that anybody chose. */
const LIMIT = 16 * 1024 * 1024;
const VERSION = 1;

/** The parts that a working tree wants of tracked directories; a directory that is not named is wanted as a whole. */
export type Parts = ReadonlyMap<RepositoryPath, WantedPart>;

type PartChange = (part: WantedPart | undefined, directory: RepositoryPath) => WantedPart | undefined;

/**
 * The parts of this working tree. Errors: `CONFIG_INVALID` for a file that cannot be read as one, because files that are
 * not here would pass for deleted ones without it; `FORMAT_TOO_NEW`, `FILE_SYSTEM`.
 */
export function loadParts(layout: RepositoryLayout): Parts {
  const path = pathOf(layout);
  const found = readTextFile(path, LIMIT + 1);
  if (!found) return new Map();
  if ('link' in found) throw damaged(path, 'it is a symbolic link');
  try {
    return decode(readYamlMapping(found.text, LIMIT), path);
  } catch (error) {
    if (error instanceof YamlProblem) throw damaged(path, error.message);
    throw error;
  }
}

/**
 * Changes the parts of this working tree, from what is written down at that moment. `change` gets each directory's part,
 * undefined for one that is wanted as a whole, and gives the new one; it may be asked twice. Errors: as loadParts,
 * `DISK_FULL`, `FILE_SYSTEM`.
 */
export function changeParts(
  layout: RepositoryLayout,
  directories: readonly RepositoryPath[],
  change: PartChange,
): void {
  if (directories.length === 0) return;
  // Nothing to change needs no lock, which a read-only place could not give.
  if (changed(layout, directories, change) === undefined) return;
  const path = pathOf(layout);
  mkdirSync(dirname(path), { recursive: true });
  withLock(`${path}.lock`, () => {
    const text = changed(layout, directories, change);
    if (text !== undefined) writeWholeFile(path, text);
  });
}

/** The file as it is to be after the change; undefined where it may stay as it is. */
function changed(
  layout: RepositoryLayout,
  directories: readonly RepositoryPath[],
  change: PartChange,
): string | undefined {
  const parts = new Map(loadParts(layout));
  const before = encode(parts);
  for (const directory of directories) {
    const part = change(parts.get(directory), directory);
    if (part && !part.isWhole) parts.set(directory, part);
    else parts.delete(directory);
  }
  const text = encode(parts);
  return text === before ? undefined : text;
}

/** Forgets the parts of directories that are not tracked any more. Errors: as changeParts. */
export function forgetParts(layout: RepositoryLayout, directories: readonly RepositoryPath[]): void {
  const parts = loadParts(layout);
  const known = directories.filter((directory) => parts.has(directory));
  changeParts(layout, known, () => undefined);
}

function pathOf({ gitDir }: RepositoryLayout): string {
  return join(gitDir, 'mlv', 'partial.yaml');
}

function encode(parts: Parts): string {
  const directories = [...parts].sort(([left], [right]) => (left < right ? -1 : 1));
  const items = directories.map(([directory, { paths, patterns, without }]) => ({
    directory,
    paths: [...paths],
    ...(patterns.length > 0 && { patterns: [...patterns] }),
    ...(without.length > 0 && { without: [...without] }),
  }));
  return encodeCanonicalYaml({ mlv: VERSION, directories: items });
}

function decode(document: Record<string, unknown>, path: string): Parts {
  if (typeof document.mlv === 'number' && document.mlv > VERSION) {
    throw new MlvError('FORMAT_TOO_NEW', `'${path}' was written by a newer mlv (format ${document.mlv})`, {
      hint: 'update mlv',
      data: { path },
    });
  }
  if (document.mlv !== VERSION || !Array.isArray(document.directories)) throw damaged(path, "it is not mlv's");
  const parts = new Map<RepositoryPath, WantedPart>();
  for (const item of document.directories as unknown[]) {
    const { directory, ...rest } = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
    if (!isPath(directory) || directory === '') throw damaged(path, 'a directory in it has no path');
    parts.set(directory, new WantedPart(decodePart(rest, path)));
  }
  return parts;
}

function decodePart(item: Record<string, unknown>, path: string): PartText {
  const list = (name: string): string[] => {
    const value = item[name] ?? [];
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
      throw damaged(path, `'${name}' is not a list of texts`);
    return value as string[];
  };
  const part = { paths: list('paths'), patterns: list('patterns'), without: list('without') };
  const wrong = [...part.paths, ...part.without].find((each) => !isPath(each));
  if (wrong !== undefined) throw damaged(path, `'${wrong}' is no path below a directory`);
  return part;
}

/** A path below something, or empty. */
function isPath(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  return value === '' || value.split('/').every((name) => entryNameProblem(Buffer.from(name, 'utf8')) === undefined);
}

function damaged(path: string, reason: string): MlvError {
  return new MlvError(
    'CONFIG_INVALID',
    `'${path}', which says what is wanted of partial directories, is damaged: ${reason}`,
    {
      hint: 'mend it, or move it away and choose again: mlv sparse set <path…>',
      data: { path },
    },
  );
}
