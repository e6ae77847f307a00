import type { ChunkCursor, PackList } from './record-cursor.js';
import type { PlacedChunk } from './record-writer.js';

/** The digests of a record's packs, one buffer each, whatever becomes of the record: chunks share them. */
export function packDigests(packs: PackList): Buffer[] {
  return Array.from({ length: packs.count }, (_, index) => Buffer.from(packs.digest(index)));
}

/** The chunks of the cursor's current file, in order; their digests are views of the record. */
export function placedChunks(cursor: ChunkCursor, packs: readonly Buffer[]): PlacedChunk[] {
  const chunks: PlacedChunk[] = [];
  while (cursor.next()) {
    const { digest, length, packIndex, offset, deflated } = cursor;
    chunks.push({ digest, length, pack: packs[packIndex] as Buffer, offset, deflated });
  }
  return chunks;
}
