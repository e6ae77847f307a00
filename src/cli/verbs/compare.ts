import type { Config } from '../../config/config.js';
import { ObjectCache } from '../../objects/cache.js';
import { loadHash } from '../../objects/hash.js';
import { type ComparedVersion, type Comparison, compareVersionsOf } from '../../registry/compare.js';
import { type ListingDiff, listingDiff } from '../../registry/compare-items.js';
import { type FoundVersion, resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { componentDetails } from '../../registry/version-detail.js';
import { cacheLoader } from '../../workspace/workspace-trees.js';
import { openRegistryHere } from '../open-registry.js';
import { terminalColumns } from '../registry-options.js';
import { comparisonTable } from '../render/comparison.js';
import { quotePath } from '../render/quote.js';
import { narrowNote } from '../render/version-list.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv compare`: see its declaration. Errors: those of resolveReference. */
export async function run(session: Session, { args, options }: VerbInput): Promise<Result> {
  const { registry, config } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const viewAtTime = viewsInTime(registry);
  const compared: ComparedVersion[] = [];
  for (const reference of args)
    compared.push(await everythingOf(await resolveReference(view, reference, { viewAtTime })));
  const comparison = compareVersionsOf(compared, await listings(config));
  const { lines, left } = comparisonTable(comparison, {
    style: session.style,
    columns: terminalColumns(),
    all: options.all === true,
  });
  return {
    text: lines,
    json: { ...comparison },
    notes: [...narrowNote(left), ...unlistedNotes(comparison)],
  };
}

async function everythingOf({ view, version }: FoundVersion): Promise<ComparedVersion> {
  const manifest = await view.manifest(version.model, version.version);
  const components = await componentDetails(view, manifest, [versionName(version)]);
  return { manifest, evaluations: version.evaluations, components };
}

/** Listings come from the cache; where mlv was not initialised there is none. */
async function listings({ project, cache, core }: Config): Promise<ListingDiff> {
  if (!project) return () => undefined;
  const hash = await loadHash(project.hash, core.hashImplementation);
  return listingDiff(cacheLoader(new ObjectCache(cache.dir, hash)), project.hash);
}

function unlistedNotes({ artifacts, data, code }: Comparison): string[] {
  const unlisted = [...artifacts, ...data].filter(({ changes }) => changes.some((change) => change?.unlisted));
  if (unlisted.length === 0) return [];
  const paths = unlisted.map(({ path }) => quotePath(path)).join(', ');
  const revisions = [...new Set(code.map(({ commit }) => `--rev ${commit.slice(0, 12)}`))].join(' ');
  return [`not compared file by file, as listings are not in the cache: ${paths}; to get them: mlv fetch ${revisions}`];
}
