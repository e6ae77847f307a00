import type { Oid } from '../objects/oid.js';
import type { CollectionMarks } from './collection-log.js';

/** A record on a remote, in use or set aside. */
export interface ListedRecord {
  oid: Oid;
  /** Bytes of the record. */
  size: number;
  /** When it was written, or set aside, in milliseconds by the remote's clock. */
  modified: number;
}

/** A pack on a remote. */
export interface ListedPack {
  /** 64 hex digits. */
  name: string;
  /** Bytes. */
  size: number;
  /** When it was uploaded last, in milliseconds by the remote's clock. */
  modified: number;
}

/** What is on a remote, and what is needed of it. */
export interface CollectionView {
  records: readonly ListedRecord[];
  aside: readonly ListedRecord[];
  packs: readonly ListedPack[];
  marks: readonly CollectionMarks[];
  /** Objects that something needs: all that any root, or any record younger than the grace, leads to. */
  liveRecords: ReadonlySet<Oid>;
  /** Packs that the records of live objects name. */
  livePacks: ReadonlySet<string>;
  /** Packs that a record of no live object names, in use or set aside. */
  packsOf: (oid: Oid) => readonly string[];
  /** The remote's own time, and how long what nothing needs stays (milliseconds). */
  now: number;
  graceMs: number;
}

/** What a collection does, in this order. */
export interface CollectionPlan {
  /** Records set aside that are needed again: back in use. */
  restore: ListedRecord[];
  /** Copies that were set aside, for longer than the grace, of records that are in use again: dropped. */
  superfluous: ListedRecord[];
  /** Records that nothing needs and that are older than the grace: set aside. */
  setAside: ListedRecord[];
  /** Packs that only such records name, or none, and that are older than the grace: marked. */
  mark: ListedPack[];
  /** Records whose grace since they were set aside is over: deleted. */
  sweepRecords: ListedRecord[];
  /** Packs whose grace since they were marked is over, and that no record names that is left: deleted. */
  sweepPacks: ListedPack[];
  /** Marks of which nothing is left to be deleted later. */
  dropMarks: string[];
  /** What has been set aside and marked before, and whose grace is not over. */
  waiting: { records: ListedRecord[]; packs: ListedPack[]; until: number | undefined };
}

/**
 * Decides what a collection does. Nothing is taken out of use that is needed or younger than the grace; nothing is
 * deleted before it was out of use for the grace; no pack is deleted that any record names which stays, nor one that
 * was uploaded again after it was marked. Pure.
 */
export function planCollection(view: CollectionView): CollectionPlan {
  const { liveRecords, livePacks, graceMs } = view;
  const isOver = (since: number): boolean => view.now - since >= graceMs;
  const inUse = new Set(view.records.map(({ oid }) => oid));
  const setAside = view.records.filter(({ oid, modified }) => !liveRecords.has(oid) && isOver(modified));
  const back = view.aside.filter(({ oid }) => liveRecords.has(oid));
  // What is set aside anew now takes the place of an older copy, and its grace begins now.
  const dead = view.aside.filter(({ oid }) => !liveRecords.has(oid) && !inUse.has(oid));
  const sweepRecords = dead.filter(({ modified }) => isOver(modified));
  const staying = dead.filter(({ modified }) => !isOver(modified));

  const held = new Set([...setAside, ...staying].flatMap(({ oid }) => view.packsOf(oid)));
  const marked = markTimes(view);
  const unused = view.packs.filter(({ name }) => !livePacks.has(name));
  const isSwept = (pack: ListedPack): boolean => {
    const since = marked.get(pack.name);
    return since !== undefined && isOver(since) && !held.has(pack.name);
  };
  const sweepPacks = unused.filter(isSwept);
  const left = unused.filter((pack) => marked.has(pack.name) && !isSwept(pack));
  return {
    restore: back.filter(({ oid }) => !inUse.has(oid)),
    superfluous: back.filter(({ oid, modified }) => inUse.has(oid) && isOver(modified)),
    setAside,
    mark: unused.filter(({ name, modified }) => !marked.has(name) && isOver(modified)),
    sweepRecords,
    sweepPacks,
    dropMarks: marksWithout(view.marks, left),
    waiting: { records: staying, packs: left, until: earliest([...staying, ...markedAt(left, marked)], graceMs) },
  };
}

/** When each pack was marked, the first time if more than once; a pack that was uploaded after that counts as new. */
function markTimes({ marks, packs }: CollectionView): Map<string, number> {
  const uploaded = new Map(packs.map(({ name, modified }) => [name, modified]));
  const times = new Map<string, number>();
  for (const { marked, packs: names } of marks) {
    for (const name of names) {
      const modified = uploaded.get(name);
      if (modified === undefined || modified >= marked) continue;
      times.set(name, Math.min(marked, times.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  return times;
}

/** Marks that name none of the packs that are left. */
function marksWithout(marks: readonly CollectionMarks[], left: readonly ListedPack[]): string[] {
  const names = new Set(left.map(({ name }) => name));
  return marks.filter(({ packs }) => !packs.some((name) => names.has(name))).map(({ key }) => key);
}

function markedAt(packs: readonly ListedPack[], marked: ReadonlyMap<string, number>): { modified: number }[] {
  return packs.map(({ name, modified }) => ({ modified: marked.get(name) ?? modified }));
}

function earliest(waiting: readonly { modified: number }[], graceMs: number): number | undefined {
  let first = Number.POSITIVE_INFINITY;
  for (const { modified } of waiting) first = Math.min(first, modified);
  return first === Number.POSITIVE_INFINITY ? undefined : first + graceMs;
}

/**
 * Puts objects in an order in which everything comes before what it refers to, in groups that do not refer to each
 * other. References to what is not among them do not count. Pure.
 */
export function parentsFirst(oids: readonly Oid[], childrenOf: (oid: Oid) => readonly Oid[]): Oid[][] {
  const heights = new Map<Oid, number>();
  const members = new Set(oids);
  const heightOf = (oid: Oid): number => {
    const known = heights.get(oid);
    if (known !== undefined) return known;
    let height = 0;
    for (const child of childrenOf(oid)) if (members.has(child)) height = Math.max(height, heightOf(child) + 1);
    heights.set(oid, height);
    return height;
  };
  const groups = new Map<number, Oid[]>();
  for (const oid of members) {
    const group = groups.get(heightOf(oid));
    if (group) group.push(oid);
    else groups.set(heightOf(oid), [oid]);
  }
  return [...groups].sort(([left], [right]) => right - left).map(([, group]) => group);
}
