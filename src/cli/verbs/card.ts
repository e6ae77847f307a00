import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { MlvError } from '../../core/errors.js';
import { modelCard } from '../../registry/card.js';
import { resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { writeWholeFile } from '../../workspace/write-whole-file.js';
import { openRegistryHere } from '../open-registry.js';
import { escapeControls, quotePath } from '../render/quote.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** `mlv card`: see its declaration. Errors: those of resolveReference, `TARGET_EXISTS`, `FILE_SYSTEM`. */
export async function run(session: Session, { args: [reference = ''], options }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const view = await registry.viewOrFetch();
  const { model, version, view: then } = await resolveReference(view, reference, { viewAtTime: viewsInTime(registry) });
  const manifest = await then.manifest(version.model, version.version);
  const card = modelCard({ manifest, meta: model.meta, state: version });
  const name = versionName(version);
  const output = textOption(options.output);
  if (output === undefined) {
    return { text: [escapeControls(card, { keepNewlines: true }).trimEnd()], json: { name, card } };
  }
  writeWhole(resolve(session.cwd, output), { text: card, force: options.force === true });
  return { done: [`wrote the card of ${name} to ${quotePath(output)}`], json: { name, output } };
}

function writeWhole(path: string, { text, force }: { text: string; force: boolean }): void {
  if (!force && existsSync(path)) {
    throw new MlvError('TARGET_EXISTS', `'${path}' is there already`, {
      hint: '--force overwrites it',
      data: { path },
    });
  }
  writeWholeFile(path, text);
}
