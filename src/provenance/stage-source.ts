import { type Annotation, annotationProblem, isFactName } from '../workspace/annotation.js';
import { isSpdxLicence } from './licence.js';

const LISTS: Record<string, 'urls' | 'filters'> = { url: 'urls', urls: 'urls', filter: 'filters', filters: 'filters' };
const TEXTS: Record<string, 'from' | 'to' | 'licence' | 'procedure'> = {
  from: 'from',
  to: 'to',
  licence: 'licence',
  license: 'licence',
  procedure: 'procedure',
};

/**
 * What the `source` of a stage says of the data that the stage makes, for the pointers of its outputs: a URL, or a mapping.
 * Names that mlv does not know become facts where their value is plain; what is nested stays in the record of the run
 * alone. `fail` is called with what is wrong.
 */
export function annotationOfSource(source: unknown, fail: (reason: string) => never): Annotation {
  const annotation: Annotation = {};
  const entries = typeof source === 'string' ? [['url', source] as const] : Object.entries(source as object);
  for (const [key, value] of entries) {
    const list = Object.hasOwn(LISTS, key) ? LISTS[key] : undefined;
    const text = Object.hasOwn(TEXTS, key) ? TEXTS[key] : undefined;
    if (list)
      annotation[list] = [
        ...(annotation[list] ?? []),
        ...textsOf(value, () => fail(`'source.${key}' must be text, or a list of texts`)),
      ];
    else if (text) [annotation[text]] = textsOf(value, () => fail(`'source.${key}' must be text`)) as [string];
    else if (isPlain(value) && isFactName(key)) annotation.facts = { ...annotation.facts, [key]: String(value) };
  }
  const problem = annotationProblem(annotation);
  if (problem !== undefined) fail(`'source': ${problem}`);
  const { licence } = annotation;
  if (licence !== undefined && !isSpdxLicence(licence)) fail(`'source.licence': ${notSpdx(licence)}`);
  return annotation;
}

/** The sentence for a licence that is no SPDX expression: why it is refused, and what to write. */
export function notSpdx(licence: string): string {
  return `'${licence}' is no SPDX licence, such as CC-BY-4.0 or ODbL-1.0; one that has no name there is LicenseRef-<name>`;
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function textsOf(value: unknown, fail: () => never): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every(isPlain) ? list.map(String) : fail();
}
