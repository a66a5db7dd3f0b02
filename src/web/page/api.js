// Requests to the daemon, the errors they can end with, and its clock.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let offset = 0;

/** The daemon's idea of now in seconds: ages must not depend on how well this device's clock is set. */
export function serverNow() {
  return (Date.now() + offset) / 1000;
}

export function syncClock(iso) {
  if (iso) offset = Date.parse(iso) - Date.now();
}

const BUSY_PAUSE_MS = 1000;
const BUSY_TRIES = 20;

/** As fetch, but a daemon that is busy with other questions is asked again for a while. */
async function ask(path, signal) {
  for (let tries = 1; ; tries += 1) {
    const early = window.early?.[path]; // asked for by early.js
    if (early) delete window.early[path];
    const response = await (early ?? fetch(path, { signal, cache: 'no-store', credentials: 'same-origin' }));
    if (response.status !== 429 || tries === BUSY_TRIES) return response;
    await new Promise((good) => { setTimeout(good, BUSY_PAUSE_MS); });
    signal?.throwIfAborted();
  }
}

/** `accept` lists statuses other than 2xx whose body is an answer all the same. */
export async function getJson(path, { signal, accept = [] } = {}) {
  let response;
  try {
    response = await ask(path, signal);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The daemon cannot be reached.');
  }
  if (!response.ok && !accept.includes(response.status)) {
    let text = '';
    try { text = (await response.json()).error; } catch { /* the status has to do */ }
    throw new ApiError(response.status, text || `The daemon answered with status ${response.status}.`);
  }
  let body;
  try {
    body = await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The answer of the daemon broke off.');
  }
  syncClock(body.time);
  return body;
}

/** Whether the token is right; the browser keeps what it gets for it. */
export async function logIn(token) {
  try {
    const response = await fetch('/api/v1/session', { headers: { Authorization: `Bearer ${token}` }, cache: 'no-store' });
    return response.ok;
  } catch { // no header can hold it, or nobody answers: what follows will tell
    return false;
  }
}

export function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined)).toString();
}

export function explain(error) {
  if (error.status === 401) return 'This daemon wants the token of its configuration.';
  if (error.status === 0) return `${error.message} Trying again by itself.`;
  return error.message;
}
