// RoomState: what the page knows of one room, shown or not.
//
// Bounds: recentMax of its newest messages are held, so that a room opens at once; a roster as long
// as the server lists (200 people, past which it only counts).

import { parseCursor } from '../parley.js';

const recentMax = 100;
const rosterMax = 200;

/** What the server calls conversations of two: no name to come in by. */
export const isDirectName = (name) => name.startsWith('dm:');

export class RoomState {
    kind = 'public';
    topic = '';
    direct = null; // the other one, {id, name}, in a conversation of two
    joined = false;
    count = 0;
    members = null; // id → name, or null where there are too many to list
    recent = []; // the newest messages, without a hole
    complete = false; // nothing was said before them
    epoch = null;
    read = 0; // how far one has read
    unread = 0;
    pending = new Map(); // key → {text or data, state, why}
    readers = new Map(); // user id → {name, offset}
    may = null; // what one may do, a Set; null: the server does not say
    role = null;
    roles = new Map(); // user id → {name, role, until}, where one may know
    draft = '';

    constructor(name) {
        this.name = name;
    }

    /** The names of those who are here, by id; of two always the other, here or not. */
    get people() {
        if (!this.direct) return this.members ?? new Map();
        return new Map(this.members ?? []).set(this.direct.id, this.direct.name);
    }

    get title() {
        return this.direct?.name ?? this.name;
    }

    get newest() {
        return this.recent.at(-1) ?? null;
    }

    /** The newest message that says something, for a list of rooms. */
    get last() {
        for (let at = this.recent.length - 1; at >= 0; --at) {
            if (!this.recent[at].event) return this.recent[at];
        }
        return this.listedLast ?? null;
    }

    /** False in a crowd, where typing and receipts are noise: neither sent nor shown. */
    get listed() {
        return this.members !== null || this.direct !== null;
    }

    allows(act) {
        return this.may === null ? act === 'send' : this.may.has(act);
    }

    // ---- what the server says ----------------------------------------------------------------

    /** A `joined`, first or again. */
    entered(detail) {
        this.joined = true;
        this.topic = detail.topic || this.topic;
        this.direct = detail.direct ?? this.direct;
        if (this.direct) this.kind = 'direct';
        this.count = detail.count;
        this.members = detail.members && new Map(detail.members.map(({ id, name }) => [id, name]));
        if (detail.read != null) this.read = Math.max(this.read, detail.read);
        if (detail.first || detail.restarted || detail.missed) {
            this.recent = [];
            this.complete = !detail.missed && (detail.messages[0]?.offset ?? 1) === 1;
        }
        if (detail.restarted) {
            this.read = 0;
            this.readers.clear();
        }
        this.epoch = detail.epoch;
        for (const message of detail.messages) this.heard(message);
    }

    /** A `presence` push. */
    presence({ action, user, count }) {
        this.count = count;
        if (action === 'count' && count > rosterMax) this.members = null;
        if (user && action === 'join') this.members?.set(user.id, user.name);
        if (user && action === 'leave') {
            this.members?.delete(user.id);
            this.readers.delete(user.id);
        }
    }

    /** A message as it comes: kept, or applied to the one that it changes. */
    heard(message) {
        if (message.event === 'topic') this.topic = message.data?.topic ?? '';
        if (isChange(message)) return this.#change(changeOf(message));
        if (this.recent.some((each) => each.cursor === message.cursor)) return;
        this.recent.push(message);
        if (this.recent.length > recentMax) {
            this.recent.splice(0, this.recent.length - recentMax);
            this.complete = false;
        }
    }

    /** Messages were skipped: what is held would have a hole. */
    skipped() {
        this.recent = [];
        this.complete = false;
    }

    #change(change) {
        if (!change) return;
        const { offset, ...rest } = change;
        const at = this.recent.findIndex(
            (each) => each.offset === offset && parseCursor(each.cursor).epoch === this.epoch,
        );
        if (at >= 0) this.recent[at] = changedMessage(this.recent[at], rest);
    }

    /** The answer to `room`. */
    described({ kind, topic, role, may, roles }) {
        this.kind = this.direct ? 'direct' : (kind ?? this.kind);
        this.topic = topic ?? '';
        this.role = role && role !== 'none' ? role : null;
        this.may = new Set(may ?? []);
        this.roles = new Map(
            (roles ?? []).map(({ user, ...rest }) => [user.id, { name: user.name, ...rest }]),
        );
    }

    /** Its line of the answer to `rooms`. */
    listedAs({ kind, topic, direct, read, unread, last, unavailable }) {
        if (unavailable) return; // what is known of it holds
        if (direct) this.direct = direct;
        this.kind = this.direct ? 'direct' : (kind ?? this.kind);
        this.topic = topic ?? this.topic;
        this.read = Math.max(this.read, read ?? 0);
        if (!this.joined) this.unread = unread ?? this.unread;
        this.listedLast = last ?? null;
    }

    /** True where a receipt is news. */
    readBy(user, offset) {
        if ((this.readers.get(user.id)?.offset ?? 0) >= offset) return false;
        this.readers.set(user.id, { name: user.name, offset });
        return true;
    }
}

/** True for a publication that changes an earlier one, and says nothing itself. */
export const isChange = ({ event }) => event === 'edit' || event === 'delete';

/** What it changes: {offset, text|data|deleted, at}; null where its words are gone meanwhile. */
export function changeOf({ event, data, at }) {
    const offset = data?.offset;
    if (event === 'delete') return { offset, deleted: true, at };
    if (data?.text === undefined && data?.data === undefined) return null;
    return { offset, text: data.text, data: data.data, at };
}

/** A message as it is after a change. */
export function changedMessage(message, { text, data, deleted, at }) {
    const { text: before, data: dataBefore, ...rest } = message;
    if (deleted || message.deleted) return { ...rest, deleted: message.deleted ?? at };
    return text === undefined ? { ...rest, data, edited: at } : { ...rest, text, edited: at };
}
