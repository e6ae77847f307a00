import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openRemote } from '../../src/remotes/open.js';
import type { Remote } from '../../src/remotes/remote.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { serveFiles, startWebServer, type WebServer } from '../helpers/web-server.js';
import { remoteConformance } from './remote.js';

covers('a remote over HTTP', {});
covers('a remote over HTTP whose server ignores ranges', { acceptRanges: false });

/** HTTP only reads: what the suite stores, lists and deletes goes to the directory that the server serves. */
function covers(name: string, options: { acceptRanges?: boolean }): void {
  let server: WebServer;
  remoteConformance(name, {
    async open() {
      const baseDirectory = temporaryDirectory('web');
      mkdirSync(join(baseDirectory, 'a b'));
      server = await startWebServer(serveFiles(baseDirectory, options));
      const web = await openRemote(`${server.url}/a%20b/`, { baseDirectory });
      return readingFrom(web, await openRemote('a b', { baseDirectory }));
    },
    close: () => server.stop(),
    honoursIfAbsent: true,
  });
}

function readingFrom(web: Remote, directory: Remote): Remote {
  return {
    url: web.url,
    stat: (key, options) => web.stat(key, options),
    get: (key, options) => web.get(key, options),
    put: (key, body, options) => directory.put(key, body, options),
    list: (prefix, options) => directory.list(prefix, options),
    delete: (keys, options) => directory.delete(keys, options),
    close: () => web.close(),
  };
}
