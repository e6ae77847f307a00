import type { Reporter } from '../core/reporter.js';
import { observeBody } from './body.js';
import type { Remote, RemoteBody } from './remote.js';
import { getByBelow, wrap } from './wrap.js';

/** Smaller bodies are gone before anybody has read their line. */
const LEAST_BYTES = 256 * 1024;
/** Enough of a digest to tell one pack from another. */
const NAME_CHARACTERS = 8;

/** The same remote; every body that is worth a line is shown while it travels. Put it below limit: what waits does not. */
export function withReporter(remote: Remote, reporter: Reporter): Remote {
  return wrap(remote, {
    stat: (key, call) => remote.stat(key, call),
    list: (prefix, call) => remote.list(prefix, call),
    delete: (keys, call) => remote.delete(keys, call),
    get: async (key, call) => {
      const content = await remote.get(key, call);
      if (content.size < LEAST_BYTES) return content;
      const shown = reporter.transfer(shortName(key), { bytes: content.size, direction: 'down' });
      const end = (): void => {
        call?.signal?.removeEventListener('abort', end);
        shown.end();
      };
      // An aborted body may never be touched again.
      call?.signal?.addEventListener('abort', end);
      const body = observeBody(content.body, { bytes: (count) => shown.advance(count), end });
      return { size: content.size, body };
    },
    getBy: async (carrier, key, call) => {
      const bytes = call.range.length;
      const shown = bytes < LEAST_BYTES ? undefined : reporter.transfer(shortName(key), { bytes, direction: 'down' });
      try {
        return await getByBelow(remote, { carrier, onBytes: (count) => shown?.advance(count) }, key, call);
      } finally {
        shown?.end();
      }
    },
    put: async (key, body, call) => {
      if (body.size < LEAST_BYTES) return remote.put(key, body, call);
      const shown = reporter.transfer(shortName(key), { bytes: body.size, direction: 'up' });
      try {
        return await remote.put(key, observed(body, shown.advance.bind(shown)), call);
      } finally {
        shown.end();
      }
    },
  });
}

function observed(body: RemoteBody, advance: (bytes: number) => void): RemoteBody {
  return {
    size: body.size,
    ...(body.sha256 && { sha256: body.sha256 }),
    open() {
      const opened = body.open();
      return opened instanceof Uint8Array ? opened : observeBody(opened, { bytes: advance });
    },
  };
}

/** `packs/blake3/ab/abcdef…` as `pack abcdef12`. */
function shortName(key: string): string {
  const parts = key.split('/');
  const last = (parts.at(-1) ?? '').slice(0, NAME_CHARACTERS);
  return parts.length > 1 ? `${(parts[0] ?? '').replace(/s$/, '')} ${last}` : last;
}
