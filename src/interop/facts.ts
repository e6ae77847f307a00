/**
 * What every format is made from. The verb collects it once, from the registry and the record of the run; the formats only
 * read it, so that one version says the same in all of them.
 */
export interface ExportFacts {
  /** Name of the model, or of the tracked file or directory. */
  name: string;
  /** `1.4.0`; absent for a tracked path. */
  version?: string;
  /** What it is called where it comes from: `fraud@1.4.0`, or the path. */
  reference: string;
  /** Digest that stands for everything below: of the manifest, or of the run's record. 64 hex digits. */
  identity: string;
  artifacts: readonly ExportItem[];
  /** What it was made from. */
  data: readonly ExportItem[];
  /** By dotted name. */
  params: Readonly<Record<string, unknown>>;
  metrics: Readonly<Record<string, ExportMetric>>;
  environment: ExportEnvironment;
  code?: ExportCode;
  /** RFC 3339, UTC: when it was registered, or when the run ended. */
  created: string;
  /** `Name <mail>`. */
  author?: string;
  licence?: string;
  description?: string;
  owners: readonly string[];
  components: readonly { model: string; version: string; manifest: string }[];
  parent?: string;
  stages: readonly string[];
  run?: ExportRun;
}

/** A file or directory with its digests. */
export interface ExportItem {
  /** `/`-separated, relative. */
  path: string;
  /** `blake3:<hex>` or `sha256:<hex>`. */
  oid: string;
  /** Hex: of a file's bytes, of a directory's listing (docs/formats/manifest.md). Absent where nobody computed it. */
  sha256?: string;
  /** Bytes. */
  size?: number;
  /** Number of files; for directories only. */
  files?: number;
  /** Where it came from. */
  source?: string;
}

/** A figure, and on what it was measured. */
export interface ExportMetric {
  value: number;
  on?: string;
}

/** The machine and its software, as far as it was found out. */
export interface ExportEnvironment {
  os?: string;
  kernel?: string;
  cpu?: string;
  cores?: number;
  memory?: number;
  gpus?: readonly string[];
  cuda?: string;
  container?: string;
  python?: string;
  node?: string;
  r?: string;
  /** `name==version`. */
  packages?: readonly string[];
}

/** The code that it was made with. */
export interface ExportCode {
  /** Hex. */
  commit: string;
  branch?: string;
  /** URL without credentials that others can reach. */
  repository?: string;
  /** True where the workspace had more than the commit. */
  dirty: boolean;
}

/** The run of a command that made it. */
export interface ExportRun {
  /** Of its record. */
  oid: string;
  name?: string;
  command: readonly string[];
  inputs: readonly (ExportItem & { kind: 'tracked' | 'git' | 'plain' })[];
  outputs: readonly ExportItem[];
  seeds: Readonly<Record<string, unknown>>;
  /** RFC 3339, UTC. */
  started: string;
  ended: string;
  /** The class of the machine. */
  host: string;
}

/** The name and version of one package: `numpy==2.4.6`. Undefined for what is written otherwise. */
export function splitPackage(text: string): { name: string; version: string } | undefined {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s=]+)$/.exec(text);
  return match ? { name: match[1] as string, version: match[2] as string } : undefined;
}

/** The package URL of a Python package (github.com/package-url/purl-spec, type pypi). */
function pythonPurl({ name, version }: { name: string; version: string }): string {
  return `pkg:pypi/${name.toLowerCase().replaceAll('_', '-')}@${encodeURIComponent(version)}`;
}

/** The Python packages of an environment, each once, in their order. */
export function pythonPackages({
  packages = [],
}: ExportEnvironment): { name: string; version: string; purl: string }[] {
  const found = new Map<string, { name: string; version: string; purl: string }>();
  for (const text of packages) {
    const split = splitPackage(text);
    if (split) found.set(pythonPurl(split), { ...split, purl: pythonPurl(split) });
  }
  return [...found.values()];
}

/** A value of a parameter as text: text as it is, anything else as JSON. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `Name <mail>` taken apart; a mail alone, or a name alone, is a name. */
export function personOf(text: string): { name: string; mail?: string } {
  const match = /^(.*\S)\s*<([^<>\s]+@[^<>\s]+)>$/.exec(text);
  return match ? { name: match[1] as string, mail: match[2] as string } : { name: text };
}

/** A UUID made of 32 hex digits of a digest (version 8, RFC 9562): the same facts have the same. */
export function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** A URI that names bytes by their SHA-256 (RFC 6920). `sha256` is hex. */
export function namedInformation(sha256: string): string {
  return `ni:///sha-256;${Buffer.from(sha256, 'hex').toString('base64url')}`;
}
