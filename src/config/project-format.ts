import { type Document, isMap } from 'yaml';
import { FORMAT, type ParsedFile, renderDocument, topLevelText } from './document.js';
import { saysTheSame } from './patch.js';
import { invalid, type Place } from './values.js';

/** What `mlv init` records in `mlv.yaml`. */
export interface Project {
  /** Format of the repository. */
  readonly format: number;
  /** A UUID in lower case. */
  readonly repository: string;
  /** What new objects are named by. */
  readonly hash: 'blake3' | 'sha256';
}

const HEADER = '# Written by `mlv init`: commit this file.\n';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The project that a parsed `mlv.yaml` describes, or undefined where it has none of the three keys, and so was not
 * initialised. Error: `CONFIG_INVALID` with file and line.
 */
export function projectOf(parsed: ParsedFile): Project | undefined {
  const format = topLevelText(parsed, 'mlv');
  const repository = topLevelText(parsed, 'repository');
  const hash = topLevelText(parsed, 'hash');
  if (!format && !repository && !hash) return undefined;
  // parseFile has checked the number itself.
  if (!format) throw missing(parsed, 'mlv');
  if (!repository) throw missing(parsed, 'repository');
  if (!hash) throw missing(parsed, 'hash');
  const id = repository.text.toLowerCase();
  if (!UUID.test(id)) throw wrong(repository.place, 'repository', 'a UUID, as `mlv init` writes it');
  if (hash.text !== 'blake3' && hash.text !== 'sha256') throw wrong(hash.place, 'hash', 'blake3 or sha256');
  return { format: Number(format.text), repository: id, hash: hash.text };
}

/**
 * The text of an `mlv.yaml` with a project in it: of a new one, or of one (its text, and that parsed) that describes no
 * project yet and keeps all it has.
 */
export function withProject(
  text: string,
  parsed: ParsedFile | undefined,
  wanted: Pick<Project, 'repository' | 'hash'>,
): string {
  const keys = { mlv: FORMAT, repository: wanted.repository, hash: wanted.hash };
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${value}\n`);
  const head = HEADER + lines.join('');
  if (!parsed) return head;
  const document: Document = parsed.document;
  if (!isMap(document.contents)) document.contents = document.createNode({});
  const pairs = Object.entries(keys).map(([key, value]) => document.createPair(key, value));
  if (isMap(document.contents)) document.contents.items.unshift(...pairs);
  const joined = `${head}\n${text}`;
  return saysTheSame(joined, document) ? joined : renderDocument(document);
}

function missing(parsed: ParsedFile, key: string): Error {
  const file = parsed.file.path;
  return invalid({ where: file, file }, `the key '${key}' is missing`, {
    hint: 'take the file back from Git, or remove what is left of mlv, repository and hash and run `mlv init`',
    data: { key },
  });
}

function wrong(place: Place, key: string, expected: string): Error {
  return invalid(place, `'${key}' must be ${expected}`, { data: { key } });
}
