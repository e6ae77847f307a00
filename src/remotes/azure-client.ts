import { ContainerClient, newPipeline } from '@azure/storage-blob';
import type { AzureAccess } from './azure-credentials.js';
import type { Agents } from './patient-agents.js';

/** The SDK's client of a container, over the given connections. It tries once: the wrapper around a remote tries again. */
export function containerClient(name: string, access: AzureAccess, agents: Agents): ContainerClient {
  const { credential, endpoint, sas } = access;
  const pipeline = newPipeline(credential, { retryOptions: { maxTries: 1 } });
  pipeline.factories.unshift({
    create: (next) => ({
      sendRequest: (request) => {
        request.agent = request.url.startsWith('https:') ? agents.https : agents.http;
        return next.sendRequest(request);
      },
    }),
  });
  return new ContainerClient(`${endpoint}/${encodeURIComponent(name)}${sas === '' ? '' : `?${sas}`}`, pipeline);
}
