import type { Environment } from '../provenance/environment.js';
import type { Metric } from '../provenance/metrics.js';
import type { ParamValue } from '../provenance/params.js';

/** Everything that a version's manifest says. The file is YAML; see manifest-format.ts and docs/formats/manifest.md. */
export interface Manifest {
  /** Format number of the file. */
  mlv: 1;
  model: string;
  /** SemVer, or MAJOR.MINOR.PATCH.DATA.EXPERIMENT, with an optional pre-release. */
  version: string;
  /** What the version is: files and directories that `mlv` tracks. */
  artifacts: ManifestItem[];
  /** What it was made from. */
  data: ManifestItem[];
  /** By dotted name. */
  params: Record<string, ParamValue>;
  metrics: Record<string, Metric>;
  environment?: Environment;
  /** The commit of the code; the tag stands on it. Hex. */
  commit: string;
  branch?: string;
  /** Oid of the object that holds what the workspace had beyond the commit (`--allow-dirty`). */
  difference?: string;
  /** `Name <mail>` of who registered it. */
  author: string;
  /** When it was registered, RFC 3339 in UTC: for people, order is the chain's. */
  created: string;
  /** Oid of the record of the run that made it: a directory object (docs/formats/run.md). */
  run?: string;
  /** The version that it came from, such as `1.3.0`. */
  parent?: string;
  /** Versions of other models that this one consists of. */
  components?: ManifestComponent[];
  licence?: string;
  description?: string;
  owners?: string[];
  /** Until when no collection may take its objects: `2028-12-31`. */
  retain_until?: string;
  /** Where it came from, for a version that another tool had before. */
  origin?: ManifestOrigin;
  /** Why `--bump auto` chose this number. */
  bump?: { part: string; reasons: string[] };
}

/** A tracked file or directory as a manifest names it. */
export interface ManifestItem {
  /** `/`-separated, from the top of the repository. */
  path: string;
  oid: string;
  /** `sha256:<hex>` of the content: of a file's bytes, of a directory's listing as docs/formats/manifest.md defines it. */
  sha256: string;
  /** Bytes, of everything below for a directory. */
  size: number;
  /** Number of files below; for directories only. */
  files?: number;
  /** True for a single executable file. */
  executable?: true;
  /** The URLs or the words with which the data was described (its pointer's `source` or `desc`). */
  source?: string;
}

/** Another model's version inside this one, held fast by the digest of its manifest. */
export interface ManifestComponent {
  model: string;
  version: string;
  /** `sha256:<hex>` of its manifest's bytes. */
  manifest: string;
}

/** What another tool said of a version before it was imported. */
export interface ManifestOrigin {
  /** `mlflow`. */
  tool: string;
  /** What the tool calls it, such as `models:/fraud/3`. */
  id: string;
  /** URL without credentials, or the name of the directory. */
  source: string;
  /** When it was made there, RFC 3339. */
  created?: string;
  /** What else the tool says of it, by its own words: `run`, `experiment`, `user`, `stage`. */
  facts: Record<string, string>;
  /** Tags that people gave it there. */
  tags: Record<string, string>;
}
