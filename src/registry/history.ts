import type { Attachment, GateResult, RegistryEvent } from './event.js';
import type { PlacedEvent } from './registry.js';

/** One event for people. */
export interface HistoryEntry extends PlacedEvent {
  /** What happened, such as `promoted from staging to production with 10 % of the traffic`. */
  what: string;
  /** The gates that were failed; with `override` those that were passed over. */
  failed: readonly GateResult[];
  override: boolean;
}

/** Tells what the events of a model say, in their order; `stage` leaves out what has nothing to do with that stage. */
export function tellHistory(events: readonly PlacedEvent[], stage?: string): HistoryEntry[] {
  const standing = new Set<string>();
  const told: HistoryEntry[] = [];
  for (const placed of events) {
    if (stage !== undefined && !concerns(placed.event, { stage, standing })) continue;
    const { event } = placed;
    const gates = 'gates' in event ? (event.gates ?? []) : [];
    const override = event.type === 'promoted' && event.override === true;
    told.push({ ...placed, what: describeEvent(event), failed: gates.filter(({ passed }) => !passed), override });
  }
  return told;
}

/** Whether an event names a stage, or takes its version away from it. Keeps `standing`, the versions there, up to date. */
function concerns(event: RegistryEvent, { stage, standing }: { stage: string; standing: Set<string> }): boolean {
  const stood = standing.has(event.version);
  const target = targetOf(event);
  if (target === undefined) return 'stage' in event && event.stage === stage;
  if (target === stage) {
    if (event.type === 'rolled-back' || (event.type === 'promoted' && event.traffic >= 100)) standing.clear();
    standing.add(event.version);
    return true;
  }
  const leaves = leavesFor(event, target) === 'all' || leavesFor(event, target) === stage;
  if (leaves) standing.delete(event.version);
  return stood && leaves;
}

/** The stage that an event brings its version to; undefined where it does not move it. */
function targetOf(event: RegistryEvent): string | undefined {
  if (event.type === 'promoted' || event.type === 'rolled-back') return event.stage;
  if (event.type === 'demoted') return event.to;
  return event.type === 'archived' ? 'archived' : undefined;
}

/** The stage that a version leaves by going to another, or `all` of them. */
function leavesFor(event: RegistryEvent, target: string): string | undefined {
  if (target === 'archived' || event.type === 'rolled-back') return 'all';
  if (event.type === 'promoted') return event.from;
  return event.type === 'demoted' ? event.stage : undefined;
}

/** What an event says happened to its version, without its name, author, reason and gates. */
export function describeEvent(event: RegistryEvent): string {
  switch (event.type) {
    case 'registered':
      return 'registered';
    case 'promoted':
      return promoted(event);
    case 'demoted':
      return `demoted from ${event.stage} to ${event.to}`;
    case 'archived':
      return 'archived';
    case 'rolled-back':
      return `put back on ${event.stage}${event.replaces.length > 0 ? ` instead of ${event.replaces.join(', ')}` : ''}`;
    case 'approved':
    case 'rejected':
      return `${event.type} for ${event.stage}${attached(event.attachments)}`;
    case 'evaluated':
      return evaluated(event);
    case 'deprecated':
      return `deprecated${event.successor === undefined ? '' : `, ${event.successor} follows`}`;
    case 'deployed':
      return deployed(event);
    case 'guarded':
      return `guarded on ${event.stage}: ${event.verdict.replace('-', ' ')}`;
    case 'reproduced':
      return `reproduced: ${event.verdict.replace('-', ' ')}${event.found?.length ? ` (${event.found.join('; ')})` : ''}`;
    case 'checked':
      return `checked by ${event.check}: exit code ${event.exit}${attached(event.attachments)}`;
  }
}

type Told<T extends RegistryEvent['type']> = Extract<RegistryEvent, { type: T }>;

function promoted({ from, stage, traffic, replaces = [] }: Told<'promoted'>): string {
  const origin = from === 'none' || from === stage ? '' : `from ${from} `;
  const share = traffic < 100 ? ` with ${traffic} % of the traffic` : '';
  return `promoted ${origin}to ${stage}${share}${replaces.length > 0 ? `, replacing ${replaces.join(', ')}` : ''}`;
}

function evaluated({ metrics, on }: Told<'evaluated'>): string {
  const figures = Object.entries(metrics).map(([name, { value }]) => `${name} ${value}`);
  return `evaluated${on === undefined ? '' : ` on ${on}`}: ${figures.join(', ')}`;
}

function deployed({ stage, target, note }: Told<'deployed'>): string {
  const where = [target, stage && `stage ${stage}`].filter(Boolean).join(', ');
  return `deployed${where === '' ? '' : ` to ${where}`}${note === undefined ? '' : `: ${note}`}`;
}

function attached(attachments: readonly Attachment[] = []): string {
  return attachments.length === 0 ? '' : `, with ${attachments.map(({ name }) => name).join(', ')}`;
}
