// JoinedRooms: the rooms that a client is in, or wants to be in, and how far it has heard them.
//
// Each message is told once and in order; what is missing is told as a `gap`.

import { ParleyError, limits, parseCursor } from './values.js';

export class JoinedRooms {
    #env; // {clock}
    #call; // (frame, done(error, reply))
    #connection; // () → what changes with every connection; null: none
    #emit; // (event, detail)
    #left; // (room, error): what waits for it is in vain
    #entries = new Map(); // name → {options, cursor, joined, aside, resolve, reject}

    constructor({ env, call, connection, emit, left }) {
        this.#env = env;
        this.#call = call;
        this.#connection = connection;
        this.#emit = emit;
        this.#left = left;
    }

    get size() {
        return this.#entries.size;
    }

    isJoined(room) {
        return this.#entries.get(room)?.joined ?? false;
    }

    /** The newest publication that was heard, or null. */
    cursor(room) {
        return this.#entries.get(room)?.cursor ?? null;
    }

    add(room, options, since) {
        this.#entries
            .get(room)
            ?.reject(new ParleyError({ code: 'conflict', message: 'joined again' }));
        return new Promise((resolve, reject) => {
            const cursor = parseCursor(since);
            const entry = { options, cursor, joined: false, resolve, reject };
            this.#entries.set(room, entry);
            if (this.#connection()) this.#join(room, entry, () => {});
        });
    }

    /** Joins all of them on a new connection; `done` once each has been answered for good. */
    joinAll(done) {
        const wanted = [...this.#entries].filter(([, entry]) => !entry.aside);
        let open = wanted.length;
        if (open === 0) return done();
        const settled = () => --open === 0 && done();
        for (const [room, entry] of wanted) this.#join(room, entry, settled);
    }

    connectionLost() {
        for (const entry of this.#entries.values()) entry.joined = false;
    }

    /** Left for newer conversations, unasked: not joined until somebody says something there. */
    leftUnasked({ room }) {
        const entry = this.#entries.get(room);
        if (!entry?.joined) return;
        Object.assign(entry, { joined: false, aside: true });
        this.#emit('left', { room });
    }

    /** Joins such a room again, from where it was heard last. */
    comeBack(room) {
        const entry = this.#entries.get(room);
        if (!entry?.aside || !this.#connection()) return;
        entry.aside = false;
        this.#join(room, entry, () => {});
    }

    rejectAll(error) {
        for (const entry of this.#entries.values()) entry.reject(error);
    }

    drop(room, error) {
        const entry = this.#entries.get(room);
        if (!entry) return;
        this.#entries.delete(room);
        entry.reject(error);
        this.#left(room, error);
    }

    #join(room, entry, settled) {
        const since = entry.cursor?.text;
        const history = since ? limits.history : entry.options.history;
        const frame = { type: 'join', room, since, history, presence: entry.options.presence };
        const connection = this.#connection();
        const current = () =>
            this.#connection() === connection && this.#entries.get(room) === entry;
        this.#call(frame, (error, reply) => {
            if (error?.code === 'disconnected') return;
            if (!current()) return settled();
            if (error?.temporary) {
                const again = () => (current() ? this.#join(room, entry, settled) : settled());
                return void this.#env.clock.setTimeout(again, error.retryAfterMs ?? 1000);
            }
            if (error) {
                this.drop(room, error);
                this.#emit('refused', { room, error });
            } else if (!entry.joined) {
                this.#joined(entry, reply);
            }
            settled();
        });
    }

    /** Joined without being asked: somebody began a conversation of two. */
    pushed(reply) {
        let entry = this.#entries.get(reply.room);
        if (entry?.joined) return;
        if (!entry) {
            const options = { history: 50, presence: true };
            entry = { options, cursor: null, joined: false, resolve() {}, reject() {} };
            this.#entries.set(reply.room, entry);
        }
        this.#joined(entry, reply);
    }

    // Tells what the listener lacks: all of it at first, else what followed the cursor; `missed`
    // are offsets that the server no longer has, `restarted` means that old offsets are void.
    #joined(entry, reply) {
        const last = entry.cursor;
        const now = parseCursor(reply.cursor);
        const same = last !== null && now.epoch === last.epoch;
        const history = reply.history ?? [];
        const messages = history.filter((message) => !same || message.offset > last.offset);
        let missed = null;
        if (same && !reply.recovered) {
            const to = (messages[0]?.offset ?? now.offset + 1) - 1;
            if (to > last.offset) missed = { from: last.offset + 1, to };
        }
        const newest = messages.length ? parseCursor(messages.at(-1).cursor) : last;
        entry.cursor = reply.recovered && same ? newest : now;
        Object.assign(entry, { joined: true, aside: false });
        const detail = {
            room: reply.room,
            messages,
            missed,
            cursor: reply.cursor,
            epoch: now.epoch,
            first: last === null,
            restarted: last !== null && !same,
            members: reply.members ?? null,
            count: reply.count ?? 0,
            topic: reply.topic ?? '',
            direct: reply.direct ?? null,
            read: reply.read ?? null,
        };
        this.#emit('joined', detail);
        entry.resolve(detail);
    }

    message(message) {
        const entry = this.#entries.get(message.room);
        if (!entry?.joined) return;
        const cursor = parseCursor(message.cursor);
        const last = entry.cursor;
        if (last && cursor.epoch === last.epoch) {
            if (cursor.offset <= last.offset) return;
            if (cursor.offset > last.offset + 1) {
                const [from, to] = [last.offset + 1, cursor.offset - 1];
                this.#emit('gap', { room: message.room, from, to, epoch: last.epoch });
            }
        }
        entry.cursor = cursor;
        this.#emit('message', message);
    }

    gap(gap) {
        const entry = this.#entries.get(gap.room);
        const cursor = parseCursor(gap.cursor);
        if (!entry?.joined || !cursor) return;
        entry.cursor = cursor;
        this.#emit('gap', { room: gap.room, from: gap.from, to: gap.to, epoch: cursor.epoch });
    }
}
