import type { Bucket, GetFilesOptions } from '@google-cloud/storage';
import { type GcsContext, notGcs } from './gcs-errors.js';
import { checkInterrupted } from './interrupted.js';
import { comesAfter } from './keys.js';
import type { ListOptions, RemoteEntry } from './remote.js';
import { type Attempt, remoteError } from './remote-error.js';

const PAGE_ENTRIES = 1000;

interface Listing {
  bucket: Bucket;
  /** The remote's prefix in the bucket, with its slash; may be empty. */
  root: string;
  attempt: Attempt;
  options: ListOptions;
  context: GcsContext;
  /** Makes a request, failures translated. */
  request: <T>(work: () => Promise<T>) => Promise<T>;
}

/** What the server says of a page. */
interface Page {
  kind?: unknown;
  items?: { name: string; size: string; updated: string }[];
}

/**
 * Lists keys page by page. Errors: those of Remote; `REMOTE_PERMANENT` for an answer that is no list, or not in order.
 */
export async function* listObjects(listing: Listing): AsyncGenerator<RemoteEntry> {
  const { root, attempt, context, options } = listing;
  const { startAfter, signal } = options;
  let last: string | undefined;
  for await (const { kind, items = [] } of pages(listing)) {
    // Any well-formed page of a proxy would otherwise read as an empty list.
    if (kind !== 'storage#objects') throw remoteError(attempt, notGcs(context, 'not a list'));
    for (const { name, size, updated } of items) {
      checkInterrupted(signal);
      const key = name.slice(root.length);
      if (!name.startsWith(root) || (last !== undefined && !comesAfter(key, last))) {
        throw remoteError(attempt, notGcs(context, 'keys out of order'));
      }
      last = key;
      // The key to start after is itself the first one that is listed.
      if (startAfter !== undefined && !comesAfter(key, startAfter)) continue;
      yield { key, size: Number(size), modified: Date.parse(updated) || 0 };
    }
  }
}

async function* pages({ bucket, root, attempt, options, request }: Listing): AsyncGenerator<Page> {
  const { startAfter } = options;
  let query: GetFilesOptions | null = {
    prefix: root + (attempt.key ?? ''),
    autoPaginate: false,
    maxResults: PAGE_ENTRIES,
    fields: 'kind,nextPageToken,items(name,size,updated)',
    ...(startAfter !== undefined && { startOffset: root + startAfter }),
  };
  while (query) {
    const asked: GetFilesOptions = query;
    const [, next, page] = await request(() => bucket.getFiles(asked));
    yield page as Page;
    query = next as GetFilesOptions | null;
  }
}
