import { openRemote } from '../../src/remotes/open.js';
import { openS3Remote } from '../../src/remotes/s3.js';
import type { S3Options } from '../../src/remotes/s3-options.js';
import { externalS3Server, optionsFor, type S3Server, startS3Server } from '../helpers/s3-server.js';
import { remoteConformance } from './remote.js';

const external = externalS3Server();

covers('the S3 remote on the emulator', startS3Server, false);
if (external) covers('the S3 remote on the external server', async () => external, external.strict);

function covers(name: string, start: () => Promise<S3Server>, strict: boolean): void {
  subject(name, {});
  subject(`${name}, below an odd prefix`, { prefix: `mlv test/é ü/+%20&=<>"'()*!~:@,;$/✓` });
  subject(`${name}, with checksums and unsigned payloads`, {
    prefix: 'checksums',
    checksum: 'when-supported',
    unsignedPayload: true,
  });

  function subject(title: string, extra: Partial<S3Options>): void {
    let server: S3Server;
    let options: S3Options;
    remoteConformance(title, {
      async open() {
        server = await start();
        options = { ...optionsFor(server, await server.createBucket()), ...extra };
        return openS3Remote(options);
      },
      openMissing: () => openRemote('s3://mlv-test-no-such-bucket/prefix', { ...options, baseDirectory: '/' }),
      close: () => server.stop(),
      honoursIfAbsent: strict,
      ordersByBytes: strict,
    });
  }
}
