import type { Row } from '../context.js';
import { hugeFile } from './huge-file.js';
import { largeFile } from './large-file.js';
import { million } from './million.js';
import { pushSmall } from './push-small.js';
import { registry } from './registry.js';
import { resume } from './resume.js';
import { smallFiles } from './small-files.js';
import { startup } from './startup.js';
import { traffic } from './traffic.js';

/** Every row, in the order in which they run. */
export const ROWS: readonly Row[] = [
  startup,
  largeFile,
  smallFiles,
  pushSmall,
  traffic,
  resume,
  registry,
  million,
  hugeFile,
];
