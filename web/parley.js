// ParleyClient: parley.v1 over WebSocket, without dependencies, for a browser or anything like one.
//
//   const client = new ParleyClient({ url: 'wss://host/ws', name: 'ann' });
//   client.on('message', (message) => ...);
//   client.connect();
//   await client.join('lobby');
//   const ack = await client.send('lobby', { text: 'hello' });
//
// Promises: messages of a room are emitted once each, in order; what is missing is emitted as a
// `gap`. A lost connection is made again with back-off and every room resumed from its cursor. A
// send is repeated under its key until it is acknowledged or refused, and so published once.
// Bounds: `limits.outbox` unacknowledged sends, then send() is refused at once.
//
// Events: state {state, attempt, retryAt?, code?, error?}, welcome, joined, message, gap, presence,
// typing, read, delayed {key, room, retryInMs, error}, refused {room, error}, drain, error.

const limits = {
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
function randomKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const systemClock = {
    now: () => Date.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
};

const disconnected = () =>
    new ParleyError({ code: 'disconnected', message: 'the connection was lost', temporary: true });

export class ParleyClient {
    #url;
    #name;
    #token;
    #env;
    #listeners = new Map();
    #socket = null;
    #state = 'idle';
    #attempt = 0;
    #wasOnline = false;
    #drainMs = null;
    #timers = { retry: null, stable: null, watch: null, open: null };
    #lastFrameAt = 0;
    #nextId = 1;
    #calls = new Map(); // id → {done, timer}
    #rooms = new Map(); // name → {options, cursor, joined, pausedUntil, resolve, reject}
    #outbox = new Map(); // key → {room, frame, sentAt, attempts, inFlight, resolve, reject}

    /** WebSocket, clock, random and newKey are arguments so that tests can hold time and luck. */
    constructor({
        url,
        name,
        token,
        WebSocket = globalThis.WebSocket,
        clock = systemClock,
        random = Math.random,
        newKey = randomKey,
    }) {
        this.#url = url;
        this.#name = name;
        this.#token = token;
        this.#env = { WebSocket, clock, random, newKey };
        this.user = null;
        this.welcome = null;
    }

    /** idle | connecting | online | offline (a retry is due) | closed (no retry will be made). */
    get state() {
        return this.#state;
    }

    /** Calls listener(detail) for every event of that name; returns what takes it off again. */
    on(event, listener) {
        if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
        this.#listeners.get(event).add(listener);
        return () => this.#listeners.get(event).delete(listener);
    }

    /** Starts connecting, or cuts a wait for the next attempt short. */
    connect() {
        if (this.#socket) return;
        this.#open();
    }

    /** Says goodbye. Whatever was not acknowledged is rejected. */
    close() {
        const socket = this.#socket;
        this.#detach();
        if (socket) socket.close(1000);
        this.#finish({ code: 1000 });
    }

    /** Asks for a sign of life; a connection that gives none is made again. */
    probe() {
        if (this.#state === 'online') this.#call({ type: 'ping' }, () => {}, limits.probeMs);
    }

    /** Joins, now or as soon as there is a connection, and again after every reconnect. */
    join(room, { history = 50, presence = true, since = null } = {}) {
        return new Promise((resolve, reject) => {
            const options = { history, presence };
            const cursor = parseCursor(since);
            const entry = { options, cursor, joined: false, pausedUntil: 0, resolve, reject };
            this.#rooms.set(room, entry);
            if (this.#socket && this.welcome) this.#joinNow(room, entry, () => {});
        });
    }

    leave(room) {
        this.#dropRoom(room, new ParleyError({ code: 'not_joined', message: 'the room was left' }));
        if (this.#state === 'online') this.#call({ type: 'leave', room }, () => {});
    }

    /**
     * Publishes {text} or {data} (and {event}); resolves with the ack. While offline it waits in
     * the outbox. Rejects with a ParleyError once refused for good.
     */
    send(room, body, { key = this.#env.newKey() } = {}) {
        if (this.#outbox.size >= limits.outbox) {
            const message = 'too many messages are waiting to be sent';
            return Promise.reject(
                new ParleyError({ code: 'unavailable', message, temporary: true }),
            );
        }
        return new Promise((resolve, reject) => {
            const frame = { type: 'send', room, ...body, key };
            this.#outbox.set(key, {
                room,
                frame,
                sentAt: null,
                attempts: 0,
                inFlight: false,
                resolve,
                reject,
            });
            this.#flush(room);
        });
    }

    /** Transient: dropped while offline, and a refusal is of no interest. */
    typing(room, active = true) {
        if (this.#rooms.get(room)?.joined) this.#call({ type: 'typing', room, active }, () => {});
    }

    /** Transient, as typing(). */
    read(room, offset) {
        if (this.#rooms.get(room)?.joined) this.#call({ type: 'read', room, offset }, () => {});
    }

    history(room, { before, since, limit = 50 } = {}) {
        return this.#ask({ type: 'history', room, before, since, limit });
    }

    members(room) {
        return this.#ask({ type: 'members', room });
    }

    // ---- the connection ----------------------------------------------------------------------

    #open() {
        this.#clearTimer('retry');
        this.#drainMs = null;
        const socket = new this.#env.WebSocket(this.#url, 'parley.v1');
        this.#socket = socket;
        socket.onopen = () => this.#greet();
        socket.onmessage = (event) => this.#receive(event.data);
        socket.onclose = (event) => this.#lost(event.code, event.reason);
        socket.onerror = () => {}; // a close always follows
        this.#timer('open', limits.replyMs, () => this.#drop());
        this.#setState('connecting');
    }

    #greet() {
        this.#clearTimer('open');
        const hello = { type: 'hello', name: this.#name, token: this.#token };
        this.#call(hello, (error, welcome) => {
            if (error) return this.#greetingRefused(error);
            this.user = welcome.user;
            this.welcome = welcome;
            this.#emit('welcome', welcome);
            this.#watch();
            const socket = this.#socket;
            let open = this.#rooms.size;
            const settled = () => --open <= 0 && this.#socket === socket && this.#online();
            if (open === 0) return this.#online();
            for (const [room, entry] of this.#rooms) this.#joinNow(room, entry, settled);
        });
    }

    #greetingRefused(error) {
        if (error.code === 'disconnected') return;
        // After a reconnect one's own old session may still hold the name for a while.
        if (error.temporary || (error.code === 'conflict' && this.#wasOnline)) {
            this.#drainMs = error.retryAfterMs;
            return this.#drop();
        }
        const socket = this.#socket;
        this.#detach();
        socket.close(1000);
        this.#finish({ error });
    }

    #online() {
        if (this.#state !== 'connecting') return;
        this.#wasOnline = true;
        this.#timer('stable', limits.stableMs, () => (this.#attempt = 0));
        this.#setState('online');
    }

    // A browser does not show the server's pings, so a silent connection is asked.
    #watch() {
        const { clock } = this.#env;
        const interval = this.welcome.heartbeat_ms || 25_000;
        this.#timer('watch', interval, () => {
            if (clock.now() - this.#lastFrameAt >= interval) this.probe();
            this.#watch();
        });
    }

    // Gives a dead connection up without waiting for its closing handshake.
    #drop() {
        const socket = this.#socket;
        if (!socket) return;
        socket.close();
        this.#lost(1006, '');
    }

    #lost(code, reason) {
        const { clock, random } = this.#env;
        this.#detach();
        if (!mayReconnect(code)) return this.#finish({ code, reason });
        let delay = this.#drainMs;
        if (delay === null) {
            const least = busyCloseCodes.includes(code) ? limits.backoffBusyMs : 0;
            delay = Math.max(least, backoffMs(this.#attempt, random));
        }
        this.#attempt += 1;
        this.#timer('retry', delay, () => this.#open());
        this.#setState('offline', { code, reason, retryAt: clock.now() + delay });
    }

    #detach() {
        const socket = this.#socket;
        this.#socket = null;
        this.welcome = null;
        for (const name of Object.keys(this.#timers)) this.#clearTimer(name);
        if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
        for (const room of this.#rooms.values()) room.joined = false;
        for (const entry of this.#outbox.values()) entry.inFlight = false;
        const calls = [...this.#calls.values()];
        this.#calls.clear();
        for (const call of calls) {
            this.#env.clock.clearTimeout(call.timer);
            call.done(disconnected());
        }
    }

    #finish({ code = null, reason = '', error = null }) {
        const why = error ?? new ParleyError({ code: 'closed', message: reason || 'closed' });
        this.#setState('closed', { code, reason, error });
        for (const entry of this.#outbox.values()) entry.reject(why);
        this.#outbox.clear();
        for (const entry of this.#rooms.values()) entry.reject(why);
    }

    // ---- frames ------------------------------------------------------------------------------

    // done(error, reply) runs before the next frame is looked at, so that a `joined` is applied
    // before the first message that follows it.
    #call(frame, done, timeoutMs = limits.replyMs) {
        if (!this.#socket) return done(disconnected());
        const id = this.#nextId++;
        const timer = this.#env.clock.setTimeout(() => this.#drop(), timeoutMs);
        this.#calls.set(id, { done, timer });
        this.#socket.send(JSON.stringify({ ...frame, id }));
    }

    #ask(frame) {
        return new Promise((resolve, reject) => {
            if (this.#state !== 'online') return reject(disconnected());
            this.#call(frame, (error, reply) => (error ? reject(error) : resolve(reply)));
        });
    }

    #receive(text) {
        this.#lastFrameAt = this.#env.clock.now();
        let frame;
        try {
            frame = JSON.parse(text);
        } catch {
            return; // not ours to judge: the next frame stands on its own
        }
        const call = this.#calls.get(frame.id);
        if (call) {
            this.#calls.delete(frame.id);
            this.#env.clock.clearTimeout(call.timer);
            if (frame.type === 'error') call.done(new ParleyError(frame));
            else call.done(null, frame);
            return;
        }
        if (frame.type === 'message') this.#message(frame);
        else if (frame.type === 'gap') this.#gap(frame);
        else if (frame.type === 'error') this.#emit('error', new ParleyError(frame));
        else if (['presence', 'typing', 'read'].includes(frame.type)) this.#emit(frame.type, frame);
        else if (frame.type === 'drain') {
            this.#drainMs = frame.retry_after_ms;
            this.#emit('drain', frame);
        }
    }

    #message(message) {
        const room = this.#rooms.get(message.room);
        if (!room?.joined) return;
        const cursor = parseCursor(message.cursor);
        const last = room.cursor;
        if (last && cursor.epoch === last.epoch) {
            if (cursor.offset <= last.offset) return;
            if (cursor.offset > last.offset + 1) {
                const [from, to] = [last.offset + 1, cursor.offset - 1];
                this.#emit('gap', { room: message.room, from, to, epoch: last.epoch });
            }
        }
        room.cursor = cursor;
        this.#emit('message', message);
    }

    #gap(gap) {
        const room = this.#rooms.get(gap.room);
        const cursor = parseCursor(gap.cursor);
        if (!room?.joined || !cursor) return;
        room.cursor = cursor;
        this.#emit('gap', { room: gap.room, from: gap.from, to: gap.to, epoch: cursor.epoch });
    }

    // ---- rooms -------------------------------------------------------------------------------

    #joinNow(room, entry, settled) {
        const since = entry.cursor?.text;
        const history = since ? limits.history : entry.options.history;
        const frame = { type: 'join', room, since, history, presence: entry.options.presence };
        const socket = this.#socket;
        const current = () => this.#socket === socket && this.#rooms.get(room) === entry;
        this.#call(frame, (error, joined) => {
            if (error?.code === 'disconnected') return;
            if (!current()) return settled();
            if (error?.temporary) {
                const again = () => (current() ? this.#joinNow(room, entry, settled) : settled());
                return void this.#env.clock.setTimeout(again, error.retryAfterMs ?? 1000);
            }
            if (error) {
                this.#dropRoom(room, error);
                this.#emit('refused', { room, error });
            } else {
                this.#joined(room, entry, joined);
            }
            settled();
        });
    }

    // Tells what the listener lacks: all of it at first, else what followed the cursor; `missed`
    // are offsets that the server no longer has, `restarted` means that old offsets are void.
    #joined(room, entry, reply) {
        const last = entry.cursor;
        const now = parseCursor(reply.cursor);
        const same = last !== null && now.epoch === last.epoch;
        const messages = reply.history.filter((message) => !same || message.offset > last.offset);
        let missed = null;
        if (same && !reply.recovered) {
            const to = (messages[0]?.offset ?? now.offset + 1) - 1;
            if (to > last.offset) missed = { from: last.offset + 1, to };
        }
        const newest = messages.length ? parseCursor(messages.at(-1).cursor) : last;
        entry.cursor = reply.recovered && same ? newest : now;
        entry.joined = true;
        const detail = {
            room,
            messages,
            missed,
            cursor: reply.cursor,
            epoch: now.epoch,
            first: last === null,
            restarted: last !== null && !same,
            members: reply.members ?? null,
            count: reply.count,
        };
        this.#emit('joined', detail);
        entry.resolve(detail);
        this.#flush(room);
    }

    #dropRoom(room, error) {
        const entry = this.#rooms.get(room);
        if (!entry) return;
        this.#rooms.delete(room);
        entry.reject(error);
        for (const [key, send] of this.#outbox) {
            if (send.room === room) this.#refuse(key, error);
        }
    }

    // ---- the outbox --------------------------------------------------------------------------

    #flush(room) {
        const { clock } = this.#env;
        const entry = this.#rooms.get(room);
        if (!this.#socket || !entry?.joined || clock.now() < entry.pausedUntil) return;
        for (const [key, send] of this.#outbox) {
            if (send.room !== room || send.inFlight) continue;
            if (send.sentAt !== null && clock.now() - send.sentAt > limits.keyLifeMs) {
                const message = 'offline for too long to know whether it was sent';
                this.#refuse(key, new ParleyError({ code: 'expired', message }));
                continue;
            }
            send.sentAt ??= clock.now();
            send.inFlight = true;
            this.#call(send.frame, (error, ack) => this.#answered(key, send, error, ack));
        }
    }

    #answered(key, send, error, ack) {
        if (!this.#outbox.has(key) || error?.code === 'disconnected') return;
        if (!error) {
            this.#outbox.delete(key);
            return send.resolve(ack);
        }
        send.inFlight = false;
        send.attempts += 1;
        if (!error.temporary || send.attempts >= limits.sendAttempts)
            return this.#refuse(key, error);
        const retryInMs = error.retryAfterMs ?? backoffMs(send.attempts, this.#env.random);
        const room = this.#rooms.get(send.room);
        if (room) room.pausedUntil = this.#env.clock.now() + retryInMs;
        this.#env.clock.setTimeout(() => this.#flush(send.room), retryInMs);
        this.#emit('delayed', { key, room: send.room, retryInMs, error });
    }

    #refuse(key, error) {
        const send = this.#outbox.get(key);
        this.#outbox.delete(key);
        send.reject(error);
    }

    // ---- odds --------------------------------------------------------------------------------

    #setState(state, detail = {}) {
        this.#state = state;
        this.#emit('state', { state, attempt: this.#attempt, ...detail });
    }

    #emit(event, detail) {
        for (const listener of this.#listeners.get(event) ?? []) listener(detail);
    }

    #timer(name, ms, run) {
        this.#clearTimer(name);
        this.#timers[name] = this.#env.clock.setTimeout(run, ms);
    }

    #clearTimer(name) {
        this.#env.clock.clearTimeout(this.#timers[name]);
        this.#timers[name] = null;
    }
}
