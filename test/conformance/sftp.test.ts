import { describe, expect, it } from 'vitest';
import { openRemote } from '../../src/remotes/open.js';
import { findSshd, type SshServer, startSshServer } from '../helpers/ssh-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { remoteConformance } from './remote.js';

if (findSshd() === undefined) {
  describe('the SFTP remote, without sshd (install openssh-server, or set MLV_TEST_SSHD)', () => {
    it('says before it connects that there is no key to log in with', async () => {
      const home = temporaryDirectory('home');
      const remote = await openRemote('sftp://someone@127.0.0.1:1/x', { baseDirectory: '/', homeDirectory: home });
      await expect(remote.stat('key')).rejects.toMatchObject({ code: 'REMOTE_DENIED', data: { key: 'key' } });
      await remote.close();
    });
  });
} else {
  covers('the SFTP remote on OpenSSH', 'made by the first put');
}

function covers(name: string, place: string): void {
  let server: SshServer;
  const at = (path: string) => {
    const url = server.url(`${server.root}/${path}`.split('/').map(encodeURIComponent).join('/'));
    return openRemote(url, { baseDirectory: '/', homeDirectory: server.home });
  };
  remoteConformance(name, {
    async open() {
      server = await startSshServer();
      return at(place);
    },
    openMissing: () => at('not/there'),
    close: () => server.stop(),
    honoursIfAbsent: true,
  });
}
