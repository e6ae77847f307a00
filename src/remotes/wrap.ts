import type { Carrier, Remote } from './remote.js';

type Methods = Pick<Remote, 'stat' | 'get' | 'getBy' | 'put' | 'list' | 'delete'>;

/**
 * A remote that answers by other methods but keeps the URL, the credentials and the end of the one below it. It has a
 * `getBy` only where both have one.
 */
export function wrap(remote: Remote, { getBy, ...methods }: Methods): Remote {
  return {
    url: remote.url,
    ...methods,
    ...(remote.getBy && getBy && { getBy }),
    close: () => remote.close(),
    ...(remote.describeCredentials && { describeCredentials: remote.describeCredentials.bind(remote) }),
  };
}

/** Asks the remote below for `getBy`, with a carrier that also tells `onBytes` of what arrives. */
export async function getByBelow(
  remote: Remote,
  { carrier, onBytes }: { carrier: Carrier; onBytes: (bytes: number) => void },
  ...[key, options]: [string, Parameters<NonNullable<Remote['getBy']>>[2]]
): Promise<boolean> {
  const observed: Carrier = (request, tell) =>
    carrier(request, (bytes) => {
      onBytes(bytes);
      tell(bytes);
    });
  return (await remote.getBy?.(observed, key, options)) ?? false;
}
