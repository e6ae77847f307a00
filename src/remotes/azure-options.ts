/** Which container, and how to reach and open it. */
export interface AzureOptions {
  container: string;
  /** Keys start with this and a slash; empty for the whole container. */
  prefix?: string | undefined;
  /** The storage account; otherwise that of the connection string or of the environment. */
  account?: string | undefined;
  /** Base URL of the blob service; `https://<account>.blob.core.windows.net` by default. */
  endpoint?: string | undefined;
  /** One of these three, or the standard sources: the environment, then the Azure CLI. */
  connectionString?: string | undefined;
  accountKey?: string | undefined;
  sasToken?: string | undefined;
  /** True when whoever can commit decides where the endpoint is. What a server could keep is not sent there then. */
  endpointIsCommitted?: boolean | undefined;
  /** Sockets at most, 32 by default. */
  connections?: number | undefined;
  /** Entries of a page of a list at most, 5000 by default: what Azure gives. */
  pageEntries?: number | undefined;
  /** The process environment. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
}
