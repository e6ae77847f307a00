/** Where a web server keeps the remote, and what to say to it. */
export interface HttpOptions {
  /** `http:` or `https:` URL of the remote's root, without user, query and fragment. */
  url: string;
  /** Bearer token. */
  token?: string | undefined;
  /** User name and password of basic authentication; they belong together, and without `token`. */
  username?: string | undefined;
  password?: string | undefined;
  /**
   * True when whoever can commit decides where the URL leads. Credentials are not sent then: a commit that changes the
   * URL must not be able to collect them.
   */
  urlIsCommitted?: boolean | undefined;
  /** Sockets at most, 32 by default; not fewer than the requests and open bodies at once. */
  connections?: number | undefined;
  /** Told, once each, of what makes the remote slower or less safe than it could be. */
  onNotice?: ((message: string) => void) | undefined;
}
