import { MlvError } from '../core/errors.js';
import { compareNames } from './entry-name.js';
import type { TreeLoader } from './tree-diff.js';
import { checkTreeLevel, decodeTree, encodeTree, type TreeEntry } from './tree-format.js';

/** What becomes of one path of a tree: this entry (its name is the path's last component), or nothing. */
export type TreeEdit = { path: string; entry: TreeEntry } | { path: string; entry: undefined };

export interface EditedTree {
  digest: Buffer;
  /** Bytes, and files and links, of everything below. */
  size: number;
  files: number;
}

export interface TreeEditOptions {
  load: TreeLoader;
  /** Gives the digest of a tree's bytes, and keeps them. */
  store: (bytes: Buffer) => Buffer;
}

/** Edits by the components of their paths. */
interface EditNode {
  /** What the path itself becomes; undefined where only something below it changes. */
  edit?: TreeEdit;
  below: Map<string, EditNode>;
}

/**
 * The tree after some edits, in their order: a later one may go into what an earlier one put there or took away. Only the
 * trees on the way to a path are read and written; directories on the way are made, and stay where they get empty.
 * Errors: `PATH_NOT_FOUND` for a path to remove that is not there, `TARGET_EXISTS` where a file is on the way to one,
 * `TREE_INVALID` for a name that no tree may hold, those of `load`.
 */
export function editTree(digest: Buffer, edits: readonly TreeEdit[], options: TreeEditOptions): EditedTree {
  let tree: EditedTree = { digest, size: 0, files: 0 };
  const made = new Map<string, Buffer>();
  const remembering: TreeEditOptions = {
    load: (each) => made.get(each.toString('latin1')) ?? options.load(each),
    store: (bytes) => {
      const stored = options.store(bytes);
      made.set(stored.toString('latin1'), bytes);
      return stored;
    },
  };
  for (const node of inOrder(edits)) tree = editDirectory(tree.digest, { node, path: '', level: 0 }, remembering);
  return tree;
}

/** Edits of different paths go together; one at or below the path of another waits for it. */
function* inOrder(edits: readonly TreeEdit[]): Generator<EditNode> {
  let root: EditNode = { below: new Map() };
  for (const edit of edits) {
    if (!insert(root, edit)) {
      yield root;
      root = { below: new Map() };
      insert(root, edit);
    }
  }
  yield root;
}

/** False, and nothing happens, where an edit of the same path, above it or below it is there already. */
function insert(root: EditNode, edit: TreeEdit): boolean {
  const parts = edit.path.split('/');
  let node: EditNode | undefined = root;
  for (const part of parts) {
    node = node?.below.get(part);
    if (node?.edit) return false;
  }
  if (node) return false;
  let at = root;
  for (const part of parts) {
    const next: EditNode = at.below.get(part) ?? { below: new Map() };
    at.below.set(part, next);
    at = next;
  }
  at.edit = edit;
  return true;
}

interface EditAt {
  node: EditNode;
  path: string;
  level: number;
}

/** `digest` is undefined for a directory that is made on the way. */
function editDirectory(digest: Buffer | undefined, at: EditAt, options: TreeEditOptions): EditedTree {
  checkTreeLevel(at.level);
  const entries = digest ? decodeTree(options.load(digest)) : [];
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  for (const [name, node] of at.node.below) {
    const path = at.path === '' ? name : `${at.path}/${name}`;
    const entry = node.edit
      ? edited(byName.get(name), node.edit)
      : below(byName.get(name), { ...at, node, path }, options);
    if (entry) byName.set(name, { ...entry, name });
    else byName.delete(name);
  }
  const sorted = [...byName.values()].sort((left, right) => compareNames(left.name, right.name));
  const bytes = encodeTree(sorted);
  return { digest: options.store(bytes), ...totals(sorted) };
}

function edited(before: TreeEntry | undefined, { path, entry }: TreeEdit): TreeEntry | undefined {
  if (entry === undefined && before === undefined) {
    throw new MlvError('PATH_NOT_FOUND', `'${path}' is not in the tracked directory`, { data: { path } });
  }
  return entry;
}

function below(before: TreeEntry | undefined, at: EditAt, options: TreeEditOptions): TreeEntry {
  if (before && before.kind !== 'tree') {
    throw new MlvError('TARGET_EXISTS', `'${at.path}' is a file in the tracked directory, and no directory`, {
      hint: 'remove it there first: mlv rm <path>',
      data: { path: at.path },
    });
  }
  return { kind: 'tree', name: '', ...editDirectory(before?.digest, { ...at, level: at.level + 1 }, options) };
}

function totals(entries: readonly TreeEntry[]): { size: number; files: number } {
  let size = 0;
  let files = 0;
  for (const entry of entries) {
    size += entry.kind === 'link' ? 0 : entry.size;
    files += entry.kind === 'tree' ? entry.files : 1;
  }
  return { size, files };
}
