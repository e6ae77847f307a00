import type { RequestUse } from './fragmentation.js';
import { DEFAULT_RANGES } from './range-plan.js';

/** One ranged request of a pull that has nothing yet. */
export interface LaidRequest extends RequestUse {
  /** True when something in it stays where it is, so that the request is made in any case. */
  fixed: boolean;
}

/** What is wanted of one pack: arrays side by side, because a directory may have a million files. */
class PackParts {
  readonly offsets: number[] = [];
  readonly lengths: number[] = [];
  readonly fixed: boolean[] = [];
  /** Where each request begins, in ascending order, and the request. */
  starts: number[] = [];
  requests: LaidRequest[] = [];

  plan(): void {
    this.starts = [];
    this.requests = [];
    let last = { offset: -1, length: -1, end: 0 };
    for (const index of this.order()) {
      const offset = this.offsets[index] as number;
      const length = this.lengths[index] as number;
      const fixed = this.fixed[index] as boolean;
      let request = this.requests.at(-1);
      const again = offset === last.offset && length === last.length;
      if (!request || !(again || this.joins(last.end, offset, length))) {
        request = { length: 0, useful: 0, fixed: false };
        this.requests.push(request);
        this.starts.push(offset);
      }
      request.fixed ||= fixed;
      if (again) continue;
      request.length = offset + length - (this.starts.at(-1) as number);
      request.useful += length;
      last = { offset, length, end: offset + length };
    }
  }

  requestAt(offset: number): LaidRequest | undefined {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.requests[low - 1];
  }

  private joins(end: number, offset: number, length: number): boolean {
    const gap = offset - end;
    const whole = offset + length - (this.starts.at(-1) as number);
    return gap >= 0 && gap <= DEFAULT_RANGES.gap && whole <= DEFAULT_RANGES.most;
  }

  /** Indexes by offset; files mostly come in the order in which they were packed. */
  private order(): Iterable<number> {
    const { offsets, lengths } = this;
    const indexes = offsets.keys();
    if (offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] as number))) return indexes;
    const at = (values: number[], index: number): number => values[index] as number;
    return [...indexes].sort(
      (left, right) => at(offsets, left) - at(offsets, right) || at(lengths, left) - at(lengths, right),
    );
  }
}

/**
 * Where the content of a directory lies, and which requests a pull that has nothing of it makes: the same as planRanges
 * says, without an object for each file. Pure.
 */
export class PackLayout {
  private readonly byName = new Map<string, PackParts>();
  /** Places of one record share the buffers of their packs. */
  private readonly byBuffer = new Map<Buffer, PackParts>();

  /** Adds a stretch of a pack that is wanted; `fixed` when it will be wanted there in any case. */
  add(pack: Buffer, { offset, length, fixed = false }: { offset: number; length: number; fixed?: boolean }): void {
    const parts = this.parts(pack);
    parts.offsets.push(offset);
    parts.lengths.push(length);
    parts.fixed.push(fixed);
  }

  /** The requests for all that was added: made anew by each call. */
  plan(): LaidRequest[] {
    const requests: LaidRequest[] = [];
    for (const parts of this.byName.values()) {
      parts.plan();
      for (const request of parts.requests) requests.push(request);
    }
    return requests;
  }

  /** The request of the last plan that brings what is at that offset. */
  requestAt(pack: Buffer, offset: number): LaidRequest | undefined {
    return this.parts(pack).requestAt(offset);
  }

  private parts(pack: Buffer): PackParts {
    let parts = this.byBuffer.get(pack);
    if (parts) return parts;
    const name = pack.toString('latin1');
    parts = this.byName.get(name) ?? new PackParts();
    this.byName.set(name, parts);
    this.byBuffer.set(pack, parts);
    return parts;
  }
}
