import { execFile } from 'node:child_process';
import { MlvError } from '../core/errors.js';

const SCOPE = 'https://storage.azure.com/';
const TIMEOUT_MS = 30_000;
/** A token that ends so soon is fetched again. */
const MARGIN_MS = 120_000;

export interface AzureToken {
  token: string;
  /** Milliseconds since the epoch. */
  expiresOnTimestamp: number;
}

/** The account that `az login` signed in with: asks the Azure CLI for tokens and keeps them while they last. */
export class AzureCli {
  private current: Promise<AzureToken> | undefined;

  constructor(private readonly environment: Readonly<Record<string, string | undefined>>) {}

  /** A token for blobs. Error: `REMOTE_DENIED` where there is no CLI, or nobody is signed in. */
  readonly getToken = async (): Promise<AzureToken> => {
    const token = await this.current?.catch(() => undefined);
    if (token && token.expiresOnTimestamp - Date.now() > MARGIN_MS) return token;
    this.current = this.ask();
    return this.current;
  };

  private ask(): Promise<AzureToken> {
    const windows = process.platform === 'win32';
    const args = ['account', 'get-access-token', '--resource', SCOPE, '--output', 'json'];
    const options = { timeout: TIMEOUT_MS, env: { ...this.environment }, shell: windows, windowsHide: true };
    return new Promise((resolve, reject) => {
      execFile(windows ? 'az.cmd' : 'az', args, options, (error, stdout) => {
        const token = error ? undefined : readToken(stdout);
        if (token) resolve(token);
        else reject(new MlvError('REMOTE_DENIED', 'the Azure CLI gives no token', { hint: 'sign in: az login' }));
      });
    });
  }
}

function readToken(text: string): AzureToken | undefined {
  try {
    const { accessToken, expires_on } = JSON.parse(text) as Record<string, unknown>;
    const seconds = Number(expires_on);
    return typeof accessToken === 'string' && seconds > 0
      ? { token: accessToken, expiresOnTimestamp: seconds * 1000 }
      : undefined;
  } catch {
    return undefined;
  }
}
