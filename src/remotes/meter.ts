import { observeBody } from './body.js';
import type { ListOptions, Remote, RemoteBody, RemoteEntry } from './remote.js';
import { getByBelow, wrap } from './wrap.js';

const ENTRIES_PER_REQUEST = 1000;

export interface Traffic {
  /** Calls, failed ones included; a list or a delete counts one for every thousand keys, as the servers do. */
  requests: number;
  /** Bytes of bodies that were handed to the remote. */
  bytesUp: number;
  /** Bytes of bodies that arrived. */
  bytesDown: number;
}

/** Counts what travels. One meter may serve several remotes. */
export class Meter {
  private readonly traffic: Traffic = { requests: 0, bytesUp: 0, bytesDown: 0 };

  /** What was counted so far. */
  snapshot(): Traffic {
    return { ...this.traffic };
  }

  add(change: Partial<Traffic>): void {
    this.traffic.requests += change.requests ?? 0;
    this.traffic.bytesUp += change.bytesUp ?? 0;
    this.traffic.bytesDown += change.bytesDown ?? 0;
  }
}

/** The same remote, counted. Put the meter below retry, so that what is sent twice counts twice. */
export function withMeter(remote: Remote, meter: Meter): Remote {
  const request = (): void => meter.add({ requests: 1 });
  return wrap(remote, {
    stat: (key, call) => {
      request();
      return remote.stat(key, call);
    },
    get: async (key, call) => {
      request();
      const { size, body } = await remote.get(key, call);
      return { size, body: observeBody(body, { bytes: (bytesDown) => meter.add({ bytesDown }) }) };
    },
    getBy: (carrier, key, call) => {
      request();
      return getByBelow(remote, { carrier, onBytes: (bytesDown) => meter.add({ bytesDown }) }, key, call);
    },
    put: (key, body, call) => {
      request();
      return remote.put(key, meteredBody(body, meter), call);
    },
    list: (prefix, call) => meteredList(remote, meter, { prefix, call }),
    delete: (keys, call) => {
      meter.add({ requests: Math.ceil(keys.length / ENTRIES_PER_REQUEST) });
      return remote.delete(keys, call);
    },
  });
}

function meteredBody(body: RemoteBody, meter: Meter): RemoteBody {
  return {
    size: body.size,
    ...(body.sha256 && { sha256: body.sha256 }),
    open() {
      const opened = body.open();
      if (!(opened instanceof Uint8Array)) {
        return observeBody(opened, { bytes: (bytesUp) => meter.add({ bytesUp }) });
      }
      meter.add({ bytesUp: opened.byteLength });
      return opened;
    },
  };
}

async function* meteredList(
  remote: Remote,
  meter: Meter,
  { prefix, call }: { prefix: string; call: ListOptions | undefined },
): AsyncGenerator<RemoteEntry> {
  meter.add({ requests: 1 });
  let entries = 0;
  for await (const entry of remote.list(prefix, call)) {
    if (entries > 0 && entries % ENTRIES_PER_REQUEST === 0) meter.add({ requests: 1 });
    entries++;
    yield entry;
  }
}
