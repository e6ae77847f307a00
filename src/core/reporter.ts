/** What a phase counts. Both are optional; bytes lead the display where they are known. */
export interface Amount {
  /** Bytes. */
  bytes?: number;
  /** Files, objects, packs, whatever the phase's unit is. */
  items?: number;
}

/** One named piece of long work. Cheap enough to be called once a buffer or once a thousand files. */
export interface Phase {
  /** Adds to the expected total; may be called while the work is under way. */
  expect(amount: Amount): void;
  /** Adds to what is done. */
  advance(amount: Amount): void;
  /** The phase is over, whether it ended well or not. May be called twice. */
  end(): void;
}

/** One body on its way to or from a remote. */
export interface TransferProgress {
  /** More bytes of it travelled. */
  advance(bytes: number): void;
  /** It is over, whether it ended well or not. May be called twice. */
  end(): void;
}

/** Receives messages and progress from the layers below the command line, which never print themselves. */
export interface Reporter {
  /** Something the user should know but need not act on. */
  note(message: string): void;
  /** Something the user should look at. */
  warn(message: string): void;
  /** Starts a phase; `unit` names its items in the plural ('files', 'packs'). */
  phase(name: string, options?: { total?: Amount; unit?: string }): Phase;
  /** Starts to show a body of so many bytes; one that does not say how far it is never advances. */
  transfer(name: string, options: { bytes: number; direction: 'up' | 'down' }): TransferProgress;
}

const silentPhase: Phase = { expect() {}, advance() {}, end() {} };
const silentTransfer: TransferProgress = { advance() {}, end() {} };

/** A reporter that drops everything: for library use and tests. */
export const silentReporter: Reporter = {
  note() {},
  warn() {},
  phase: () => silentPhase,
  transfer: () => silentTransfer,
};
