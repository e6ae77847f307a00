import { isMap } from 'yaml';
import { parseYamlDocument } from '../core/read-yaml.js';
import { formatPointer, type Pointer } from '../workspace/pointer-format.js';
import { type PointerSource, withSource } from '../workspace/pointer-source.js';

/** Optional keys that a pointer of another tool becomes with. */
export interface PointerNotes {
  desc?: string;
  labels?: readonly string[];
  /** Where imported content came from. */
  source?: Omit<PointerSource, 'oid'>;
}

/** The text of a new pointer with what another tool said beside. */
export function pointerText(pointer: Pointer, { source, ...notes }: PointerNotes = {}): string {
  const text = withNotes(formatPointer(pointer), notes);
  return source ? withSource(text, { ...source, oid: pointer.oid }) : text;
}

function withNotes(text: string, notes: Omit<PointerNotes, 'source'>): string {
  const said = Object.entries(notes).filter(([, value]) => value !== undefined);
  if (said.length === 0) return text;
  const document = parseYamlDocument(text, { schema: 'core' });
  if (!isMap(document.contents)) return text;
  for (const [key, value] of said) document.set(key, document.createNode(value));
  return document.toString({ lineWidth: 0 });
}
