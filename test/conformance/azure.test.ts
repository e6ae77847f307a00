import { openAzureRemote } from '../../src/remotes/azure.js';
import type { AzureOptions } from '../../src/remotes/azure-options.js';
import { openRemote } from '../../src/remotes/open.js';
import { type AzureServer, startAzureServer } from '../helpers/azure-server.js';
import { remoteConformance } from './remote.js';

/** Few, because Azurite takes some 20 ms for each entry that is written. */
const PAGE_ENTRIES = 100;

covers('the Azure remote on Azurite', {});
covers('the Azure remote on Azurite, below an odd prefix', { prefix: `mlv test/é ü/+%20&=<>"'()*!~:@,;$/✓` });

function covers(name: string, extra: Partial<AzureOptions>): void {
  let server: AzureServer;
  let options: AzureOptions;
  remoteConformance(name, {
    async open() {
      server = await startAzureServer();
      options = { ...(await server.createContainer()), ...extra, pageEntries: PAGE_ENTRIES };
      return openAzureRemote(options);
    },
    openMissing: () => openRemote('azure://no-such-container/prefix', { ...options, baseDirectory: '/' }),
    close: () => server.stop(),
    honoursIfAbsent: true,
    pageEntries: PAGE_ENTRIES,
  });
}
