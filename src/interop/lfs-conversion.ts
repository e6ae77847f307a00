import { MlvError } from '../core/errors.js';
import type { NewFile } from '../git/rewriting.js';
import { isWithin, nameOf, type RepositoryPath } from '../workspace/paths.js';
import { type Pointer, targetNameProblem } from '../workspace/pointer-format.js';
import type { ImportedContent } from './content-import.js';
import { foreignInvalid } from './foreign-id.js';
import { ignoredBeside, textFile } from './ignore-lines.js';
import { type AttributesFile, LfsFilters, mentionsLfs, parseAttributes, withoutLfs } from './lfs-attributes.js';
import type { LfsPointer } from './lfs-pointer.js';
import { pointerText } from './pointer-text.js';
import { type ProjectAdditions, withAdditions } from './project-text.js';
import type { Overlay } from './rewrite-commits.js';
import type { State, StateFile } from './rewrite-state.js';
import type { PlacedContent, SealedTree } from './tree-of-files.js';

/** What the conversion of a state needs besides its files. */
export interface LfsConversionOptions {
  /** The pointer that a blob is; undefined for any other. */
  pointer: (blob: string) => LfsPointer | undefined;
  text: (blob: string) => string | undefined;
  /** `.git/info/attributes`. */
  above?: AttributesFile;
  contentOf: (pointer: LfsPointer) => ImportedContent | undefined;
  /** Why a content could not be had. */
  missing: (path: RepositoryPath, pointer: LfsPointer) => MlvError;
  oid: (content: { digest: Buffer }) => Pointer['oid'];
  /** Makes a directory's tree. */
  seal: (files: readonly PlacedContent[]) => SealedTree;
  /** Directories that become one pointer each. */
  groups: readonly RepositoryPath[];
  project: ProjectAdditions['project'];
  projectText: string | undefined;
  home: string;
}

/** A file that Git LFS tracks. */
export interface LfsFile {
  path: RepositoryPath;
  pointer: LfsPointer;
  executable: boolean;
}

/** A pointer that took the place of one file, or of all in a directory. */
export interface ConvertedLfs {
  path: RepositoryPath;
  pointer: Pointer;
  files: LfsFile[];
}

/** What Git LFS tracks in a commit, and what is like it but is not. */
export interface LfsReading {
  files: LfsFile[];
  /** Pointers under no filter: files of their own. */
  untracked: RepositoryPath[];
  filters: LfsFilters;
  attributes: Map<RepositoryPath, AttributesFile>;
}

/** What became of a commit. */
export interface LfsConverted {
  overlay: Overlay;
  converted: ConvertedLfs[];
  kept: { file: RepositoryPath; error: MlvError }[];
}

/** True for the name of a file that a migration from Git LFS looks at, whatever it holds. */
export function isLfsRelevant(path: RepositoryPath): boolean {
  const name = nameOf(path);
  return ['.gitattributes', '.gitignore', '.lfsconfig', 'mlv.yaml'].includes(name) || name.endsWith('.mlv');
}

/**
 * What Git LFS tracks in a state: its pointers, apart the ones (`untracked`) whose path no attribute gives to it.
 * `pointer` and `text` read blobs by Git's name; undefined for what is no pointer, or no text. Pure but for these.
 */
export function readLfs(
  state: State,
  { pointer, text, above }: Pick<LfsConversionOptions, 'pointer' | 'text' | 'above'>,
): LfsReading {
  const attributes = new Map<RepositoryPath, AttributesFile>();
  for (const [path, { blob }] of state) {
    if (nameOf(path) === '.gitattributes') attributes.set(path, parseAttributes(text(blob) ?? ''));
  }
  const filters = new LfsFilters(attributes, above);
  const reading: LfsReading = { files: [], untracked: [], filters, attributes };
  for (const [path, { blob, mode }] of state) {
    const found = pointer(blob);
    if (!found) continue;
    if (filters.tracks(path)) reading.files.push({ path, pointer: found, executable: mode === '100755' });
    else reading.untracked.push(path);
  }
  return reading;
}

/** Files in a directory that keep it from being one pointer: what Git LFS does not track. */
export function ungroupable(state: State, reading: LfsReading, group: RepositoryPath): RepositoryPath[] {
  const tracked = new Set(reading.files.map(({ path }) => path));
  return [...state.keys()].filter((path) => {
    if (!isWithin(path, group) || tracked.has(path)) return false;
    const attributes = reading.attributes.get(path);
    return !attributes || withoutLfs(attributes, reading.filters.lfsMacros) !== '';
  });
}

/**
 * The files of a commit with mlv in the place of Git LFS: pointers, `.gitignore`, attribute files without its filter. A
 * file whose content could not be had stays with Git LFS, and so do the attribute files then.
 */
