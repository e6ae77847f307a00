import { isMlvError } from '../core/errors.js';
import { bytesBody, readContent } from '../remotes/remote.js';
import { verifyPack } from './pack-verify.js';
import { packKey } from './remote-layout.js';
import type { TransferSession } from './session.js';

/** Something that could not be copied, and why. */
export interface CopyFailure {
  key: string;
  message: string;
}

/** What the parts of a copy share. */
export interface CopyContext {
  from: TransferSession;
  to: TransferSession;
  /** Called before each request. */
  step: () => Promise<void>;
  fail: (failure: CopyFailure) => void;
}

/** Copies packs from one remote to another, each once, and knows which of them the other has. */
export class CopyPacks {
  private readonly copies = new Map<string, Promise<boolean>>();

  constructor(
    private readonly context: CopyContext,
    /** Names of packs that the other remote has. */
    private readonly present: ReadonlySet<string>,
    private readonly onCopied: (bytes: number) => void,
  ) {}

  /** True when the pack is, or now is, on the other remote; false when it is damaged or missing at the source. */
  async ensure(name: string): Promise<boolean> {
    if (this.present.has(name)) return true;
    const copy = this.copies.get(name) ?? this.copy(name);
    this.copies.set(name, copy);
    return copy;
  }

  private async copy(name: string): Promise<boolean> {
    const { from, to, step, fail } = this.context;
    const key = packKey(from.cache.hash.algorithm, name);
    await step();
    try {
      const bytes = await readContent(await from.remote.get(key, from.cancel));
      verifyPack(bytes, Buffer.from(name, 'hex'), from.cache.hash);
      await to.remote.put(key, bytesBody(bytes), to.cancel);
      this.onCopied(bytes.length);
      return true;
    } catch (error) {
      const gone = isMlvError(error, 'REMOTE_NOT_FOUND') && error.data.missing === 'key';
      if (!gone && !isMlvError(error, 'PACK_INVALID')) throw error;
      fail({ key, message: error.message });
      return false;
    }
  }
}
