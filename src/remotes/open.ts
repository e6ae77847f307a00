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

/**
 * Opens the remote at a URL (see parseLocation). Nothing is looked up there yet; neither retry nor limit is included.
 * The code for a scheme is loaded when it is first used.
 * Errors: `REMOTE_URL_INVALID`, `CONFIG_INVALID` for settings that contradict each other.
 */
export async function openRemote(url: string, options: RemoteOptions): Promise<Remote> {
  const location = parseLocation(url, options);
  switch (location.scheme) {
    case 'directory': {
      const { DirectoryRemote } = await import('./directory.js');
      return new DirectoryRemote(location.path);
    }
    case 's3': {
      const { openS3Remote } = await import('./s3.js');
      return openS3Remote({ ...options, bucket: location.bucket, prefix: location.prefix });
    }
    case 'http': {
      const { openHttpRemote } = await import('./http.js');
      return openHttpRemote({ ...options, url: location.url });
    }
    case 'sftp': {
      const { openSftpRemote } = await import('./sftp.js');
      return openSftpRemote({ ...options, ...location });
    }
    case 'azure': {
      const { openAzureRemote } = await import('./azure.js');
      return openAzureRemote({ ...options, container: location.bucket, prefix: location.prefix });
    }
    case 'gs': {
      const { openGcsRemote } = await import('./gcs.js');
      return openGcsRemote({ ...options, bucket: location.bucket, prefix: location.prefix });
    }
  }
}
