import { fdatasync } from 'node:fs';

/** The disk is given what was written after so many bytes, so that it works while the rest is on its way. */
const FLUSH_BYTES = 32 * 1024 * 1024;

/**
 * Flushes a file that is still being written, one flush at a time, so that little is left to wait for when it is whole.
 * A head start only, no promise that anything is on the disk.
 */
export class EarlyFlush {
  private running: Promise<void> | undefined;
  private failure: Error | undefined;
  private flushedAt = 0;

  constructor(private readonly descriptor: number) {}

  /** True while the descriptor is in use here. */
  get busy(): boolean {
    return this.running !== undefined;
  }

  /** What a flush failed with, where one did; nobody else is told. */
  get failed(): Error | undefined {
    return this.failure;
  }

  /** Told how many bytes were written so far: a flush begins when that is enough more than at the last one. */
  written(bytes: number): void {
    if (this.running || bytes - this.flushedAt < FLUSH_BYTES) return;
    this.flushedAt = bytes;
    this.begin();
  }

  /** Waits for a flush of the whole file, whose size that is, unless it is too small to bother. Error: as `finish`. */
  async whole(size: number): Promise<void> {
    if (size < FLUSH_BYTES) return;
    await this.finish();
    this.begin();
    await this.finish();
  }

  /**
   * Waits until none runs. The file system's error as it is: the kernel reports a failed write to one flush only, so that
   * it must not be lost here.
   */
  async finish(): Promise<void> {
    await this.running;
    if (this.failure) throw this.failure;
  }

  private begin(): void {
    this.running = new Promise((resolve) => {
      fdatasync(this.descriptor, (error) => {
        this.failure ??= error ?? undefined;
        this.running = undefined;
        resolve();
      });
    });
  }
}
