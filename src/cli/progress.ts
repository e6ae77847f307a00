import type { Amount, Phase, Reporter } from '../core/reporter.js';
import { escapeControls } from './render/quote.js';
import { formatBytes, formatSeconds } from './render/units.js';

/** Where progress goes, and how. */
export interface ProgressOptions {
  /** Writes text as it is, without waiting. */
  write: (text: string) => void;
  /** `line` redraws one line of a terminal, `plain` adds a line now and then, `off` shows nothing. */
  mode: 'line' | 'plain' | 'off';
  /** False drops notes. */
  notes: boolean;
  /** Width of the terminal. */
  columns: () => number;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}

/** A reporter that shows something on standard error, and can be told to get out of the way. */
export interface ProgressReporter extends Reporter {
  /** Takes the line of a terminal away, before something else is printed. */
  clear(): void;
  /** Ends all phases. */
  close(): void;
}

const FIRST_LINE_MS = 80;
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
    clear: () => display.clear(),
    close: () => display.close(),
  };
}

class Display {
  private readonly running = new Set<RunningPhase>();
  private timer: NodeJS.Timeout | undefined;
  private drawn = false;
  private nextDraw = 0;

  constructor(private readonly options: ProgressOptions) {}

  now(): number {
    return this.options.now?.() ?? performance.now();
  }

  start(phase: RunningPhase): RunningPhase {
    if (this.options.mode === 'off') return phase;
    if (this.running.size === 0)
      this.nextDraw = this.now() + (this.options.mode === 'line' ? FIRST_LINE_MS : FIRST_PLAIN_MS);
    this.running.add(phase);
    this.timer ??= setInterval(() => this.tick(), REDRAW_MS).unref();
    return phase;
  }

  /** Called by every phase that moves: work that never leaves the event loop a turn is shown all the same. */
  tick(): void {
    if (this.running.size === 0) return;
    const now = this.now();
    if (now < this.nextDraw) return;
    const texts = [...this.running].map((phase) => phase.describe(now));
    if (this.options.mode === 'line') {
      const line = Array.from(texts.join(' | '))
        .slice(0, Math.max(20, this.options.columns() - 1))
        .join('');
      this.options.write(`\r\u001b[2K${line}`);
      this.drawn = true;
      this.nextDraw = now + REDRAW_MS;
    } else {
      for (const text of texts) this.options.write(`${text}\n`);
      for (const phase of this.running) phase.shown = true;
      this.nextDraw = now + PLAIN_EVERY_MS;
    }
  }

  finish(phase: RunningPhase): void {
    if (!this.running.delete(phase)) return;
    if (phase.shown) this.options.write(`${phase.describe(this.now(), true)}\n`);
    if (this.running.size === 0) this.close();
  }

  clear(): void {
    if (this.drawn) this.options.write('\r\u001b[2K');
    this.drawn = false;
  }

  close(): void {
    this.clear();
    this.running.clear();
    clearInterval(this.timer);
    this.timer = undefined;
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

  describe(now: number, ended = false): string {
    const seconds = Math.max(0.001, (now - this.since) / 1000);
    const parts = [
      this.items(),
      this.bytes(),
      this.rate(seconds),
      ended ? `${formatSeconds(seconds)} in all` : this.remaining(seconds),
    ];
    return `${escapeControls(this.options.name)}: ${parts.filter((part) => part !== '').join(', ') || formatSeconds(seconds)}`;
  }

  private items(): string {
    const { items } = this.done;
    if (items === 0 && this.total.items === 0) return '';
    return `${this.total.items > 0 ? `${items} of ${this.total.items}` : items} ${this.options.unit}`.trim();
  }

  private bytes(): string {
    const { bytes } = this.done;
    if (this.total.bytes === 0) return bytes === 0 ? '' : formatBytes(bytes);
    const percent = Math.min(100, Math.floor((100 * bytes) / this.total.bytes));
    return `${formatBytes(bytes)} of ${formatBytes(this.total.bytes)} (${percent} %)`;
  }

  private rate(seconds: number): string {
    return this.done.bytes === 0 ? '' : `${formatBytes(this.done.bytes / seconds)}/s`;
  }

  private remaining(seconds: number): string {
    const [done, total] =
      this.total.bytes > 0 ? [this.done.bytes, this.total.bytes] : [this.done.items, this.total.items];
    if (done === 0 || total <= done) return '';
    return `${formatSeconds(((total - done) * seconds) / done)} left`;
  }
}

function add(to: Required<Amount>, amount: Amount): void {
  to.bytes += amount.bytes ?? 0;
  to.items += amount.items ?? 0;
}
