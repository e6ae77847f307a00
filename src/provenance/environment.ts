/** What the machine was, as far as a probe found out; absent parts are named in `absent`. */
export interface Environment {
  os?: string;
  kernel?: string;
  cpu?: string;
  cores?: number;
  memory?: number;
  gpus?: string[];
  driver?: string;
  cuda?: string;
  container?: string;
  python?: string;
  /** `name==version`, sorted. */
  packages?: string[];
  node?: string;
  r?: string;
  /** Lock files by path, with the `sha256:<hex>` of their bytes. */
  locks?: Record<string, string>;
  /** The few environment variables that decide results; never a secret. */
  variables?: Record<string, string>;
  absent?: string[];
}
