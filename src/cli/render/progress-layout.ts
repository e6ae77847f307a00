import type { Amount } from '../../core/reporter.js';
import { escapeControls } from './quote.js';
import { formatBytes, formatSeconds } from './units.js';

/** A phase as it is at the moment. */
export interface PhaseView {
  name: string;
  /** Names its items in the plural; may be empty. */
  unit: string;
  done: Required<Amount>;
  /** 0 for what is not known. */
  total: Required<Amount>;
  seconds: number;
}

/** A body on its way, as it is at the moment. */
export interface TransferView {
  name: string;
  direction: 'up' | 'down';
  /** Bytes so far; 0 where the way does not tell. */
  done: number;
  total: number;
  seconds: number;
}

export interface Screen {
  columns: number;
  rows: number;
}

/** Below that, a terminal gets one line. */
const WIDE_COLUMNS = 100;
const WIDE_ROWS = 16;
const MOST_TRANSFERS = 8;
const BAR_CELLS = 20;
const LEAST_COLUMNS = 20;

/**
 * The lines that show work on a terminal, each shorter than it is wide: one line on a small one; on a wide one a line a
 * phase, and below them one for each of the oldest eight transfers.
 */
export function progressLines(
  phases: readonly PhaseView[],
  transfers: readonly TransferView[],
  screen: Screen,
): string[] {
  const texts = phases.map((phase) => phaseText(phase));
  if (!isWide(screen)) return [cut(texts.join(' | '), screen)];
  const shown = transfers.slice(0, MOST_TRANSFERS);
  const more = transfers.length - shown.length;
  const names = Math.max(0, ...shown.map(({ name }) => escapeControls(name).length));
  const lines = [...texts, ...shown.map((transfer) => transferText(transfer, names))];
  if (more > 0) lines.push(`  … and ${more} more`);
  return lines.map((line) => cut(line, screen));
}

/** True for a terminal with room for several lines. */
export function isWide({ columns, rows }: Screen): boolean {
  return columns >= WIDE_COLUMNS && rows >= WIDE_ROWS;
}

/** A phase in words: items, bytes, rate and the time that is left, or with `ended` what it took. */
export function phaseText(phase: PhaseView, ended = false): string {
  const seconds = Math.max(0.001, phase.seconds);
  const last = ended ? `${formatSeconds(seconds)} in all` : remaining(phase, seconds);
  const parts = [items(phase), bytes(phase), rate(phase.done.bytes, seconds), last].filter((part) => part !== '');
  return `${escapeControls(phase.name)}: ${parts.join(', ') || formatSeconds(seconds)}`;
}

function transferText({ name, direction, done, total, seconds }: TransferView, nameCells: number): string {
  const head = `  ${direction === 'up' ? '↑' : '↓'} ${escapeControls(name).padEnd(nameCells)}`;
  // A body that does not tell how far it is may be anywhere.
  if (done === 0) return `${head}  ${formatBytes(total)}, ${formatSeconds(seconds)}`;
  const filled = Math.min(BAR_CELLS, Math.floor((BAR_CELLS * done) / Math.max(1, total)));
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_CELLS - filled)}`;
  const speed = rate(done, Math.max(0.001, seconds));
  return `${head}  ${bar}  ${formatBytes(done)} of ${formatBytes(total)}, ${speed}`;
}

function items({ done, total, unit }: PhaseView): string {
  if (done.items === 0 && total.items === 0) return '';
  if (total.items > 0) return `${done.items} of ${total.items} ${unit}`.trim();
  return `${done.items} ${done.items === 1 ? unit.replace(/s$/, '') : unit}`.trim();
}

function bytes({ done, total }: PhaseView): string {
  if (total.bytes <= 0) return done.bytes === 0 ? '' : formatBytes(done.bytes);
  const percent = Math.min(100, Math.floor((100 * done.bytes) / total.bytes));
  return `${formatBytes(done.bytes)} of ${formatBytes(total.bytes)} (${percent} %)`;
}

function rate(count: number, seconds: number): string {
  return count === 0 ? '' : `${formatBytes(count / seconds)}/s`;
}

function remaining({ done, total }: PhaseView, seconds: number): string {
  const [so, all] = total.bytes > 0 ? [done.bytes, total.bytes] : [done.items, total.items];
  if (so === 0 || all <= so) return '';
  return `${formatSeconds(((all - so) * seconds) / so)} left`;
}

/** Never the whole width: a full line would make the terminal begin another one. */
function cut(text: string, { columns }: Screen): string {
  return Array.from(text)
    .slice(0, Math.max(LEAST_COLUMNS, columns - 1))
    .join('');
}
