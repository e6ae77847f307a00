/** A package of a recorded environment, held to one version. */
export interface PinnedPackage {
  name: string;
  version: string;
}

/** What a recorded environment asks for. */
export interface PackagePlan {
  wanted: PinnedPackage[];
  /** Entries that are no name with a version: whoever wrote them, they are given to no program. */
  refused: string[];
}

/** Of PEP 508 and PEP 440, as far as nothing else can be meant: no option, no URL, no path, no second requirement. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;
const VERSION = /^[0-9](?:[0-9A-Za-z.!+_-]{0,126}[0-9A-Za-z])?$/;
/** The installer itself is nothing that a result depends on. */
const INSTALLERS = new Set(['pip', 'uv']);
const MOST_PACKAGES = 10_000;

/** Reads entries such as `numpy==2.0.0`; the installer itself is left out. */
export function planPackages(entries: readonly unknown[]): PackagePlan {
  const wanted = new Map<string, PinnedPackage>();
  const refused: string[] = [];
  for (const entry of entries.slice(0, MOST_PACKAGES)) {
    const [name = '', version = '', ...more] = typeof entry === 'string' ? entry.split('==') : [];
    if (more.length > 0 || !NAME.test(name) || !VERSION.test(version)) refused.push(String(entry).slice(0, 200));
    else if (!INSTALLERS.has(normalName(name))) wanted.set(normalName(name), { name, version });
  }
  return { wanted: [...wanted.values()], refused };
}

/** A name as indexes compare it (PEP 503). */
function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** A recorded Python. */
export interface WantedPython {
  /** `3.11.7`. */
  version: string;
  /** `3.11`. */
  minor: string;
  /** `cpython`, `pypy`, … */
  implementation: string;
}

/** Reads what a probe says of Python, `3.11.7` or `3.10.13 (pypy)`; undefined for anything else. */
export function readWantedPython(text: unknown): WantedPython | undefined {
  const [, version, minor, implementation = 'cpython'] =
    /^((\d{1,2}\.\d{1,3})(?:\.\d{1,3})?[a-z0-9+]{0,12})(?: \(([a-z]{1,20})\))?$/.exec(
      typeof text === 'string' ? text : '',
    ) ?? [];
  return version === undefined || minor === undefined ? undefined : { version, minor, implementation };
}

/** How an environment that was made differs from the one that was recorded; names as recorded, sorted. */
export interface EnvironmentDifference {
  /** Recorded, and not there. */
  missing: string[];
  /** There in another version. */
  other: { name: string; before: string; after: string }[];
}

/** Compares the packages that were wanted with those that are there (`name==version`). */
export function compareEnvironment(
  wanted: readonly PinnedPackage[],
  installed: readonly string[],
): EnvironmentDifference {
  const there = new Map(
    installed.map((each) => {
      const [name = '', version = ''] = each.split('==');
      return [normalName(name), version];
    }),
  );
  const missing: string[] = [];
  const other: EnvironmentDifference['other'] = [];
  for (const { name, version } of wanted) {
    const after = there.get(normalName(name));
    if (after === undefined) missing.push(`${name}==${version}`);
    else if (after !== version) other.push({ name, before: version, after });
  }
  return { missing: missing.sort(), other };
}
