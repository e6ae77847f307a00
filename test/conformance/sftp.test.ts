import { describe, it } from 'vitest';
import { openRemote } from '../../src/remotes/open.js';
import { findSshd, type SshServer, startSshServer } from '../helpers/ssh-server.js';
import { remoteConformance } from './remote.js';

if (findSshd() === undefined) {
  describe('the SFTP remote', () => {
    it.todo('keeps the promises of Remote: no sshd here (install openssh-server, or set MLV_TEST_SSHD)');
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
