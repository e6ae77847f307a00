import type { CollectionReport, PackCount } from '../../transfer/collect-remote.js';
import type { DeadObject } from '../../transfer/collection-dead.js';
import { quotePath } from './quote.js';
import { formatBytes, formatCount } from './units.js';

/** Objects that are named one by one. */
const MOST_OBJECTS = 20;

/** What a collection did, or would do, as lines. */
export function* collectionLines(report: CollectionReport, place: string): Generator<string> {
  const { live, roots, absentRoots, restored, setAside, marked, swept } = report;
  const never = absentRoots > 0 ? ` (${absentRoots} of them not here)` : '';
  yield `${place}: ${formatCount(live.records, 'record')} and ${formatCount(live.packs, 'pack')} are needed, for ${formatCount(roots, 'version')} in Git${never}`;
  const would = report.dryRun ? 'would ' : '';
  const did = (present: string, past: string): string => (report.dryRun ? `${would}${present}` : past);
  if (restored > 0) yield `${did('bring', 'brought')} back ${formatCount(restored, 'record')} that are needed again`;
  if (setAside.records > 0) {
    yield `${did('set', 'set')} aside ${formatCount(setAside.records, 'record')} that nothing needs:`;
    yield* objectLines(setAside.objects);
  }
  if (marked.packs > 0) yield `${did('mark', 'marked')} ${packs(marked)} for deletion`;
  if (swept.records + swept.packs > 0) {
    yield `${did('delete', 'deleted')} ${formatCount(swept.records, 'record')} and ${packs(swept)}`;
    yield* objectLines(swept.objects);
  }
  const changes = restored + setAside.records + marked.packs + swept.records + swept.packs;
  if (changes === 0) yield `nothing ${report.dryRun ? 'would be' : 'was'} taken away`;
  yield* waitingLines(report);
}

function* objectLines(objects: readonly DeadObject[]): Generator<string> {
  for (const object of objects.slice(0, MOST_OBJECTS)) yield `    ${describe(object)}`;
  if (objects.length > MOST_OBJECTS) yield `    and ${objects.length - MOST_OBJECTS} more (--json lists all)`;
}

function describe({ oid, kind, size, files, names }: DeadObject): string {
  if (kind === 'damaged') return `${oid}  a damaged record`;
  if (kind === 'file') return `${oid}  a file, ${formatBytes(size)}`;
  const shown = names.map((name) => quotePath(name)).join(', ');
  return `${oid}  a directory, ${formatCount(files, 'file')}, ${formatBytes(size)}: ${shown}${names.length < files ? ', …' : ''}`;
}

function* waitingLines({ waiting }: CollectionReport): Generator<string> {
  if (waiting.records + waiting.packs === 0) return;
  const until = waiting.until === undefined ? '' : `; from ${new Date(waiting.until).toISOString()} on they can go`;
  yield `waiting for their grace to be over: ${formatCount(waiting.records, 'record')} and ${packs(waiting)}${until}`;
}

function packs({ packs: count, bytes }: PackCount): string {
  return `${formatCount(count, 'pack')} (${formatBytes(bytes)})`;
}
