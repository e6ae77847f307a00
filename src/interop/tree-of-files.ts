import { sortNames } from '../objects/entry-name.js';
import { TreeWriter } from '../objects/tree-format.js';
import type { ImportedContent } from './content-import.js';

/** A file of a directory that becomes a tree. */
export interface PlacedContent {
  /** Below the directory, `/`-separated. */
  path: string;
  content: ImportedContent;
  executable: boolean;
}

/** A tree with everything below it counted. */
export interface SealedTree {
  digest: Buffer;
  size: number;
  files: number;
}

interface Folder {
  files: Map<string, PlacedContent>;
  folders: Map<string, Folder>;
}

/**
 * Makes the trees of a directory from the list of its files, whose paths were checked, and gives the topmost. `store` gets
 * the bytes of each tree and gives its digest.
 */
export function sealFiles(files: Iterable<PlacedContent>, store: (bytes: Buffer) => Buffer): SealedTree {
  const root: Folder = { files: new Map(), folders: new Map() };
  for (const file of files) {
    const parts = file.path.split('/');
    const name = parts.pop() as string;
    let folder = root;
    for (const part of parts) {
      let next = folder.folders.get(part);
      if (!next) {
        next = { files: new Map(), folders: new Map() };
        folder.folders.set(part, next);
      }
      folder = next;
    }
    folder.files.set(name, file);
  }
  return seal(root, store);
}

function seal({ files, folders }: Folder, store: (bytes: Buffer) => Buffer): SealedTree {
  const writer = new TreeWriter(80 * (files.size + folders.size));
  for (const name of sortNames([...files.keys(), ...folders.keys()])) {
    const folder = folders.get(name);
    if (folder) {
      const tree = seal(folder, store);
      writer.addTree(name, tree, tree.digest);
      continue;
    }
    const { content, executable } = files.get(name) as PlacedContent;
    writer.addFile(name, executable, content.size, content.digest);
  }
  return { digest: store(writer.finish()), size: writer.size, files: writer.files };
}
