import type { AzureOptions } from './azure-options.js';
import type { GcsOptions } from './gcs-options.js';
import type { HttpOptions } from './http-options.js';
import { parseLocation } from './location.js';
import type { Remote } from './remote.js';
import type { S3Options } from './s3-options.js';
import type { SftpOptions } from './sftp-options.js';

/** Everything that a remote's settings may say; what a scheme has no use for is ignored. */
export interface RemoteOptions
  extends Omit<S3Options, 'bucket' | 'prefix'>,
    Omit<GcsOptions, 'bucket' | 'prefix'>,
    Omit<HttpOptions, 'url'>,
    Omit<AzureOptions, 'container' | 'prefix'>,
    Omit<SftpOptions, 'host' | 'port' | 'user' | 'path' | 'url'> {
  /** Absolute directory that a relative path starts from. */
  baseDirectory: string;
  /** What `~` stands for; the user's home by default. */
  homeDirectory?: string;
}

/** The code for each scheme, which is loaded when it is first used. */
const CODE = {
  directory: () => import('./directory.js'),
  s3: () => import('./s3.js'),
  http: () => import('./http.js'),
  sftp: () => import('./sftp.js'),
  azure: () => import('./azure.js'),
  gs: () => import('./gcs.js'),
};

/** Loads what openRemote will need for a URL, while something else is waited for. Errors: `REMOTE_URL_INVALID`. */
export async function loadRemoteCode(
  url: string,
  options: Pick<RemoteOptions, 'baseDirectory' | 'homeDirectory'>,
): Promise<void> {
  await CODE[parseLocation(url, options).scheme]();
}

/**
 * Opens the remote at a URL (see parseLocation). Nothing is looked up there yet; neither retry nor limit is included.
 * Errors: `REMOTE_URL_INVALID`, `CONFIG_INVALID` for settings that contradict each other.
 */
export async function openRemote(url: string, options: RemoteOptions): Promise<Remote> {
  const location = parseLocation(url, options);
  switch (location.scheme) {
    case 'directory':
      return new (await CODE.directory()).DirectoryRemote(location.path);
    case 's3':
      return (await CODE.s3()).openS3Remote({ ...options, bucket: location.bucket, prefix: location.prefix });
    case 'http':
      return (await CODE.http()).openHttpRemote({ ...options, url: location.url });
    case 'sftp':
      return (await CODE.sftp()).openSftpRemote({ ...options, ...location });
    case 'azure':
      return (await CODE.azure()).openAzureRemote({ ...options, container: location.bucket, prefix: location.prefix });
    case 'gs':
      return (await CODE.gs()).openGcsRemote({ ...options, bucket: location.bucket, prefix: location.prefix });
  }
}
