import { byteString, type IgnorePattern, parseIgnoreText } from '../workspace/ignore-pattern.js';
import { parentOf, type RepositoryPath } from '../workspace/paths.js';

/** One line of a `.gitattributes`. */
interface Line {
  /** As it stands. */
  text: string;
  /** As written, quotes included; undefined for a comment, an empty line or the definition of a macro. */
  written?: string;
  pattern?: IgnorePattern;
  /** Name of the macro that the line defines. */
  macro?: string;
  attributes: string[];
}

/** The parsed text of one attributes file. */
export interface AttributesFile {
  lines: Line[];
}

/** What Git LFS writes on a line that it tracks, besides `filter=lfs`. */
const BESIDE = new Set(['diff=lfs', 'merge=lfs', '-text', 'lockable', '-lockable', '!text']);
const LFS = 'filter=lfs';

/** Reads a `.gitattributes`; see gitattributes(5). */
export function parseAttributes(text: string): AttributesFile {
  return { lines: text.split('\n').map((each) => parseLine(each)) };
}

function parseLine(text: string): Line {
  const line = text.replace(/\r$/, '').replace(/^[ \t]+/, '');
  const match = /^("(?:[^"\\]|\\.)*"|\S+)(?:[ \t]+(.*))?$/.exec(line);
  if (!match || line.startsWith('#')) return { text, attributes: [] };
  const written = match[1] as string;
  const attributes = (match[2] ?? '').split(/[ \t]+/).filter(Boolean);
  if (written.startsWith('[attr]')) return { text, macro: written.slice('[attr]'.length), attributes };
  const plain = written.startsWith('"') ? unquoted(written) : written;
  // Git forbids negative patterns here.
  const [pattern] = plain.startsWith('!') ? [] : parseIgnoreText(plain.replace(/^#/, '\\#'));
  return { text, written, ...(pattern && !pattern.directoryOnly && { pattern }), attributes };
}

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\([0-7]{3}|.)/g, (_, escaped: string) => {
    if (/^[0-7]{3}$/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8));
    return { n: '\n', t: '\t' }[escaped] ?? escaped;
  });
}

/** The attribute files in force in a commit: answers which paths Git LFS tracks. */
export class LfsFilters {
  private readonly macros = new Map<string, string[]>();

  /** `files` are those of the commit by path; `above` is one that beats them all (`.git/info/attributes`). */
  constructor(
    private readonly files: ReadonlyMap<RepositoryPath, AttributesFile>,
    private readonly above?: AttributesFile,
  ) {
    // Macros can be defined at the top only.
    for (const file of [files.get('.gitattributes'), above]) {
      for (const { macro, attributes } of file?.lines ?? [])
        if (macro !== undefined) this.macros.set(macro, attributes);
    }
  }

  /** True where the filter of the path is that of Git LFS. */
  tracks(path: RepositoryPath): boolean {
    const own = this.above && this.filterIn(this.above, path, '');
    if (own !== undefined) return own === 'lfs';
    for (let directory = parentOf(path); ; directory = parentOf(directory)) {
      const file = this.files.get(directory === '' ? '.gitattributes' : `${directory}/.gitattributes`);
      const found = file && this.filterIn(file, path, directory);
      if (found !== undefined) return found === 'lfs';
      if (directory === '') return false;
    }
  }

  /** What the last line that says something of the filter says: its name, or an empty text for none. */
  private filterIn({ lines }: AttributesFile, path: RepositoryPath, directory: RepositoryPath): string | undefined {
    const below = byteString(directory === '' ? path : path.slice(directory.length + 1));
    const name = below.slice(below.lastIndexOf('/') + 1);
    for (let at = lines.length - 1; at >= 0; at -= 1) {
      const { pattern, attributes } = lines[at] as Line;
      if (!pattern?.expression.test(pattern.byName ? name : below)) continue;
      const filter = this.filterOf(attributes);
      if (filter !== undefined) return filter;
    }
    return undefined;
  }

  private filterOf(attributes: readonly string[], depth = 0): string | undefined {
    for (let at = attributes.length - 1; at >= 0; at -= 1) {
      const attribute = attributes[at] as string;
      if (attribute.startsWith('filter=')) return attribute.slice('filter='.length);
      if (attribute === '-filter' || attribute === '!filter' || attribute === 'filter') return '';
      const macro = depth < 8 ? this.macros.get(attribute) : undefined;
      const inner = macro && this.filterOf(macro, depth + 1);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }

  /** Names of macros that mean Git LFS, as one file or another defines them. */
  get lfsMacros(): Set<string> {
    return new Set(
      [...this.macros].filter(([, attributes]) => this.filterOf(attributes) === 'lfs').map(([name]) => name),
    );
  }
}

/** True for a text that names the filter of Git LFS. */
export function mentionsLfs(file: AttributesFile): boolean {
  return file.lines.some(({ attributes }) => attributes.includes(LFS));
}

/**
 * The text without what Git LFS says: its filter, what it writes beside, and macros of nothing else; every other line
 * stays as it is. Empty where nothing is left.
 */
export function withoutLfs({ lines }: AttributesFile, macros: ReadonlySet<string>): string {
  const kept = lines.flatMap((line): string[] => {
    const { attributes } = line;
    const uses = attributes.includes(LFS) || attributes.some((each) => macros.has(each));
    if (!uses) return [line.text];
    const rest = attributes.filter((each) => each !== LFS && !BESIDE.has(each) && !macros.has(each));
    if (rest.length === 0) return [];
    return [[line.macro === undefined ? line.written : `[attr]${line.macro}`, ...rest].join(' ')];
  });
  return kept.every((line) => line.trim() === '') ? '' : kept.join('\n');
}
