import type { Amount, Phase, Reporter, TransferProgress } from '../core/reporter.js';
import {
  isWide,
  type PhaseView,
  phaseText,
  progressLines,
  type Screen,
  type TransferView,
} from './render/progress-layout.js';
import { escapeControls } from './render/quote.js';

/** Where progress goes, and how. */
export interface ProgressOptions {
  /** Writes text as it is, without waiting. */
  write: (text: string) => void;
  /** `screen` redraws lines of a terminal, `plain` adds a line now and then, `off` shows nothing. */
  mode: 'screen' | 'plain' | 'off';
  /** False drops notes. */
  notes: boolean;
  /** Size of the terminal. */
  screen: () => Screen;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

/** A reporter that shows something on standard error, and can be told to get out of the way. */
export interface ProgressReporter extends Reporter {
  /** Takes the lines of a terminal away, before something else is printed. */
  clear(): void;
  /** Ends all phases. */
  close(): void;
}

const FIRST_DRAW_MS = 80;
const REDRAW_MS = 100;
const FIRST_PLAIN_MS = 2_000;
const PLAIN_EVERY_MS = 5_000;

/** A reporter for standard error; see ProgressOptions. */
export function progressReporter(options: ProgressOptions): ProgressReporter {
  const display = new Display(options);
  const print = (line: string): void => {
    display.clear();
    options.write(`${escapeControls(line, { keepNewlines: true })}\n`);
  };
  return {
    note: (message) => (options.notes ? print(message) : undefined),
    warn: (message) => print(`warning: ${message}`),
    phase: (name, { total = {}, unit = '' } = {}) => display.start(new RunningPhase({ name, unit, total }, display)),
    transfer: (name, { bytes, direction }) => display.show(new RunningTransfer({ name, bytes, direction }, display)),
    clear: () => display.clear(),
    close: () => display.close(),
  };
}

class Display {
  private readonly running = new Set<RunningPhase>();
  private readonly transfers = new Set<RunningTransfer>();
  private timer: NodeJS.Timeout | undefined;
  /** Lines on the terminal that are ours. */
  private drawn = 0;
  private nextDraw = 0;

  constructor(private readonly options: ProgressOptions) {}

  now(): number {
    return this.options.now?.() ?? performance.now();
  }

  start(phase: RunningPhase): RunningPhase {
    if (this.options.mode === 'off') return phase;
    if (this.running.size === 0)
      this.nextDraw = this.now() + (this.options.mode === 'screen' ? FIRST_DRAW_MS : FIRST_PLAIN_MS);
    this.running.add(phase);
    this.timer ??= setInterval(() => this.tick(), REDRAW_MS).unref();
    return phase;
  }

  show(transfer: RunningTransfer): RunningTransfer {
    if (this.options.mode === 'screen') this.transfers.add(transfer);
    return transfer;
  }

  hide(transfer: RunningTransfer): void {
    this.transfers.delete(transfer);
  }

  /** Called by every phase that moves: work that never leaves the event loop a turn is shown all the same. */
  tick(): void {
    if (this.running.size === 0) return;
    const now = this.now();
    if (now < this.nextDraw) return;
    const phases = [...this.running].map((phase) => phase.view(now));
    if (this.options.mode === 'screen') {
      this.draw(phases, now);
      this.nextDraw = now + REDRAW_MS;
    } else {
      for (const phase of phases) this.options.write(`${phaseText(phase)}\n`);
      for (const phase of this.running) phase.shown = true;
      this.nextDraw = now + PLAIN_EVERY_MS;
    }
  }

  finish(phase: RunningPhase): void {
    if (!this.running.delete(phase)) return;
    if (phase.shown) this.options.write(`${phaseText(phase.view(this.now()), true)}\n`);
    if (this.running.size === 0) this.close();
  }

  clear(): void {
    if (this.drawn > 0) this.options.write(this.toStart());
    this.drawn = 0;
  }

  close(): void {
    this.clear();
    this.running.clear();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private draw(phases: readonly PhaseView[], now: number): void {
    const screen = this.options.screen();
    const transfers = isWide(screen) ? [...this.transfers].map((transfer) => transfer.view(now)) : [];
    const lines = progressLines(phases, transfers, screen);
    this.options.write(this.toStart() + lines.join('\n'));
    this.drawn = lines.length;
  }

  /** What brings the cursor to the beginning of our first line, and takes everything from there on away. */
  private toStart(): string {
    return this.drawn > 1 ? `\r\u001b[${this.drawn - 1}A\u001b[J` : '\r\u001b[2K';
  }
}

class RunningPhase implements Phase {
  /** True when a plain line told of it, so that its end is told, too. */
  shown = false;
  private readonly total: Required<Amount>;
  private readonly done: Required<Amount> = { bytes: 0, items: 0 };
  private readonly since: number;

  constructor(
    private readonly options: { name: string; unit: string; total: Amount },
    private readonly display: Display,
  ) {
    this.total = { bytes: options.total.bytes ?? 0, items: options.total.items ?? 0 };
    this.since = display.now();
  }

  expect(amount: Amount): void {
    add(this.total, amount);
    this.display.tick();
  }

  advance(amount: Amount): void {
    add(this.done, amount);
    this.display.tick();
  }

  end(): void {
    this.display.finish(this);
  }

  view(now: number): PhaseView {
    const { name, unit } = this.options;
    return { name, unit, done: this.done, total: this.total, seconds: (now - this.since) / 1000 };
  }
}

class RunningTransfer implements TransferProgress {
  private done = 0;
  private readonly since: number;

  constructor(
    private readonly options: { name: string; bytes: number; direction: 'up' | 'down' },
    private readonly display: Display,
  ) {
    this.since = display.now();
  }

  advance(bytes: number): void {
    this.done += bytes;
    this.display.tick();
  }

  end(): void {
    this.display.hide(this);
  }

  view(now: number): TransferView {
    const { name, bytes, direction } = this.options;
    return { name, direction, done: this.done, total: bytes, seconds: (now - this.since) / 1000 };
  }
}

function add(to: Required<Amount>, amount: Amount): void {
  to.bytes += amount.bytes ?? 0;
  to.items += amount.items ?? 0;
}
