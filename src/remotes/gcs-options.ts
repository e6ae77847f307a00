/** Which bucket of Google Cloud Storage, and how to reach and open it. */
export interface GcsOptions {
  bucket: string;
  /** Keys start with this and a slash; empty for the whole bucket. */
  prefix?: string | undefined;
  /** The project that is billed, for buckets where the requester pays. */
  projectId?: string | undefined;
  /** Base URL of a compatible server; Google's by default. No standard credentials are sent there. */
  endpoint?: string | undefined;
  /** A file with a service account's key or other credentials, absolute; the standard sources by default. */
  credentialsFile?: string | undefined;
  /** True when whoever can commit decides where the endpoint is: then no credentials are sent there at all. */
  endpointIsCommitted?: boolean | undefined;
  /** Sockets at most, 32 by default. */
  connections?: number | undefined;
  /** The process environment. Read only to name the source of credentials; Google's library reads the real one itself. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
}
