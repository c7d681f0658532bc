// Conversation: the room that is shown: its messages, what one says there, how far one has read.

import { randomKey } from '../parley/values.js';
import { sentence } from './dom.js';
import { changeOf, isChange } from './room_state.js';
import { MessageStream } from './stream.js';

const page = 50;
const around = 30;
const readDelayMs = 600;
const crowdReadDelayMs = 15_000;

export class Conversation {
    room = null;
    #client = null;
    #host; // {isMine(user), changed(room), menu(message, anchor)}
    #stream;
    #readTimer = null;
    #readSent = 0;
    #returning = null; // a pending jump or return is void once another begins

    constructor(view, host) {
        this.#host = host;
        this.#stream = new MessageStream(view, {
            isMine: (user) => host.isMine(user),
            me: () => this.#client.user,
            older: (before) => this.#client.history(this.room.name, { before, limit: page }),
            newer: (since) => this.#client.history(this.room.name, { since, limit: page }),
            between: (gap) => this.#between(gap),
            live: () => this.goLive(),
            caughtUp: () => this.#caughtUp(),
            caughtUpWithEnd: () => {
                for (const message of this.room.recent) this.#stream.add(message);
            },
            retry: (key) => this.#retry(key),
            discard: (key) => this.#discard(key),
            menu: (message, anchor) => host.menu(message, anchor),
        });
    }

    get stream() {
        return this.#stream;
    }

    // ---- showing -----------------------------------------------------------------------------

    /** Shows a room from its end; null: nothing. */
    show(room, client) {
        clearTimeout(this.#readTimer);
        this.#readTimer = null;
        this.#returning = null;
        this.#readSent = 0;
        this.#client = client;
        this.room = room;
        if (!room) return this.#stream.fill([]);
        const { unread, read } = room;
        this.goLive();
        if (unread > 0 && read > 0) this.#stream.markUnread(read);
        this.#markRead();
    }

    /** Back to the newest messages. */
    goLive() {
        this.#returning = null;
        const { room } = this;
        this.#stream.fill(room.recent, { older: !room.complete });
        for (const [key, { body, state, why }] of room.pending) {
            this.#stream.addPending(key, body);
            this.#stream.setPending(key, state, why);
        }
        for (const [id, { name, offset }] of room.readers) {
            if (id !== this.#client?.user?.id) this.#stream.receipt({ id, name }, offset);
        }
        if (!room.recent.length && !room.complete && room.joined) this.#loadNewest();
    }

    // Where nothing is held, as after a hole.
    async #loadNewest() {
        const { room } = this;
        try {
            const { messages, more } = await this.#client.history(room.name, { limit: page });
            const held = new Set(room.recent.map((message) => message.cursor));
            const missing = messages.filter((message) => !held.has(message.cursor));
            room.recent = [...missing, ...room.recent];
            room.complete = !more;
            if (this.room === room && (missing.length || !more)) this.goLive();
        } catch {
            // Offline or refused: what comes is shown.
        }
    }

    /** Shows a message of any age in its place. */
    async jump(message) {
        if (this.#stream.reveal(message.cursor)) return;
        const turn = (this.#returning = {});
        const { room } = this;
        const [epoch] = message.cursor.split(':');
        const cursor = (offset) => `${epoch}:${offset}`;
        const ask = (options) => this.#client.history(room.name, { limit: around, ...options });
        const [before, after] = await Promise.all([
            ask({ before: cursor(message.offset + 1) }),
            ask({ since: cursor(message.offset) }),
        ]);
        if (this.#returning !== turn || this.room !== room) return;
        const messages = [...before.messages, ...after.messages];
        this.#stream.fill(messages, { older: before.more, newer: after.more });
        this.#stream.reveal(message.cursor);
    }

    async #between({ from, to, epoch }) {
        const found = [];
        let since = `${epoch}:${from - 1}`;
        for (;;) {
            const part = await this.#client.history(this.room.name, { since, limit: 200 });
            const wanted = part.messages.filter((message) => message.offset <= to);
            found.push(...wanted);
            const past = wanted.length < part.messages.length;
            if (!part.more || past || !wanted.length) return found;
            since = wanted.at(-1).cursor;
        }
    }

    // ---- what comes --------------------------------------------------------------------------

    received(message) {
        const change = isChange(message) ? changeOf(message) : null;
        if (change) this.#stream.change(change);
        else this.#stream.add(message);
        this.#markRead();
    }

    rejoined({ missed, restarted, epoch, messages }) {
        if (missed) this.#stream.gap({ ...missed, epoch }, false);
        if (restarted) this.#stream.restarted();
        for (const message of messages) this.received(message);
        if (this.#stream.isEmpty && !this.room.complete) this.#loadNewest();
        this.#markRead();
    }

    gap(gap) {
        this.#stream.gap(gap, true);
    }

    receipt(user, offset) {
        this.#stream.receipt(user, offset);
    }

    /** True while what comes is seen at once. */
    get isRead() {
        return !document.hidden && this.#stream.following;
    }

    #caughtUp() {
        this.#markRead();
        this.#host.changed(this.room);
    }

    lookedAt() {
        this.#markRead();
    }

    // Says what was read, once a while, and only what was really in view.
    #markRead() {
        const { room } = this;
        if (!room || !this.isRead) return;
        const unread = room.unread;
        room.unread = 0;
        if (unread) this.#host.changed(room);
        if (this.#readTimer) return;
        const delay = room.listed ? readDelayMs : crowdReadDelayMs;
        this.#readTimer = setTimeout(() => {
            this.#readTimer = null;
            const newest = this.#client?.cursor(room.name)?.offset ?? 0;
            if (!this.isRead || this.room !== room || !newest || newest === this.#readSent) return;
            this.#readSent = newest;
            room.read = newest;
            this.#client.read(room.name, newest);
        }, delay);
    }

    // ---- what one says -----------------------------------------------------------------------

    /** Sends {text} or {data} to a room, the one that is shown or another. */
    post(body, room = this.room) {
        const key = randomKey();
        room.pending.set(key, { body, state: 'pending', why: '' });
        if (this.room === room) {
            if (this.#stream.detached) this.goLive();
            else this.#stream.addPending(key, body);
        }
        const sent = room.name
            ? this.#client.send(room.name, body, { key })
            : this.#client.direct(room.direct.id, body, { key });
        return sent.then(
            (ack) => this.#settled(room, key, ack),
            (error) =>
                this.#unsent(room, key, 'failed', `Not sent: ${error.message.replace(/\.$/, '')}.`),
        );
    }

    /** What waits longer than usual, wherever it was said. */
    delayed(room, { key, retryInMs, error }) {
        const why = error.code === 'rate_limited' ? 'Sending too fast.' : sentence(error.message);
        const again = `Trying again in ${Math.ceil(retryInMs / 1000)} s.`;
        this.#unsent(room, key, 'delayed', `${why} ${again}`);
    }

    #settled(room, key, ack) {
        room.pending.delete(key);
        if (this.room === room) this.#stream.settle(key, ack);
    }

    #unsent(room, key, state, why) {
        const entry = room.pending.get(key);
        if (!entry) return;
        Object.assign(entry, { state, why });
        if (this.room === room) this.#stream.setPending(key, state, why);
    }

    #discard(key) {
        this.room.pending.delete(key);
        this.#stream.dropPending(key);
    }

    #retry(key) {
        const { body } = this.room.pending.get(key);
        this.#discard(key);
        this.post(body);
    }

    /** The newest message of one's own that may be edited, or null. */
    lastOwn() {
        const { recent } = this.room;
        for (let at = recent.length - 1; at >= 0; --at) {
            const message = recent[at];
            const editable = message.text !== undefined && !message.event && !message.deleted;
            if (editable && message.from.id === this.#client.user?.id) return message;
        }
        return null;
    }

    edit(message, text) {
        return this.#client.edit(this.room.name, message.offset, { text });
    }

    remove(message, reason) {
        return this.#client.remove(this.room.name, message.offset, { reason });
    }
}
