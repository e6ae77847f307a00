import type { ContainerClient, ContainerListBlobFlatSegmentResponse } from '@azure/storage-blob';
import { checkInterrupted } from './interrupted.js';
import { comesAfter } from './keys.js';
import type { ListOptions, RemoteEntry } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';

const PAGE_ENTRIES = 5000;

interface Listing {
  container: ContainerClient;
  /** The remote's prefix in the container, with its slash; may be empty. */
  root: string;
  attempt: Attempt;
  options: ListOptions;
  /** Entries of a page at most. */
  pageEntries?: number | undefined;
  /** Makes a request, failures translated. */
  request: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * Lists keys page by page. Azure begins at the beginning: what comes up to `startAfter` is read and left out.
 * Errors: those of Remote; `REMOTE_PERMANENT` for a server whose list is not in order.
 */
export async function* listBlobs(listing: Listing): AsyncGenerator<RemoteEntry> {
  const { root, attempt, options } = listing;
  let last: string | undefined;
  for await (const page of pages(listing)) {
    for (const { name, properties } of page.segment.blobItems) {
      checkInterrupted(options.signal);
      const key = name.slice(root.length);
      if (!name.startsWith(root) || (last !== undefined && !comesAfter(key, last))) throw outOfOrder(attempt);
      last = key;
      if (options.startAfter !== undefined && !comesAfter(key, options.startAfter)) continue;
      yield { key, size: properties.contentLength ?? 0, modified: properties.lastModified.getTime() };
    }
  }
}

async function* pages({
  container,
  root,
  attempt,
  options: { signal },
  pageEntries = PAGE_ENTRIES,
  request,
}: Listing): AsyncGenerator<ContainerListBlobFlatSegmentResponse> {
  const iterator = container
    .listBlobsFlat({ prefix: root + (attempt.key ?? ''), ...(signal && { abortSignal: signal }) })
    .byPage({ maxPageSize: pageEntries });
  for (;;) {
    const result: IteratorResult<ContainerListBlobFlatSegmentResponse> = await request(() => iterator.next());
    if (result.done) return;
    yield result.value;
  }
}

function outOfOrder(attempt: Attempt): Error {
  return remoteError(attempt, { code: 'REMOTE_PERMANENT', reason: 'the server lists keys out of order' });
}
