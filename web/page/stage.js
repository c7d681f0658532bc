// Stage: which room is shown, and everything that shows it.

import { browser } from './memory.js';
import { sentence } from './dom.js';
import { sayRefusal } from './moderation.js';
import { readMarks } from './rest.js';
import { isDirectName } from './room_state.js';

export class Stage {
    /** The room that is shown; null before the first and after the last. */
    room = null;
    /** Whether the server says what one may do in a room. */
    describes = true;
    #views;
    #rooms;
    #host; // {client, limits, join(room), stop(error, field)}
    #wanted = null; // the room to be shown once it is joined

    constructor(views, rooms, host) {
        this.#views = views;
        this.#rooms = rooms;
        this.#host = host;
    }

    clear() {
        this.room = null;
        this.describes = true;
        this.#wanted = null;
        const { drawers, uploads, search, conversation } = this.#views;
        drawers.close();
        uploads.stop();
        search.close();
        conversation.show(null, null);
        document.title = 'Parley';
    }

    /** Shows a room, joining it where one is not in it. */
    open(name) {
        const room = this.#rooms.get(name);
        this.#views.drawers.close();
        if (room?.joined || name[0] === '@') return this.show(room);
        this.#wanted = this.#rooms.ensure(name);
        if (!this.#wanted.joining) this.#host.join(this.#wanted);
    }

    openDirect(user) {
        const room = this.#rooms.ensureDirect(user);
        if (room.name && !room.joined) this.open(room.name);
        else this.show(room);
    }

    /** A room was joined, first or again. */
    joined(room, detail) {
        const { conversation, people } = this.#views;
        if (room === this.#wanted || !this.room) return this.show(room);
        if (room !== this.room) return;
        if (detail.first) conversation.show(room, this.#host.client);
        else conversation.rejoined(detail);
        people.show(room, this.#host.client.user.id);
        this.#name(room);
        this.describe();
    }

    show(room) {
        const { conversation, composer, people, drawers, search, bar } = this.#views;
        const { client } = this.#host;
        if (this.room && this.room !== room) this.room.draft = composer.draft;
        this.#wanted = null;
        this.room = room;
        search.close();
        drawers.close();
        conversation.show(room, client);
        composer.prepare({ ...this.#mayCompose(room), draft: room.draft });
        people.show(room, client.user.id);
        bar.show(room);
        this.#name(room);
        this.showRooms();
        this.describe();
        composer.focus();
    }

    // Where the address and the next visit find it.
    #name({ name, direct }) {
        if (name) history.replaceState(null, '', `${location.pathname}#${name}`);
        if (name && !direct && !isDirectName(name)) browser.set('room', name);
    }

    #mayCompose(room) {
        const { client, limits } = this.#host;
        return {
            refusal: sayRefusal(room, client.user.id),
            files: Boolean(limits.file_bytes) && Boolean(room.name),
            textMax: limits.text_bytes,
            to: room.direct ? room.title : '',
        };
    }

    /** Asks what the room is and what one may do there; `refused`: why something was not done. */
    async describe(refused) {
        const { room } = this;
        const { client } = this.#host;
        const { bar, composer, people } = this.#views;
        if (refused?.message) composer.note(sentence(refused.message));
        if (!room?.name || !client) return;
        if (this.describes) {
            try {
                room.described(await client.room(room.name));
            } catch (error) {
                if (error.code === 'bad_request') this.describes = false;
            }
        }
        if (this.#host.client !== client || this.room !== room) return;
        bar.show(room);
        composer.allow(this.#mayCompose(room));
        people.refresh();
        this.#askReaders(room);
    }

    // Who has read how far, once a room.
    async #askReaders(room) {
        if (!this.#rooms.kept || room.readersAsked) return;
        room.readersAsked = true;
        const { read } = await readMarks(room.name).catch(() => ({ read: [] }));
        for (const { user, offset } of read) {
            if (user.id === this.#host.client?.user?.id || !room.readBy(user, offset)) continue;
            if (room === this.room) this.#views.conversation.receipt(user, offset);
        }
    }

    /** A room is no longer one's own: another is shown, or the door. */
    gone(room) {
        this.#rooms.remember();
        if (room !== this.room) return this.showRooms();
        const next = this.#rooms.other(room);
        if (next) this.show(next);
        else this.#host.stop();
    }

    showRooms() {
        if (!this.room) return;
        this.#views.list.show(this.#rooms, this.room);
        const { unread } = this.#rooms;
        const { direct, title } = this.room;
        document.title = `${unread ? `(${unread}) ` : ''}${direct ? '' : '#'}${title} · Parley`;
    }
}
