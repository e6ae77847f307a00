import { type Document, isMap, isScalar, isSeq } from 'yaml';
import { type LevelFile, type ParsedFile, parseFile, renderDocument } from './document.js';
import { patchedValue, patchedWithout, saysTheSame } from './patch.js';
import { readLevelText } from './read-file.js';
import { isSecret, lookUp, type SettingValue, settingFor, textOf } from './settings.js';
import { checkLevel, invalid, parseValue } from './values.js';
import { type FileChange, updateFile } from './write-file.js';

/**
 * Sets one setting in a level's file, which is made where it does not exist. `text` is the value as a user types it.
 * Comments, unknown keys and the order of the file stay. A file that holds a credential is readable by its owner only.
 *
 * Errors: `CONFIG_KEY_UNKNOWN`, `CONFIG_INVALID` (the value, or a level that may not set it), `CONFIG_INVALID` and
 * `FORMAT_TOO_NEW` for what is there already, `CREDENTIAL_IN_COMMITTED_CONFIG`, `FILE_SYSTEM`, `DISK_FULL`.
 */
export async function setValue(file: LevelFile, key: string, options: { text: string; home: string }): Promise<void> {
  await updateFile(file, (text) => withValue(text ?? '', file, { key, value: options.text, home: options.home }));
}

/**
 * Takes a key out of a level's file, together with the sections that it leaves empty; a whole section, such as
 * `remote.origin`, may be named too, and so may a key that mlv does not know. Answers whether it was there.
 * Errors: `CONFIG_INVALID`, `FORMAT_TOO_NEW`, `FILE_SYSTEM`, `DISK_FULL`.
 */
export async function unsetValue(file: LevelFile, key: string): Promise<boolean> {
  if ((await readLevelText(file)) === undefined) return false;
  return updateFile(file, (text) => (text === undefined ? undefined : withoutKey(text, file, key)));
}

/** The text of a file with a setting set: the pure half of setValue, with the same errors. */
export function withValue(
  text: string,
  file: LevelFile,
  wanted: { key: string; value: string; home: string },
): FileChange {
  const known = settingFor(wanted.key);
  const place = { where: `mlv config set ${wanted.key}` };
  const value = parseValue(known, wanted.value, { place, home: wanted.home });
  checkLevel(known, value, { place: { where: file.path, file: file.path }, level: file.level });
  const parsed = parseFile(text, file);
  const path = wanted.key.split('.');
  // A path is kept as it was typed, so that `~/` stays what it means.
  const written = typeof value === 'string' ? wanted.value : value;
  const patched = patchedValue(text, parsed.document, { path, value: written });
  for (let depth = 1; depth < path.length; depth += 1) prepareSection(parsed, path.slice(0, depth));
  put(parsed, path, written);
  return changeTo(parsed.document, patched);
}

/** The text of a file without a key, or undefined where the key is not there: the pure half of unsetValue. */
export function withoutKey(text: string, file: LevelFile, key: string): FileChange | undefined {
  const { document } = parseFile(text, file);
  const path = key.split('.');
  if (!isMap(document.contents) || !document.hasIn(path)) return undefined;
  const patched = patchedWithout(text, document, path);
  document.deleteIn(path);
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const section = document.getIn(path.slice(0, depth), true);
    if (isMap(section) && section.items.length === 0) document.deleteIn(path.slice(0, depth));
  }
  return changeTo(document, patched);
}

function prepareSection(parsed: ParsedFile, section: string[]): void {
  const node = parsed.document.getIn(section, true);
  // A section without content is null in YAML, which nothing can be put into.
  if (isNothing(node)) parsed.document.deleteIn(section);
  else if (node !== undefined && !isMap(node)) {
    throw invalid(parsed.placeOf(node), `'${section.join('.')}' must hold keys and values`);
  }
}

function put({ document }: ParsedFile, path: string[], value: SettingValue): void {
  const present = document.getIn(path, true);
  if (isScalar(present) && typeof value !== 'object') {
    // In place: the comment behind it stays. Its old notation (hexadecimal, folded, …) goes.
    present.value = value;
    delete present.format;
    delete present.source;
    if (present.type !== 'QUOTE_DOUBLE' && present.type !== 'QUOTE_SINGLE') delete present.type;
    delete present.tag;
    return;
  }
  const node = document.createNode(value);
  if (isSeq(node)) node.flow = true;
  document.setIn(path, node);
}

function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** The text that changes least, where it says what the document says; otherwise what the library renders. */
function changeTo(document: Document.Parsed, patched: string | undefined): FileChange {
  const exact = patched !== undefined && saysTheSame(patched, document);
  return { text: exact ? patched : renderDocument(document), secret: holdsSecret(document) };
}

function holdsSecret(document: Document.Parsed): boolean {
  const remotes = document.get('remote', true);
  if (!isMap(remotes)) return false;
  return remotes.items.some(({ key: name, value: remote }) =>
    isMap(remote)
      ? remote.items.some(({ key, value }) => {
          const known = lookUp(`remote.${String(name)}.${String(key)}`);
          return known !== undefined && isScalar(value) && isSecret(known, textOf(String(value.value)));
        })
      : false,
  );
}
