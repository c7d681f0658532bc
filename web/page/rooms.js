// Rooms: all rooms one is in, shown or not: what is unread in each, what this browser remembers.
//
// Bounds: roomsMax of them are joined and remembered.

import { browser } from './memory.js';
import { RoomState, isChange, isDirectName } from './room_state.js';

export const roomsMax = 30;

export class Rooms {
    /** Whether the server lists one's rooms, and keeps how far one has read. */
    kept = false;
    #rooms = new Map(); // name, or `@id` of who was not written to yet → RoomState
    #isMine;

    constructor(isMine) {
        this.#isMine = isMine;
    }

    get(name) {
        return this.#rooms.get(name);
    }

    has(name) {
        return this.#rooms.has(name);
    }

    [Symbol.iterator]() {
        return this.#rooms[Symbol.iterator]();
    }

    get unread() {
        return [...this.#rooms.values()].reduce((sum, room) => sum + room.unread, 0);
    }

    clear() {
        this.#rooms.clear();
        this.kept = false;
    }

    /** The room of that name, made where there is none; `direct`: whom one shares it with. */
    ensure(name, direct = null) {
        const draftKey = direct && `@${direct.id}`;
        const draft = this.#rooms.get(draftKey);
        const room = this.#rooms.get(name) ?? draft ?? new RoomState(name);
        if (room === draft) this.#rooms.delete(draftKey); // begun before it had a name
        room.name = name;
        this.#rooms.set(name, room);
        if (direct || isDirectName(name)) this.#pair(room, direct);
        return room;
    }

    // The server names the other once they have said something; this browser may know them before.
    #pair(room, direct) {
        const known = browser.get('directs', {});
        const other = direct ?? room.direct ?? known[room.name] ?? { id: '', name: 'Somebody' };
        Object.assign(room, { direct: other, kind: 'direct' });
        if (!other.id || known[room.name]?.name === other.name) return;
        const all = Object.entries({ ...known, [room.name]: other });
        browser.set('directs', Object.fromEntries(all.slice(-roomsMax)));
    }

    /** Whoever speaks in a conversation of two is the other. */
    spoke(room, { from }) {
        if (room.direct && !room.direct.id && !this.#isMine(from)) this.#pair(room, from);
    }

    /** The conversation with somebody; without a name before the first word. */
    ensureDirect(user) {
        const known = [...this.#rooms.values()].find((room) => room.direct?.id === user.id);
        if (known) return known;
        const room = new RoomState('');
        Object.assign(room, { direct: user, kind: 'direct', complete: true });
        this.#rooms.set(`@${user.id}`, room);
        return room;
    }

    delete(room) {
        this.#rooms.delete(room.name || `@${room.direct.id}`);
    }

    /** Another room that can be shown, or undefined. */
    other(room) {
        return [...this.#rooms.values()].find((each) => each !== room && each.joined);
    }

    /**
     * The answer to `rooms`, or null where the server has none. A guest's name is anybody's: of what
     * is listed for it only the rooms that this browser knows are theirs.
     */
    listed(list, { isGuest = false } = {}) {
        this.kept = list !== null;
        for (const each of list ?? []) {
            if (isGuest && !this.#rooms.has(each.room)) continue;
            this.ensure(each.room, each.direct).listedAs(each);
        }
    }

    /** Names that are to be joined. */
    wanted(most) {
        return [...this.#rooms.values()]
            .filter((room) => room.name)
            .slice(0, Math.min(roomsMax, most))
            .filter((room) => !room.joined && !room.joining);
    }

    // ---- unread ------------------------------------------------------------------------------

    /** A room was joined for the first time: what came after one's own mark. */
    countUnread(room, { read, messages }) {
        if (read == null) return;
        const later = messages.filter((each) => each.offset > read && this.#counts(each)).length;
        // One's own are not news; where not all of them are here the server's count has to do.
        const all = !messages.length || messages[0].offset <= read + 1;
        room.unread = all ? later : Math.max(later, room.unread);
    }

    /** A message that nobody looks at. */
    count(room, message) {
        if (this.#counts(message)) room.unread += 1;
    }

    #counts(message) {
        return !isChange(message) && message.event !== 'topic' && !this.#isMine(message.from);
    }

    // ---- remembering -------------------------------------------------------------------------

    remember() {
        const names = [...this.#rooms].filter(([, room]) => room.name && !room.direct);
        browser.set('rooms', names.map(([name]) => name).slice(-roomsMax));
    }

    recall() {
        for (const name of browser.get('rooms', [])) this.ensure(name);
    }

    static forget() {
        browser.set('rooms', null);
        browser.set('directs', null);
    }
}
