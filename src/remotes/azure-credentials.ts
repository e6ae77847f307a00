import { AnonymousCredential, StorageSharedKeyCredential } from '@azure/storage-blob';
import { MlvError } from '../core/errors.js';
import { AzureCli } from './azure-cli.js';
import type { AzureOptions } from './azure-options.js';
import { notPinned } from './http-credentials.js';
import type { CredentialSource } from './remote.js';

/** How requests to an account are signed, and where that comes from. */
export interface AzureAccess {
  account: string;
  /** Base URL of the blob service, without a slash at its end. */
  endpoint: string;
  credential: StorageSharedKeyCredential | AnonymousCredential | AzureCli;
  /** Query of every request, without `?`; empty where there is none. */
  sas: string;
  describe(): Promise<CredentialSource>;
}

/** What the settings or the environment hold. */
interface Found {
  source: string;
  account?: string | undefined;
  endpoint?: string | undefined;
  key?: string | undefined;
  sas?: string | undefined;
}

/**
 * Finds account and credentials: the settings of the remote, then the environment, then the Azure CLI. Asks nobody yet.
 * Errors: `CONFIG_INVALID` for settings that contradict each other or lack the account, `REMOTE_DENIED` for a secret
 * that would go to an endpoint which any commit can change.
 */
export function azureAccess(options: AzureOptions, url: string): AzureAccess {
  const { environment = {} } = options;
  const found = inSettings(options, url) ?? inEnvironment(environment, url);
  const account = options.account ?? found?.account ?? environment.AZURE_STORAGE_ACCOUNT;
  if (account === undefined) throw noAccount(url);
  if (found?.account !== undefined && found.account !== account) throw otherAccount(url, account, found);
  const endpoint = options.endpoint ?? found?.endpoint ?? `https://${account}.blob.core.windows.net`;
  // A signature by a key is of no use to whoever sees it; a SAS or a token is.
  const keepable = found?.key === undefined;
  if (keepable && options.endpoint !== undefined && options.endpointIsCommitted) throw notPinned(url, 'endpoint');
  return { account, endpoint: endpoint.replace(/\/+$/, ''), ...signing(account, found, options) };
}

function signing(
  account: string,
  found: Found | undefined,
  { environment = {} }: AzureOptions,
): Pick<AzureAccess, 'credential' | 'sas' | 'describe'> {
  if (!found) {
    const credential = new AzureCli(environment);
    const describe = async (): Promise<CredentialSource> => {
      const { expiresOnTimestamp } = await credential.getToken().catch(noCredentials);
      return { name: 'the Azure CLI (az login)', expires: expiresOnTimestamp };
    };
    return { credential, sas: '', describe };
  }
  const describe = async (): Promise<CredentialSource> => ({ name: found.source });
  if (found.key === undefined) return { credential: new AnonymousCredential(), sas: found.sas ?? '', describe };
  return { credential: new StorageSharedKeyCredential(account, found.key), sas: '', describe };
}

function inSettings({ connectionString, accountKey, sasToken }: AzureOptions, url: string): Found | undefined {
  const given = { 'connection-string': connectionString, 'account-key': accountKey, 'sas-token': sasToken };
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (names.length > 1) {
    throw new MlvError('CONFIG_INVALID', `the settings of the remote ${url} hold ${names.join(' and ')}`, {
      hint: 'keep one of them',
      data: { url },
    });
  }
  const source = `the settings of the remote (${names[0]})`;
  if (connectionString !== undefined) return fromConnectionString(connectionString, source, url);
  if (accountKey !== undefined) return { source, key: accountKey };
  return sasToken === undefined ? undefined : { source, sas: sasToken.replace(/^\?/, '') };
}

function inEnvironment(environment: Readonly<Record<string, string | undefined>>, url: string): Found | undefined {
  const {
    AZURE_STORAGE_CONNECTION_STRING: text,
    AZURE_STORAGE_ACCOUNT: account,
    AZURE_STORAGE_KEY: key,
    AZURE_STORAGE_SAS_TOKEN: sas,
  } = environment;
  if (text) return fromConnectionString(text, 'the environment (AZURE_STORAGE_CONNECTION_STRING)', url);
  if (key) return { source: 'the environment (AZURE_STORAGE_KEY)', account, key };
  if (sas) return { source: 'the environment (AZURE_STORAGE_SAS_TOKEN)', account, sas: sas.replace(/^\?/, '') };
  return undefined;
}

function fromConnectionString(text: string, source: string, url: string): Found {
  const parts = new Map(
    text.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
  const [account, key, sas] = ['accountname', 'accountkey', 'sharedaccesssignature'].map((name) => parts.get(name));
  if (!key && !sas) {
    throw new MlvError('CONFIG_INVALID', `the connection string of ${url} holds neither a key nor a signature`, {
      hint: `copy it again from the portal; it comes from ${source}`,
      data: { url },
    });
  }
  const suffix = parts.get('endpointsuffix') ?? 'core.windows.net';
  const own = account && `${parts.get('defaultendpointsprotocol') ?? 'https'}://${account}.blob.${suffix}`;
  const endpoint = parts.get('blobendpoint') ?? own;
  return { source, account: account ?? accountOf(endpoint), endpoint, key, sas: sas?.replace(/^\?/, '') };
}

function accountOf(endpoint: string | undefined): string | undefined {
  return endpoint === undefined ? undefined : /^https?:\/\/([a-z0-9]+)\.blob\./.exec(endpoint)?.[1];
}

function noAccount(url: string): MlvError {
  return new MlvError('CONFIG_INVALID', `the storage account of ${url} is not known`, {
    hint: 'set remote.<name>.account (mlv config set), or AZURE_STORAGE_ACCOUNT',
    data: { url },
  });
}

function otherAccount(url: string, account: string, found: Found): MlvError {
  return new MlvError(
    'CONFIG_INVALID',
    `the remote ${url} is in the account '${account}', and the credentials from ${found.source} are for '${found.account}'`,
    { hint: 'correct the account of the remote, or use the credentials of that account', data: { url, account } },
  );
}

function noCredentials(cause: unknown): never {
  const tried = [
    'the settings of the remote (connection-string, account-key, sas-token)',
    'the environment (AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN)',
    'the Azure CLI',
  ];
  throw new MlvError('REMOTE_DENIED', `no credentials for Azure: tried ${tried.join(', then ')}`, {
    hint: 'sign in: az login',
    cause,
    data: { tried },
  });
}
