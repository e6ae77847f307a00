import { packDigests, placedChunks } from './placed-chunks.js';
import type { ObjectRecord, TreeRecord } from './record-reader.js';
import type { ChunkPlace, PlacedChunk } from './record-writer.js';

/** Keys of maps are digests as latin1 text: the shortest form that a Map can look up. */
export function digestKey(digest: Buffer): string {
  return digest.toString('latin1');
}

/**
 * Where chunks are on a remote, as far as a push knows: from records of predecessors, from its journal, and from the
 * packs it makes itself. A file that is one chunk is found under its own digest.
 */
export class KnownPlaces {
  private readonly chunks = new Map<string, ChunkPlace>();
  private readonly files = new Map<string, PlacedChunk[]>();
  /** What was set aside, by the digest of the file. */
  private readonly aside = new Map<string, { file: PlacedChunk[] | undefined; chunks: PlacedChunk[] }>();

  /** `isLost` tells packs whose places are not to be used: those that a check found missing or damaged. */
  constructor(private readonly isLost: (pack: Buffer) => boolean = () => false) {}

  /** Number of chunks known. */
  get size(): number {
    return this.chunks.size;
  }

  chunk(digest: Buffer): ChunkPlace | undefined {
    return this.chunks.get(digestKey(digest));
  }

  /** The first place of a chunk counts. It is kept as it is given: its pack may get its name later. */
  addChunk(digest: Buffer, place: ChunkPlace): void {
    const key = digestKey(digest);
    if (!this.isLost(place.pack) && !this.chunks.has(key)) this.chunks.set(key, place);
  }

  /** True when places in the pack are not to be used. */
  isUnusable(pack: Buffer): boolean {
    return this.isLost(pack);
  }

  /**
   * Forgets where a chunk of a file is, so that the file, or this chunk of it, is sent again; the place itself stays known
   * for `restore`. No effect on a chunk that has another place, too.
   */
  setAside(file: Buffer, chunk: PlacedChunk): void {
    const key = digestKey(file);
    let aside = this.aside.get(key);
    if (!aside) {
      aside = { file: this.files.get(key), chunks: [] };
      this.aside.set(key, aside);
      this.files.delete(key);
    }
    const place = this.chunk(chunk.digest);
    if (place?.offset !== chunk.offset || !place.pack.equals(chunk.pack)) return;
    aside.chunks.push(chunk);
    this.chunks.delete(digestKey(chunk.digest));
  }

  /** Takes back that a file was set aside: it stays where it is. False for any other file. */
  restore(file: Buffer): boolean {
    const key = digestKey(file);
    const aside = this.aside.get(key);
    if (!aside) return false;
    this.aside.delete(key);
    for (const { digest, pack, offset, deflated } of aside.chunks) this.addChunk(digest, { pack, offset, deflated });
    if (aside.file) this.files.set(key, aside.file);
    return true;
  }

  /** The chunks of a file that is more than one, when all of them are known. */
  file(digest: Buffer): readonly PlacedChunk[] | undefined {
    return this.files.get(digestKey(digest));
  }

  addFile(digest: Buffer, chunks: PlacedChunk[]): void {
    if (!chunks.some((chunk) => this.isLost(chunk.pack))) this.files.set(digestKey(digest), chunks);
    for (const chunk of chunks) this.addChunk(chunk.digest, chunk);
  }

  /** Forgets the places in packs that are not to be used. */
  drop(isLost: (pack: Buffer) => boolean): void {
    for (const [key, place] of this.chunks) if (isLost(place.pack)) this.chunks.delete(key);
    for (const [key, chunks] of this.files) if (chunks.some(({ pack }) => isLost(pack))) this.files.delete(key);
  }

  /** Takes over every place that a record tells. */
  addRecord(record: ObjectRecord): void {
    if (record.kind === 'inline') return;
    const packs = packDigests(record.packs);
    if (record.kind === 'tree') this.addTree(record, packs);
    else {
      for (const cursor = record.chunks(); cursor.next(); ) {
        const { digest, packIndex, offset, deflated } = cursor;
        this.addChunk(digest, { pack: packs[packIndex] as Buffer, offset, deflated });
      }
    }
  }

  private addTree(record: TreeRecord, packs: readonly Buffer[]): void {
    const cursor = record.entries();
    while (cursor.next()) {
      if (cursor.location !== 'chunks' || cursor.entry.size === 0) continue;
      const chunks = placedChunks(cursor.chunks, packs);
      const [only] = chunks;
      if (chunks.length === 1 && only) {
        const { digest, pack, offset, deflated } = only;
        this.addChunk(digest, { pack, offset, deflated });
      } else this.addFile(cursor.entry.digest, chunks);
    }
  }
}
