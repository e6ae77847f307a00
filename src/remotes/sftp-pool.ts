import type { SftpSession } from './sftp-session.js';

/** Operations that one connection carries well: their requests travel at the same time. */
const OPERATIONS_PER_CONNECTION = 4;
const MOST_CONNECTIONS = 4;

/** A connection that is in use, until it is released. */
export interface Lease {
  session: SftpSession;
  /** May be called twice. */
  release(): void;
}

interface Slot {
  session: Promise<SftpSession>;
  alive(): boolean;
  active: number;
}

/** Connections to one server: opened when those that there are have enough to do, replaced when they end. */
export class SftpPool {
  private slots: Slot[] = [];
  private closed = false;

  constructor(private readonly connect: () => Promise<SftpSession>) {}

  /** The connection with the least to do. Errors: those of `connect`. */
  async acquire(): Promise<Lease> {
    const slot = this.choose();
    slot.active++;
    let released = false;
    const release = (): void => {
      if (!released) slot.active--;
      released = true;
    };
    try {
      return { session: await slot.session, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Does some work on a connection. Errors: those of `connect` and of the work. */
  async use<T>(work: (session: SftpSession) => Promise<T>): Promise<T> {
    const { session, release } = await this.acquire();
    try {
      return await work(session);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const slots = this.slots.splice(0);
    await Promise.all(
      slots.map(({ session }) =>
        session.then(
          (each) => each.end(),
          () => undefined,
        ),
      ),
    );
  }

  private choose(): Slot {
    this.slots = this.slots.filter((slot) => slot.alive());
    const [idlest] = [...this.slots].sort((a, b) => a.active - b.active);
    if (idlest && (idlest.active < OPERATIONS_PER_CONNECTION || this.slots.length >= MOST_CONNECTIONS)) return idlest;
    return this.open();
  }

  private open(): Slot {
    let state: 'opening' | 'failed' | SftpSession = 'opening';
    const session = this.connect();
    session.then(
      (opened) => {
        state = opened;
        if (this.closed) opened.end();
      },
      () => {
        state = 'failed';
      },
    );
    const alive = (): boolean => state === 'opening' || (state !== 'failed' && state.alive);
    const slot: Slot = { session, alive, active: 0 };
    this.slots.push(slot);
    return slot;
  }
}
