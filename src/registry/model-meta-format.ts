import { encodeCanonicalYaml, type YamlValue } from '../core/canonical-yaml.js';
import type { ModelMeta } from './registry.js';
import { type RegistryFile, readShape, type Shape } from './shape.js';

/** Characters of a model's `model.yaml`. */
export const META_LIMIT = 1024 * 1024;
const KEYS = ['mlv', 'description', 'owners', 'licence', 'card'];
/** Levels that the front matter of a card may nest. */
const CARD_DEPTH = 16;

/** The bytes of a `model.yaml`. Keys that this mlv does not know come last, as they are in `other`. */
export function encodeModelMeta(meta: ModelMeta): string {
  const { description, owners, licence, card, other } = meta;
  return encodeCanonicalYaml({ mlv: 1, description, owners, licence, card: card as YamlValue, ...(other as object) });
}

/** Reads a `model.yaml`. Keys that this mlv does not know are kept in `other`. Errors: `REGISTRY_INVALID`, `FORMAT_TOO_NEW`. */
export function parseModelMeta(text: string, file: Omit<RegistryFile, 'kind'>): ModelMeta {
  const shape = readShape(text, { kind: "a model's description", ...file }, META_LIMIT);
  const unknown = shape.keys().filter((key) => !KEYS.includes(key));
  return {
    mlv: 1,
    ...shape.optional('description', (key) => shape.prose(key)),
    ...shape.optional('owners', (key) => shape.texts(key)),
    ...shape.optional('licence', (key) => shape.text(key)),
    ...shape.optional('card', (key) => readCard(shape, key)),
    ...(unknown.length > 0 && { other: Object.fromEntries(unknown.map((key) => [key, plain(shape, key)])) }),
  };
}

function readCard(shape: Shape, key: string): Record<string, unknown> {
  shape.map(key);
  return plain(shape, key) as Record<string, unknown>;
}

function plain(shape: Shape, key: string): unknown {
  const value = shape.any(key);
  return isPlain(value, 0) ? value : shape.wrong(key, 'made of texts, numbers, lists and mappings');
}

function isPlain(value: unknown, depth: number): boolean {
  if (depth > CARD_DEPTH) return false;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => !isMappingIn(value, item) && isPlain(item, depth + 1));
  if (typeof value === 'object' && value !== null)
    return Object.values(value).every((item) => isPlain(item, depth + 1));
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** Lists of lists are written as JSON, which has no place for mappings. */
function isMappingIn(list: readonly unknown[], item: unknown): boolean {
  return typeof item === 'object' && item !== null && !Array.isArray(item) && list.some(Array.isArray);
}
