import { closeSync, openSync, readSync } from 'node:fs';
import { MlvError } from '../core/errors.js';
import { looksLikeTree } from '../objects/tree-format.js';
import type { ContentSink } from './pending-files.js';

/**
 * The sink, with files refused that have the bytes of a tree: they would share the tree's name on every remote, and no
 * real data looks like one. Error of its functions besides those of the sink: `PATH_UNSUPPORTED`.
 */
export function refuseTrees(sink: ContentSink): ContentSink {
  return {
    ...sink,
    small: (bytes) => {
      if (looksLikeTree(bytes)) throw treeAsFile();
      return sink.small(bytes);
    },
    large: (path, options) => {
      if (startsLikeTree(path)) throw treeAsFile(path);
      return sink.large(path, options);
    },
  };
}

/** True for a file that begins as a tree does. Throws the file system's own errors. */
export function startsLikeTree(path: string): boolean {
  const descriptor = openSync(path, 'r');
  try {
    const start = Buffer.alloc(16);
    return looksLikeTree(start.subarray(0, readSync(descriptor, start, 0, start.length, 0)));
  } finally {
    closeSync(descriptor);
  }
}

function treeAsFile(path = 'a file'): MlvError {
  return new MlvError('PATH_UNSUPPORTED', `${path} has the content of an mlv tree object and cannot be tracked`, {
    hint: 'leave copies of the cache out with a line in .mlvignore',
  });
}
