import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';

const CONNECT_TIMEOUT_MS = 10_000;
/** Longest silence of a socket while a request is under way. */
const SILENCE_TIMEOUT_MS = 60_000;
const DEFAULT_CONNECTIONS = 32;

/** Kept connections for http and https. */
export interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
  /** Closes every connection. */
  destroy(): void;
}

/**
 * Agents that keep connections, and end one (`ETIMEDOUT`) that does not come about in 10 s or is silent for 60 s.
 * @param connections at most to one host; 32 by default.
 */
export function patientAgents(connections = DEFAULT_CONNECTIONS): Agents {
  const options: AgentOptions = { keepAlive: true, maxSockets: connections, timeout: SILENCE_TIMEOUT_MS };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  for (const agent of [agents.http, agents.https]) {
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...args) => {
      const socket = create(...args);
      if (socket) limitSilence(socket as Socket);
      return socket;
    };
  }
  const destroy = (): void => {
    agents.http.destroy();
    agents.https.destroy();
  };
  return { ...agents, destroy };
}

function limitSilence(socket: Socket): void {
  const end = (): void => {
    socket.destroy(Object.assign(new Error('the server was silent for too long'), { code: 'ETIMEDOUT' }));
  };
  const timer = setTimeout(end, CONNECT_TIMEOUT_MS);
  const stop = (): void => clearTimeout(timer);
  socket.once('connect', stop);
  socket.once('close', stop);
  socket.on('timeout', end);
}
