/** Which directory on which machine, and how to prove who one is. */
export interface SftpOptions {
  /** Name or address, or a `Host` of the SSH configuration. */
  host: string;
  user?: string | undefined;
  port?: number | undefined;
  /** Absolute, or relative to the user's home on the server. */
  path: string;
  /** For messages: the URL without credentials. */
  url: string;
  /** A private key to use in place of those that the SSH configuration names; absolute. */
  identityFile?: string | undefined;
  /** `accept-new` writes down the key of a host that was never seen; `strict`, the default, refuses it. */
  knownHosts?: 'strict' | 'accept-new' | undefined;
  /** Where `.ssh` is; the user's home by default. */
  homeDirectory?: string | undefined;
  /** The process environment; `SSH_AUTH_SOCK` is read from it. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Requests and open bodies at once that are to be expected; decides how many connections are worth having. */
  connections?: number | undefined;
  /** Told of a host key that was written down. */
  onNotice?: ((message: string) => void) | undefined;
}
