/** What the machine was, as far as a probe found out; parts that were not there are named in `absent`. */
export interface Environment {
  os?: string;
  kernel?: string;
  /** Model name of the processor. */
  cpu?: string;
  /** Logical processors. */
  cores?: number;
  /** Bytes. */
  memory?: number;
  /** One entry a device: its model name. */
  gpus?: string[];
  driver?: string;
  cuda?: string;
  /** `docker`, `podman`, `kubernetes`, …, with the image behind a space where it is known. */
  container?: string;
  python?: string;
  /** Python packages, `name==version`, sorted. */
  packages?: string[];
  /** What conda installed besides, `name=version=build`, sorted. */
  conda?: string[];
  node?: string;
  r?: string;
  /** Lock files by path from the top of the repository, with the `sha256:<hex>` of their bytes. */
  locks?: Record<string, string>;
  /** The few environment variables that decide results; never a secret. */
  variables?: Record<string, string>;
  /** Parts that were looked for and not found, such as `gpus`; with the reason in brackets where a look failed. */
  absent?: string[];
}

/** The class of machine in one line: what has to be alike for figures of speed to be compared. */
export function hostClass({ cpu, cores, memory, gpus }: Environment): string {
  const gib = memory === undefined ? undefined : `${Math.round(memory / 1024 ** 3)} GiB`;
  const devices = gpus && gpus.length > 0 ? `${gpus.length} × ${gpus[0]}` : 'no GPU';
  const cpus = cores === undefined ? cpu : `${cores} × ${cpu ?? 'CPU'}`;
  return [cpus, gib, devices].filter((part) => part !== undefined).join(', ');
}
