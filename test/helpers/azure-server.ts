import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { AzureOptions } from '../../src/remotes/azure-options.js';

/** The account that every Azurite has; its key is in Azurite's documentation and opens nothing else. */
export const ACCOUNT = 'devstoreaccount1';
export const ACCOUNT_KEY = [
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1',
  'OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
].join('');

/** An emulator of Azure Blob Storage for tests, on loopback. */
export interface AzureServer {
  /** Of the account. */
  readonly endpoint: string;
  /** Makes an empty container; gives what opens it as a remote. */
  createContainer(): Promise<AzureOptions>;
  stop(): Promise<void>;
}

/** Starts Azurite in a process that cannot outlive this one. */
export async function startAzureServer(): Promise<AzureServer> {
  const script = fileURLToPath(new URL('azure-emulator.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const url = await Promise.race([
    listening(createInterface({ input: child.stdout })),
    ended.then(() => Promise.reject(new Error('Azurite did not start'))),
  ]);
  const endpoint = `${url}/${ACCOUNT}`;
  return {
    endpoint,
    async createContainer() {
      const container = `mlv-test-${randomBytes(6).toString('hex')}`;
      const credential = new StorageSharedKeyCredential(ACCOUNT, ACCOUNT_KEY);
      await new ContainerClient(`${endpoint}/${container}`, credential).create();
      return { container, account: ACCOUNT, accountKey: ACCOUNT_KEY, endpoint };
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

async function listening(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /successfully listens on (http:\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  return new Promise(() => undefined);
}
