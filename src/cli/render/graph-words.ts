import { escapeControls } from './quote.js';

/** Text inside the quotes of a Mermaid node. */
export function forMermaid(text: string): string {
  return escapeControls(text).replace(/[&"<>#]/g, (character) => `#${character.charCodeAt(0)};`);
}

/** Text as a quoted word of Graphviz. */
export function forDot(text: string): string {
  return `"${escapeControls(text).replace(/["\\]/g, '\\$&')}"`;
}
