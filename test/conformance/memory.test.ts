import { MemoryRemote } from '../../src/remotes/memory.js';
import { remoteConformance } from './remote.js';

remoteConformance('the memory remote', { open: async () => new MemoryRemote(), honoursIfAbsent: true });
