/** Where a bucket is and how to talk to it. */
export interface S3Options {
  bucket: string;
  /** Keys start with this and a slash; empty for the whole bucket. Used as it is, whatever characters it has. */
  prefix?: string | undefined;
  /** Default: what the AWS settings say, else `us-east-1`. A bucket that is elsewhere says so, and is followed. */
  region?: string | undefined;
  /** Profile of the AWS configuration files. */
  profile?: string | undefined;
  /** Base URL of an S3-compatible server; AWS by default. */
  endpoint?: string | undefined;
  /** The bucket in the path rather than in the host name; by default with a custom endpoint. */
  pathStyle?: boolean | undefined;
  /** Server-side encryption of what is stored. */
  sse?: 'AES256' | 'aws:kms' | undefined;
  sseKmsKeyId?: string | undefined;
  storageClass?: string | undefined;
  /** Credentials; the standard AWS sources by default. The first two belong together. */
  accessKeyId?: string | undefined;
  secretAccessKey?: string | undefined;
  sessionToken?: string | undefined;
  /**
   * Whether uploads carry a CRC that the server checks. Default: `when-supported` on AWS, `when-required` with a custom
   * endpoint, because several servers refuse the header, or what the CRC of a streamed body needs; there, unless one of
   * these two settings is made, a server that proves that it compares the CRC of large bodies gets it (see ChecksumProof).
   */
  checksum?: 'when-required' | 'when-supported' | undefined;
  /**
   * Leaves the body's SHA-256 out of the signature, which saves a pass over the body. By default only over https and
   * with a CRC: some servers store what they have when a connection breaks, unless a hash tells them not to.
   */
  unsignedPayload?: boolean | undefined;
  /** Sockets at most, 32 by default; not fewer than the requests and open bodies at once. */
  connections?: number | undefined;
  /** The process environment. Read only to name the source of credentials; the AWS SDK reads the real one itself. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
}
