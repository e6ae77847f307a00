import { encodeCanonicalYaml, type YamlValue } from '../core/canonical-yaml.js';
import { MlvError } from '../core/errors.js';
import type { Attachment, EventBase, EventType, GateResult, RegistryEvent } from './event.js';
import { modelOf, readFigures, versionOf } from './manifest-format.js';
import { isStageName } from './model-name.js';
import { type RegistryFile, readShape, type Shape } from './shape.js';
import { tryVersion } from './version-number.js';

/** Characters of an event's text. */
const EVENT_LIMIT = 1024 * 1024;

type Of<T extends EventType> = Extract<RegistryEvent, { type: T }>;
type Own<T extends EventType> = Omit<Of<T>, keyof EventBase | 'type'>;

/** How one type of event is written and read; the keys are written in this order. */
interface EventCodec {
  encode: (event: never) => Record<string, YamlValue>;
  decode: (shape: Shape) => object;
}

function codec<T extends EventType>(given: {
  encode: (event: Of<T>) => Record<string, YamlValue>;
  decode: (shape: Shape) => Own<T>;
}): EventCodec {
  return given as EventCodec;
}

const judged = codec<'approved' | 'rejected'>({
  encode: ({ stage, attachments }) => ({ stage, attachments: attachments?.map(attachment) }),
  decode: (shape) => ({ stage: stageOf(shape, 'stage'), ...readAttachments(shape) }),
});

const CODECS: Record<EventType, EventCodec> = {
  registered: codec<'registered'>({ encode: () => ({}), decode: () => ({}) }),
  promoted: codec<'promoted'>({
    encode: ({ stage, from, traffic, replaces, gates, override }) => ({
      ...{ stage, from, traffic, replaces, gates: gates?.map(gate), override },
    }),
    decode: (shape) => ({
      stage: stageOf(shape, 'stage'),
      from: stageOrNone(shape, 'from'),
      traffic: trafficOf(shape),
      ...shape.optional('replaces', (key) => versions(shape, key)),
      ...readGates(shape),
      ...(shape.has('override') && shape.flag('override') && { override: true as const }),
    }),
  }),
  demoted: codec<'demoted'>({
    encode: ({ stage, to }) => ({ stage, to }),
    decode: (shape) => ({ stage: stageOf(shape, 'stage'), to: stageOrNone(shape, 'to') }),
  }),
  archived: codec<'archived'>({ encode: () => ({}), decode: () => ({}) }),
  'rolled-back': codec<'rolled-back'>({
    encode: ({ stage, replaces, gates }) => ({ stage, replaces, gates: gates?.map(gate) }),
    decode: (shape) => ({
      stage: stageOf(shape, 'stage'),
      replaces: versions(shape, 'replaces'),
      ...readGates(shape),
    }),
  }),
  approved: judged,
  rejected: judged,
  evaluated: codec<'evaluated'>({
    encode: ({ on, on_oid, metrics }) => ({ on, on_oid, metrics: figures(metrics) }),
    decode: (shape) => ({
      metrics: readFigures(shape.map('metrics')),
      ...shape.optional('on', (key) => shape.text(key)),
      ...shape.optional('on_oid', (key) => shape.oid(key)),
    }),
  }),
  deprecated: codec<'deprecated'>({
    encode: ({ successor }) => ({ successor }),
    decode: (shape) => shape.optional('successor', (key) => shape.text(key)),
  }),
  deployed: codec<'deployed'>({
    encode: ({ stage, target, note }) => ({ stage, target, note }),
    decode: (shape) => ({
      ...shape.optional('stage', (key) => stageOf(shape, key)),
      ...shape.optional('target', (key) => shape.text(key)),
      ...shape.optional('note', (key) => shape.prose(key)),
    }),
  }),
  guarded: codec<'guarded'>({
    encode: ({ stage, verdict, signals }) => ({ stage, verdict, signals: signals.map(gate) }),
    decode: (shape) => ({
      stage: stageOf(shape, 'stage'),
      verdict: shape.choice('verdict', ['healthy', 'version-fault', 'data-fault', 'unclear']),
      signals: shape.maps('signals').map(readGate),
    }),
  }),
  reproduced: codec<'reproduced'>({
    encode: ({ verdict, found }) => ({ verdict, found }),
    decode: (shape) => ({
      verdict: shape.choice('verdict', ['bit-identical', 'equivalent', 'different']),
      ...shape.optional('found', (key) => shape.texts(key)),
    }),
  }),
  checked: codec<'checked'>({
    encode: ({ check, command, exit, attachments }) => ({
      ...{ check, command, exit, attachments: attachments?.map(attachment) },
    }),
    decode: (shape) => ({
      check: shape.text('check'),
      command: shape.prose('command'),
      exit: shape.count('exit'),
      ...readAttachments(shape),
    }),
  }),
};

