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
// send, an edit or a deletion is repeated under its key until it is acknowledged or refused, and so
// published once. A conversation that the server has left for newer ones is joined again by it.
// Bounds: `limits.outbox` unacknowledged ones, then they are refused at once.
//
// Events: state {state, attempt, retryAt?, code?, error?}, welcome, joined, left {room}, message,
// gap, presence, typing, read, role, removed, delayed {key, room, retryInMs, error},
// refused {room, error}, drain, error.

import { JoinedRooms } from './parley/joined_rooms.js';
import { Outbox } from './parley/outbox.js';
import {
    ParleyError,
    backoffMs,
    disconnected,
    leastWaitMs,
    limits,
    mayReconnect,
    randomKey,
    systemClock,
} from './parley/values.js';

export { ParleyError, backoffMs, mayReconnect, parseCursor } from './parley/values.js';

const relayed = ['presence', 'typing', 'read', 'role'];

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
    #rooms;
    #outbox;

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
        const call = (frame, done) => this.#call(frame, done);
        this.#outbox = new Outbox({
            env: this.#env,
            call,
            // What is said to a person needs no room.
            isOpen: (lane) =>
                lane.startsWith('@') ? this.welcome !== null : this.#rooms.isJoined(lane),
            closed: (lane) => this.#rooms.comeBack(lane),
            delayed: (detail) => this.#emit('delayed', detail),
        });
        this.#rooms = new JoinedRooms({
            env: this.#env,
            call,
            connection: () => (this.welcome ? this.#socket : null),
            emit: (event, detail) => {
                this.#emit(event, detail);
                if (event === 'joined') this.#outbox.flush(detail.room);
            },
            left: (room, error) => this.#outbox.refuseLane(room, error),
        });
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

    // ---- rooms -------------------------------------------------------------------------------

    /** Joins, now or as soon as there is a connection, and again after every reconnect. */
    join(room, { history = 50, presence = true, since = null } = {}) {
        return this.#rooms.add(room, { history, presence }, since);
    }

    leave(room) {
        this.#rooms.drop(
            room,
            new ParleyError({ code: 'not_joined', message: 'the room was left' }),
        );
        if (this.#state === 'online') this.#call({ type: 'leave', room }, () => {});
    }

    /** How far a room was heard: {epoch, offset, text}, or null. */
    cursor(room) {
        return this.#rooms.cursor(room);
    }

    /** Transient: dropped while offline, and a refusal is of no interest. */
    typing(room, active = true) {
        if (this.#rooms.isJoined(room)) this.#call({ type: 'typing', room, active }, () => {});
    }

    /** Transient, as typing(). */
    read(room, offset) {
        if (this.#rooms.isJoined(room)) this.#call({ type: 'read', room, offset }, () => {});
    }

    // ---- publishing --------------------------------------------------------------------------

    /**
     * Publishes {text} or {data} (and {event}); resolves with the ack. While offline it waits in
     * the outbox. Rejects with a ParleyError once refused for good.
     */
    send(room, body, { key = this.#env.newKey() } = {}) {
        return this.#outbox.add(room, { type: 'send', room, ...body, key });
    }

    /** Gives an earlier message another {text} or {data}; as send(). */
    edit(room, offset, body, { key = this.#env.newKey() } = {}) {
        return this.#outbox.add(room, { type: 'edit', room, offset, ...body, key });
    }

    /** Takes an earlier message back; as send(). */
    remove(room, offset, { key = this.#env.newKey(), reason } = {}) {
        return this.#outbox.add(room, { type: 'delete', room, offset, key, reason });
    }

    /** Says {text} or {data} to one user, by id or name; the ack names the room of the two. */
    direct(to, body, { key = this.#env.newKey() } = {}) {
        return this.#outbox.add(`@${to}`, { type: 'direct', to, ...body, key });
    }

    // ---- asking; refused while offline -------------------------------------------------------

    history(room, { before, since, limit = 50 } = {}) {
        return this.#ask({ type: 'history', room, before, since, limit });
    }

    members(room) {
        return this.#ask({ type: 'members', room });
    }

    /** The rooms that one has to do with, and what is unread in each. */
    rooms() {
        return this.#ask({ type: 'rooms' });
    }

    /** What kind of a room it is, and what one may do there. */
    room(room) {
        return this.#ask({ type: 'room', room });
    }

    /** role: owner, moderator, member, muted, banned or none; {for: '10m', reason}. */
    role(room, user, role, { for: time, reason } = {}) {
        return this.#ask({ type: 'role', room, user, role, for: time, reason });
    }

    kick(room, user, reason) {
        return this.#ask({ type: 'kick', room, user, reason });
    }

    topic(room, topic) {
        return this.#ask({ type: 'topic', room, topic });
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
            this.#rooms.joinAll(() => this.#socket === socket && this.#online());
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
        for (const lane of this.#outbox.lanes()) this.#outbox.flush(lane);
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
        const delay =
            this.#drainMs ?? Math.max(leastWaitMs(code), backoffMs(this.#attempt, random));
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
        this.#rooms.connectionLost();
        this.#outbox.connectionLost();
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
        this.#outbox.refuseAll(why);
        this.#rooms.rejectAll(why);
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
        if (frame.type === 'message') this.#rooms.message(frame);
        else if (frame.type === 'gap') this.#rooms.gap(frame);
        else if (frame.type === 'joined') this.#rooms.pushed(frame);
        else if (frame.type === 'left') this.#rooms.leftUnasked(frame);
        else if (frame.type === 'removed') this.#removed(frame);
        else if (frame.type === 'error') this.#emit('error', new ParleyError(frame));
        else if (relayed.includes(frame.type)) this.#emit(frame.type, frame);
        else if (frame.type === 'drain') {
            this.#drainMs = frame.retry_after_ms;
            this.#emit('drain', frame);
        }
    }

    // Kicked or banned: out of that room, and not to come back by itself.
    #removed(push) {
        const message = push.reason || 'you were removed from this room';
        this.#rooms.drop(push.room, new ParleyError({ code: 'forbidden', message }));
        this.#emit('removed', push);
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
