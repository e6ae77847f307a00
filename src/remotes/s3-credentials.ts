import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { MlvError } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { CredentialSource } from './remote.js';
import { SILENT_LOGGER } from './s3-logger.js';
import type { S3Options } from './s3-options.js';

type Provider = Extract<NonNullable<S3ClientConfig['credentials']>, (...args: never[]) => unknown>;
type Identity = Awaited<ReturnType<Provider>>;

type Context = Pick<S3Options, 'profile' | 'environment'>;

/** The credentials of one remote: where they come from, and what to say when they are missing or refused. */
export class S3Credentials {
  private origin: string | undefined;
  private chain: Promise<Provider> | undefined;
  private failure: MlvError | undefined;

  /** Error: `CONFIG_INVALID` for half a pair of keys. */
  constructor(
    private readonly options: S3Options,
    private readonly url: string,
  ) {
    const { accessKeyId, secretAccessKey } = options;
    if (Boolean(accessKeyId) === Boolean(secretAccessKey)) return;
    const absent = accessKeyId ? 'secret-access-key' : 'access-key-id';
    throw new MlvError('CONFIG_INVALID', `the settings of the remote ${url} lack '${absent}'`, {
      hint: 'set access-key-id and secret-access-key both, or neither',
    });
  }

  /** The source that was used last, for messages; undefined before the first use. */
  get source(): string | undefined {
    return this.origin;
  }

  /** Loads the credentials; the SDK asks again when they expire. Error: `REMOTE_DENIED` where there are none. */
  readonly provide: Provider = async (properties) => {
    const { accessKeyId, secretAccessKey, sessionToken } = this.options;
    if (accessKeyId && secretAccessKey) {
      this.origin = 'the settings of the remote (access-key-id)';
      return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
    }
    if (this.failure) throw this.failure;
    try {
      this.chain ??= loadChain(this.options.profile);
      const identity = await (await this.chain)(properties);
      this.origin = describeSource(identity, this.options);
      return identity;
    } catch (error) {
      // Each further request would ask every source again, some of which answer by a timeout only.
      this.failure = noCredentials(this.url, this.options, error);
      throw this.failure;
    }
  };

  /** Where the credentials come from. Error: `REMOTE_DENIED` where there are none. */
  async describe(): Promise<CredentialSource> {
    const identity = await this.provide();
    const { expiration } = identity;
    return { name: this.origin ?? 'an unknown source', ...(expiration && { expires: expiration.getTime() }) };
  }

  /** What to do about credentials that the server refuses, in one sentence. */
  get advice(): string {
    return adviceFor(this.origin ?? '', this.options);
  }
}

async function loadChain(profile: string | undefined): Promise<Provider> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  return fromNodeProviderChain({ ...(profile && { profile }), logger: SILENT_LOGGER });
}

/** What the SDK notes on an identity of where it found it, by the names of its feature list. */
function describeSource(identity: Identity, context: Context): string {
  const marks = Object.keys((identity as { $source?: Record<string, string> }).$source ?? {});
  const has = (part: string): boolean => marks.some((mark) => mark.startsWith(`CREDENTIALS_${part}`));
  if (has('PROFILE') || has('PROCESS') || has('SSO') || has('LOGIN')) return profileSource(has, context);
  if (has('ENV_VARS_STS_WEB_ID_TOKEN') || has('STS_ASSUME_ROLE_WEB_ID')) {
    return 'web identity (AWS_WEB_IDENTITY_TOKEN_FILE)';
  }
  if (has('ENV_VARS')) return 'the environment (AWS_ACCESS_KEY_ID)';
  if (has('HTTP')) return "the container's role";
  if (has('IMDS')) return "the instance's role";
  return 'the standard AWS sources';
}

function profileSource(has: (part: string) => boolean, context: Context): string {
  const ways: [part: string, how: string][] = [
    ['PROFILE_PROCESS', 'credential_process'],
    ['PROFILE_SSO', 'SSO'],
    ['SSO', 'SSO'],
    ['PROFILE_STS_WEB_ID_TOKEN', 'web identity'],
    ['PROFILE_LOGIN', 'aws login'],
    ['PROFILE_SOURCE_PROFILE', 'assumed role'],
    ['PROFILE_NAMED_PROVIDER', 'assumed role'],
    ['PROCESS', 'credential_process'],
  ];
  const how = ways.find(([part]) => has(part))?.[1];
  return `the profile '${profileName(context)}' (${configFiles(context)}${how === undefined ? '' : `, ${how}`})`;
}

function profileName({ profile, environment = {} }: Context): string {
  return profile ?? environment.AWS_PROFILE ?? 'default';
}

function configFiles({ environment = {} }: Context): string {
  const credentials = environment.AWS_SHARED_CREDENTIALS_FILE ?? '~/.aws/credentials';
  return `${credentials}, ${environment.AWS_CONFIG_FILE ?? '~/.aws/config'}`;
}

/** The sources in the order in which the SDK tries them. */
function triedSources(context: Context): string[] {
  const { environment = {} } = context;
  const named = context.profile ?? environment.AWS_PROFILE;
  return [
    ...(named === undefined ? ['the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)'] : []),
    `the profile '${profileName(context)}' (${configFiles(context)})`,
    'web identity (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN)',
    "the container's role (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI)",
    "the instance's role (EC2 metadata)",
  ];
}

function noCredentials(url: string, context: Context, error: unknown): MlvError {
  const said = error instanceof Error ? redactUrl(error.message) : String(error);
  const tried = triedSources(context);
  return new MlvError('REMOTE_DENIED', `no credentials for ${url}: ${said}; tried ${tried.join(', then ')}`, {
    hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile ('aws configure', 'aws sso login'), or the credential settings of the remote",
    data: { url, tried },
  });
}

function adviceFor(source: string, context: Context): string {
  if (source.startsWith('the settings')) return "correct the remote's access-key-id and secret-access-key (mlv config)";
  if (source.startsWith('the environment')) {
    return 'correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or unset them and use a profile';
  }
  if (source.includes('SSO') || source.includes('aws login')) {
    return `sign in again: aws ${source.includes('SSO') ? 'sso login' : 'login'} --profile ${profileName(context)}`;
  }
  if (source.startsWith('the profile')) return `correct the profile '${profileName(context)}', or choose another one`;
  return 'check the role that this machine or container was given, or use a profile';
}