/** The bytes of an event's file: the same content always gives the same bytes. */
export function encodeEvent(event: RegistryEvent): string {
  const { type, model, version, manifest, by, at, reason, ticket } = event;
  const own = CODECS[type].encode(event as never);
  return encodeCanonicalYaml({ mlv: 1, type, model, version, manifest, by, at, reason, ticket, ...own });
}

/**
 * Reads an event's text. Keys that this mlv does not know are passed over (an event's file is never rewritten), but a
 * type of event that it does not know is not: it could change what is true. Errors: `REGISTRY_INVALID`,
 * `FORMAT_TOO_NEW`.
 */
export function parseEvent(text: string, file: Omit<RegistryFile, 'kind'>): RegistryEvent {
  const shape = readShape(text, { kind: 'an event', ...file }, EVENT_LIMIT);
  const type = shape.text('type');
  if (!Object.hasOwn(CODECS, type)) {
    throw new MlvError(
      'FORMAT_TOO_NEW',
      `'${file.path}' is an event of the type '${type}', which this mlv does not know`,
      {
        hint: 'install a newer mlv',
        data: { path: file.path, type },
      },
    );
  }
  const base: EventBase = {
    mlv: 1,
    model: modelOf(shape),
    version: versionOf(shape, 'version'),
    manifest: shape.digest('manifest'),
    by: shape.text('by'),
    at: shape.time('at'),
    ...shape.optional('reason', (key) => shape.prose(key)),
    ...shape.optional('ticket', (key) => shape.text(key)),
  };
  return { type, ...base, ...CODECS[type as EventType].decode(shape) } as RegistryEvent;
}

function gate({ gate: name, rule, passed, found }: GateResult): Record<string, YamlValue> {
  return { gate: name, rule, passed, found };
}

function attachment({ name, oid, sha256, size }: Attachment): Record<string, YamlValue> {
  return { name, oid, sha256, size };
}

function figures(metrics: Record<string, { value: number; better?: 'higher' | 'lower' }>): Record<string, YamlValue> {
  const names = Object.keys(metrics).sort((left, right) => (left < right ? -1 : 1));
  return Object.fromEntries(
    names.map((name) => [name, { value: metrics[name]?.value, better: metrics[name]?.better }]),
  );
}

function stageOf(shape: Shape, key: string): string {
  const stage = shape.text(key);
  return isStageName(stage) ? stage : shape.fail(`'${stage}' cannot be the name of a stage`);
}

function stageOrNone(shape: Shape, key: string): string {
  return shape.any(key) === 'none' ? 'none' : stageOf(shape, key);
}

function trafficOf(shape: Shape): number {
  const traffic = shape.number('traffic');
  return traffic > 0 && traffic <= 100 ? traffic : shape.wrong('traffic', 'a share in percent, above 0 and up to 100');
}

function versions(shape: Shape, key: string): string[] {
  const found = shape.texts(key);
  const bad = found.find((version) => tryVersion(version) === undefined);
  return bad === undefined ? found : shape.fail(`'${bad}' is not a version`);
}

function readGates(shape: Shape): { gates?: GateResult[] } {
  return shape.optional('gates', (key) => shape.maps(key).map(readGate));
}

function readGate(shape: Shape): GateResult {
  return {
    gate: shape.text('gate'),
    rule: shape.prose('rule'),
    passed: shape.flag('passed'),
    found: shape.prose('found'),
  };
}

function readAttachments(shape: Shape): { attachments?: Attachment[] } {
  return shape.optional('attachments', (key) =>
    shape.maps(key).map((each) => ({
      name: each.text('name'),
      oid: each.oid('oid'),
      sha256: each.digest('sha256'),
      size: each.count('size'),
    })),
  );
}
