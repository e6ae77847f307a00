import type { Remote } from './remote.js';

type Methods = Pick<Remote, 'stat' | 'get' | 'put' | 'list' | 'delete'>;

/** A remote that answers by other methods but keeps the URL, the credentials and the end of the one below it. */
export function wrap(remote: Remote, methods: Methods): Remote {
  return {
    url: remote.url,
    ...methods,
    close: () => remote.close(),
    ...(remote.describeCredentials && { describeCredentials: remote.describeCredentials.bind(remote) }),
  };
}
