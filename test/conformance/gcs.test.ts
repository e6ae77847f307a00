import { describe, expect, it } from 'vitest';
import { openGcsRemote } from '../../src/remotes/gcs.js';
import type { GcsOptions } from '../../src/remotes/gcs-options.js';
import { openRemote } from '../../src/remotes/open.js';
import { findFakeGcs, type GcsServer, startGcsServer } from '../helpers/gcs-server.js';
import { remoteConformance } from './remote.js';

if (findFakeGcs() === undefined) {
  describe('the Google Cloud Storage remote, without fake-gcs-server (.ci/gcs-server.sh builds it)', () => {
    it('takes a server that is not there for a passing fault, and names the key', async () => {
      const endpoint = 'http://127.0.0.1:1';
      const remote = await openRemote('gs://bucket/prefix', { endpoint, baseDirectory: '/' });
      await expect(remote.stat('key')).rejects.toMatchObject({
        code: 'REMOTE_TRANSIENT',
        message: expect.stringContaining("'key'"),
      });
      await remote.close();
    });
  });
} else {
  covers('the Google Cloud Storage remote on fake-gcs-server', {});
  covers('the Google Cloud Storage remote on fake-gcs-server, below an odd prefix', {
    prefix: `mlv test/é ü/+%20&=<>"'()*!~:@,;$/✓`,
  });
}

function covers(name: string, extra: Partial<GcsOptions>): void {
  let server: GcsServer;
  remoteConformance(name, {
    async open() {
      server = await startGcsServer();
      return openGcsRemote({ bucket: await server.createBucket(), endpoint: server.endpoint, ...extra });
    },
    openMissing: () => openRemote('gs://no-such-bucket/prefix', { endpoint: server.endpoint, baseDirectory: '/' }),
    close: () => server.stop(),
    honoursIfAbsent: true,
  });
}
