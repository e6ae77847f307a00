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
  const stands = new Map<string, Set<string>>();
  const told: HistoryEntry[] = [];
  for (const placed of events) {
    const { event } = placed;
    const before = stands.get(event.version) ?? new Set();
    const after = stagesAfter(event, before);
    stands.set(event.version, after);
    if (stage !== undefined && !concerns(event, stage) && before.has(stage) === after.has(stage)) continue;
    const gates = 'gates' in event ? (event.gates ?? []) : [];
    const override = event.type === 'promoted' && event.override === true;
    told.push({ ...placed, what: describeEvent(event), failed: gates.filter(({ passed }) => !passed), override });
  }
  return told;
}

function concerns(event: RegistryEvent, stage: string): boolean {
  if ('stage' in event && event.stage === stage) return true;
  if (event.type === 'promoted') return event.from === stage;
  return event.type === 'demoted' && event.to === stage;
}

/** Where a version stands after an event, as far as this event moves it by itself. */
function stagesAfter(event: RegistryEvent, before: ReadonlySet<string>): Set<string> {
  switch (event.type) {
    case 'promoted':
      return new Set([...[...before].filter((each) => each !== event.from), event.stage]);
    case 'demoted':
      return new Set([...[...before].filter((each) => each !== event.stage), event.to]);
    case 'archived':
      return new Set(['archived']);
    case 'rolled-back':
      return new Set([...before, event.stage]);
    default:
      return new Set(before);
  }
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
