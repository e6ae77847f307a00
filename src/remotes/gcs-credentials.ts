import { type Bucket, Storage } from '@google-cloud/storage';
import { MlvError } from '../core/errors.js';
import type { GcsOptions } from './gcs-options.js';
import { notPinned } from './http-credentials.js';
import { plainCause } from './plain-cause.js';
import type { CredentialSource } from './remote.js';

/** Headers that authorise a request. */
type Headers = Record<string, string>;

/** Google's client, set up, and the credentials that it finds. */
export class GcsAccess {
  private readonly storage: Storage;
  private readonly anonymous: boolean;

  /** Error: `REMOTE_DENIED` for credentials that would go to an endpoint which any commit can change. */
  constructor(
    private readonly options: GcsOptions,
    private readonly url: string,
  ) {
    const { endpoint, credentialsFile, projectId } = options;
    if (endpoint !== undefined && credentialsFile !== undefined && options.endpointIsCommitted) {
      throw notPinned(url, 'endpoint');
    }
    this.anonymous = endpoint !== undefined && credentialsFile === undefined;
    this.storage = new Storage({
      ...(endpoint !== undefined && { apiEndpoint: endpoint.replace(/\/+$/, '') }),
      ...(credentialsFile !== undefined && { keyFilename: credentialsFile, useAuthWithCustomEndpoint: true }),
      ...(projectId !== undefined && { projectId }),
      // The wrapper around the remote tries again; two layers of it would multiply.
      retryOptions: { autoRetry: false, maxRetries: 0 },
    });
  }

  /** Base URL of the server, without a slash at its end. */
  get endpoint(): string {
    return this.storage.apiEndpoint;
  }

  /** The bucket; what is asked of it is billed to the remote's project, where there is one. */
  get bucket(): Bucket {
    const { bucket, projectId } = this.options;
    return this.storage.bucket(bucket, projectId === undefined ? {} : { userProject: projectId });
  }

  /** The address of a request that goes past the SDK; `{bucket}` in its path stands for the bucket. */
  objectUrl(path: string, query: Record<string, string>): URL {
    const { bucket, projectId } = this.options;
    const url = new URL(`${this.endpoint}${path.replace('{bucket}', encodeURIComponent(bucket))}`);
    const all = { ...query, ...(projectId !== undefined && { userProject: projectId }) };
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
    return url;
  }

  /** Where the credentials come from, for messages. */
  get source(): string {
    const { credentialsFile, environment = {} } = this.options;
    if (this.anonymous) return 'no source (an endpoint of its own gets none but those of credentials-file)';
    if (credentialsFile !== undefined) return 'the settings of the remote (credentials-file)';
    if (environment.GOOGLE_APPLICATION_CREDENTIALS) return 'the environment (GOOGLE_APPLICATION_CREDENTIALS)';
    return 'the standard Google sources (gcloud, or the role of the machine)';
  }

  /** Headers for a request that goes past the SDK. Error: `REMOTE_DENIED` without credentials. */
  async headers(): Promise<Headers> {
    if (this.anonymous) return {};
    try {
      return (await this.storage.authClient.getRequestHeaders()) as Headers;
    } catch (error) {
      throw this.missing(error);
    }
  }

  /** Loads the credentials. Error: `REMOTE_DENIED` where there are none. */
  async describe(): Promise<CredentialSource> {
    await this.headers();
    return { name: this.anonymous ? 'no source: requests are anonymous' : this.source };
  }

  private missing(error: unknown): MlvError {
    const { credentialsFile } = this.options;
    const tried =
      credentialsFile === undefined
        ? [
            'the environment (GOOGLE_APPLICATION_CREDENTIALS)',
            "gcloud's default credentials",
            'the role of the machine',
          ]
        : [`the file '${credentialsFile}'`];
    const hint =
      credentialsFile === undefined
        ? 'sign in: gcloud auth application-default login'
        : 'correct remote.<name>.credentials-file (mlv config set)';
    const message = `no credentials for ${this.url}: tried ${tried.join(', then ')}`;
    return new MlvError('REMOTE_DENIED', message, { hint, cause: plainCause(error), data: { url: this.url, tried } });
  }
}
