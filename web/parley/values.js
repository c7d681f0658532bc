// What the parts of the client share: its bounds, errors, cursors, back-off.

export const limits = {
    backoffFirstMs: 500,
    backoffMaxMs: 30_000,
    backoffBusyMs: 5_000, // the least wait after "overloaded" and "rate limited"
    stableMs: 5_000, // online for this long: the next loss starts again from the first back-off
    replyMs: 15_000, // no reply for this long: the connection is dead
    probeMs: 10_000,
    keyLifeMs: 270_000, // the server remembers a key for 5 minutes; stop short of that
    sendAttempts: 6,
    outbox: 100,
    history: 200,
};

const busyCloseCodes = [1013, 4129];

/** What the server refused, or why a call could not be finished. `temporary`: worth repeating. */
export class ParleyError extends Error {
    constructor({ code, message, temporary = false, retry_after_ms: retryAfterMs = null }) {
        super(message);
        this.name = 'ParleyError';
        this.code = code;
        this.temporary = temporary;
        this.retryAfterMs = retryAfterMs;
    }
}

/** Close codes 4000-4099 say that coming back would be refused again. */
export function mayReconnect(code) {
    return code < 4000 || code > 4099;
}

/** The least wait before coming back after that close code. */
export const leastWaitMs = (code) => (busyCloseCodes.includes(code) ? limits.backoffBusyMs : 0);

/** Milliseconds before attempt n (0, 1, 2 ...): doubling, of which between half and all. */
export function backoffMs(attempt, random) {
    const ceiling = Math.min(
        limits.backoffMaxMs,
        limits.backoffFirstMs * 2 ** Math.min(attempt, 16),
    );
    return Math.round(ceiling * (0.5 + random() / 2));
}

/** `epoch:offset` as its two halves, or null. */
export function parseCursor(text) {
    const match = /^([A-Za-z0-9]{1,8}):(\d{1,16})$/.exec(text ?? '');
    return match ? { epoch: match[1], offset: Number(match[2]), text } : null;
}

// Not crypto.randomUUID(): that exists in secure contexts alone, and chats run on plain LANs too.
export function randomKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const systemClock = {
    now: () => Date.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
};

export const disconnected = () =>
    new ParleyError({ code: 'disconnected', message: 'the connection was lost', temporary: true });