export function convertLfs(state: State, options: LfsConversionOptions): LfsConverted {
  const reading = readLfs(state, options);
  const overlay = new Map<RepositoryPath, NewFile>(state);
  const converted: ConvertedLfs[] = [];
  const kept: LfsConverted['kept'] = [];
  const groups = options.groups.filter((group) => ungroupable(state, reading, group).length === 0);
  const grouped = new Map<RepositoryPath, LfsFile[]>(groups.map((group) => [group, []]));
  for (const file of reading.files) {
    const group = groups.find((each) => isWithin(file.path, each));
    if (group !== undefined) grouped.get(group)?.push(file);
    else place([file], file.path, { state, options, converted, kept });
  }
  for (const [group, files] of grouped) if (files.length > 0) place(files, group, { state, options, converted, kept });
  for (const { path, pointer, files } of converted) {
    for (const file of files) overlay.delete(file.path);
    overlay.set(`${path}.mlv`, textFile(pointerText(pointer)));
  }
  const textOf = (path: RepositoryPath): string | undefined => {
    const file: StateFile | undefined = state.get(path);
    return file && options.text(file.blob);
  };
  if (kept.length === 0) endLfs(reading, overlay);
  if (converted.length === 0) return { overlay, converted, kept };
  const paths = converted.map(({ path }) => path);
  for (const [file, text] of ignoredBeside(paths, textOf)) overlay.set(file, textFile(text));
  const project = textOf('mlv.yaml');
  const settings = new Map<string, string>();
  const additions = { project: options.project, home: options.home, settings, stages: new Map() };
  const text = withAdditions(project ?? options.projectText, additions);
  if (text !== project) overlay.set('mlv.yaml', textFile(text));
  if (kept.length > 0) freeOurs(reading, overlay);
  return { overlay, converted, kept };
}

function place(
  files: LfsFile[],
  path: RepositoryPath,
  {
    state,
    options,
    converted,
    kept,
  }: {
    state: State;
    options: LfsConversionOptions;
    converted: ConvertedLfs[];
    kept: LfsConverted['kept'];
  },
): void {
  const error = placeError(path, state);
  if (error) return void kept.push({ file: path, error });
  const contents = files.map((file) => ({ file, content: options.contentOf(file.pointer) }));
  const missing = contents.filter(({ content }) => !content);
  if (missing.length > 0) {
    for (const { file } of missing) kept.push({ file: file.path, error: options.missing(file.path, file.pointer) });
    return;
  }
  const [first] = contents;
  if (files.length === 1 && first?.file.path === path && first.content) {
    const { content, file } = first;
    const pointer: Pointer = { path: nameOf(path), oid: options.oid(content), size: content.size };
    if (file.executable) pointer.executable = true;
    converted.push({ path, pointer, files });
    return;
  }
  const placed = contents.flatMap(({ file, content }) => {
    const below = file.path.slice(path.length + 1);
    return content ? [{ path: below, content, executable: file.executable }] : [];
  });
  const tree = options.seal(placed);
  converted.push({
    path,
    pointer: { path: nameOf(path), oid: options.oid(tree), size: tree.size, files: tree.files },
    files,
  });
}

/** Why nothing can become a target at a path. */
function placeError(path: RepositoryPath, state: State): MlvError | undefined {
  const problem = targetNameProblem(nameOf(path)) ?? (path.endsWith('.mlv') ? 'is the name of a pointer' : undefined);
  if (problem) return foreignInvalid(path, `cannot be migrated: it ${problem}`);
  if (!state.has(`${path}.mlv`)) return undefined;
  return new MlvError('TARGET_EXISTS', `'${path}' is tracked by mlv already, and by Git LFS`, { data: { path } });
}

/** Takes away what only Git LFS reads. */
function endLfs({ attributes, filters }: LfsReading, overlay: Map<RepositoryPath, NewFile>): void {
  const macros = filters.lfsMacros;
  for (const [path, file] of attributes) {
    if (!mentionsLfs(file) && macros.size === 0) continue;
    const rest = withoutLfs(file, macros);
    if (rest === '') overlay.delete(path);
    else if (rest !== file.lines.map(({ text }) => text).join('\n')) overlay.set(path, textFile(rest));
  }
  overlay.delete('.lfsconfig');
}

const OURS = ['*.mlv', 'mlv.yaml', '.gitignore'];

/** Where the filter stays, it must not take what mlv writes for large files. */
function freeOurs({ attributes, filters }: LfsReading, overlay: Map<RepositoryPath, NewFile>): void {
  if (![...overlay].some(([path, file]) => 'text' in file && filters.tracks(path))) return;
  for (const [path, file] of attributes) {
    if (!mentionsLfs(file)) continue;
    const text = file.lines.map((line) => line.text).join('\n');
    const lines = OURS.map((each) => `${each} !filter !diff !merge !text\n`).join('');
    overlay.set(path, textFile(`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${lines}`));
  }
}
