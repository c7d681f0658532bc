// Chat: one's session on the server, from coming in to leaving: the rooms one is in, which of them
// is shown, and what comes for each.

import { ParleyClient } from '../parley.js';
import { makeViews } from './chat_views.js';
import { sentence } from './dom.js';
import { browser } from './memory.js';
import { goAs, signOut } from './rest.js';
import { Rooms, roomsMax } from './rooms.js';
import { Stage } from './stage.js';

const historyPage = 50;
const ownIdsMax = 20;

export class Chat {
    #nodes;
    #url;
    #door; // {left(error, field), waiting(seconds)}
    #client = null;
    #rooms = new Rooms((user) => this.isMine(user));
    #inside = false;
    #session = null; // {name, room, signedIn}
    #ownIds = browser.get('ids', []);
    #stage;
    #views;

    constructor(nodes, { url, door }) {
        this.#nodes = nodes;
        this.#url = url;
        this.#door = door;
        this.#views = makeViews(nodes, this);
        this.#stage = new Stage(this.#views, this.#rooms, this);
    }

    // ---- coming in and leaving ---------------------------------------------------------------

    /** Comes in: {name, room, signedIn}; who is signed in is known by their cookie. */
    start(session) {
        this.#client?.close();
        this.#session = session;
        this.#rooms.clear();
        this.#stage.clear();
        this.#rooms.recall();
        const { name, room, signedIn } = session;
        this.#client = new ParleyClient({ url: this.#url, name: signedIn ? undefined : name });
        const mine = this.#client; // a client that was replaced is no longer listened to
        for (const [event, handler] of Object.entries(this.#handlers())) {
            this.#client.on(event, (detail) => this.#client === mine && handler(detail));
        }
        // A refusal arrives as an event too, for the rejoining after a reconnect.
        this.#client.join(room, { history: historyPage }).catch(() => {});
        this.#client.connect();
    }

    #handlers() {
        const of = (act) => (push) => {
            const room = this.#rooms.get(push.room);
            if (room) act(room, push);
        };
        const { conversation, people } = this.#views;
        return {
            state: (detail) => this.#stateChanged(detail),
            welcome: (welcome) => this.#welcomed(welcome),
            joined: (detail) => this.#joined(detail),
            message: of((room, message) => this.#received(room, message)),
            presence: of((room, push) => {
                room.presence(push);
                if (room !== this.room) return;
                people.refresh();
                if (push.action === 'leave' && push.user) {
                    people.stoppedTyping(push.user.id);
                    conversation.stream.forgetReader(push.user.id);
                }
            }),
            typing: of((room, push) => room === this.room && people.typing(push)),
            read: of((room, push) => this.#wasRead(room, push)),
            gap: of((room, gap) => {
                room.skipped();
                if (room === this.room) conversation.gap(gap);
            }),
            role: of((room, push) => this.#roleChanged(room, push)),
            left: of((room) => (room.joined = false)),
            removed: (push) => this.#removed(push),
            delayed: (detail) => {
                const room = this.#rooms.get(detail.room);
                if (room) conversation.delayed(room, detail);
            },
            refused: (detail) => this.#refused(detail),
            error: (error) => this.#views.composer.note(sentence(error.message)),
        };
    }

    get inside() {
        return this.#inside;
    }

    get limits() {
        return this.#client?.welcome?.limits ?? {};
    }

    get #features() {
        return this.#client?.welcome?.features ?? [];
    }

    isMine(user) {
        // Guests stay themselves over reloads; an account is nobody else, whoever sat here before.
        if (user.id === this.#client?.user?.id) return true;
        return !this.#session?.signedIn && this.#ownIds.includes(user.id);
    }

    #welcomed({ user, signed_in: signedIn = false }) {
        this.#session.signedIn = signedIn;
        goAs(signedIn ? null : user.name);
        if (!signedIn) {
            const others = this.#ownIds.filter((id) => id !== user.id);
            this.#ownIds = [user.id, ...others].slice(0, ownIdsMax);
            browser.set('ids', this.#ownIds);
        }
        const hasAccounts = this.#features.includes('accounts');
        this.#views.account.show({ user, signedIn, hasAccounts });
    }

    #enter() {
        this.#inside = true;
        this.#door.entered(this.#session);
        this.#nodes.chat.hidden = false;
        this.#nodes['search-open'].hidden = !this.#features.includes('search');
    }

    /** Out, on one's own. */
    async leave() {
        const { signedIn } = this.#session;
        const client = this.#client;
        for (const [, room] of this.#rooms) if (room.name) client.leave(room.name);
        this.#client = null; // before the server says that it is over
        client.close();
        Rooms.forget();
        let trouble = '';
        if (signedIn)
            await signOut().catch(({ message }) => (trouble = `still signed in: ${message}`));
        this.stop(trouble);
    }

    stop(error = '', field = 'name') {
        const leaving = this.#client;
        this.#client = null;
        leaving?.close();
        this.#inside = false;
        this.#views.connection.stop();
        this.#stage.clear();
        this.#nodes.chat.hidden = true;
        this.#door.left(error, field);
    }

    #stateChanged(detail) {
        const waiting = (seconds) => this.#inside || this.#door.waiting(seconds);
        this.#views.connection.show(detail, waiting);
        const { state, error, reason, code } = detail;
        if (state === 'online') this.#online();
        if (state !== 'closed') return;
        const why = error?.message || reason || 'the server ended the connection';
        if (!this.#inside) this.stop(why);
        else if (code === 4001) this.stop('you were signed out');
    }

    // ---- rooms -------------------------------------------------------------------------------

    // What else one is in: as the server has it, or as this browser remembers it.
    async #online() {
        const client = this.#client;
        try {
            const isGuest = !client.welcome?.signed_in;
            this.#rooms.listed((await client.rooms()).rooms, { isGuest });
        } catch (error) {
            if (error.code === 'disconnected') return;
            this.#rooms.listed(null);
        }
        if (this.#client !== client) return;
        for (const room of this.#rooms.wanted(this.limits.rooms ?? roomsMax)) this.join(room);
        this.#stage.showRooms();
        this.#stage.describe();
    }

    join(room) {
        room.joining = true;
        this.#client
            .join(room.name, { history: historyPage })
            .catch(() => {}) // told as `refused`
            .finally(() => (room.joining = false));
    }

    #joined(detail) {
        const room = this.#rooms.ensure(detail.room, detail.direct);
        room.entered(detail);
        for (const message of detail.messages) this.#rooms.spoke(room, message);
        const aside = this.room && room !== this.room;
        if (detail.first) this.#rooms.countUnread(room, detail);
        if (aside && !detail.first) {
            for (const message of detail.messages) this.#rooms.count(room, message);
        }
        if (!this.#inside) this.#enter();
        this.#stage.joined(room, detail);
        this.#rooms.remember();
        this.#stage.showRooms();
    }

    leaveRoom(room) {
        this.#rooms.delete(room);
        if (room.name) this.#client.leave(room.name);
        this.#stage.gone(room);
    }

    #refused({ room: name, error }) {
        const room = this.#rooms.get(name);
        if (room) this.#rooms.delete(room);
        if (!this.#inside) return this.stop(error.message, 'room');
        this.#views.composer.note(sentence(error.message));
        if (room) this.#stage.gone(room);
    }

    #removed({ room: name, action, by, reason }) {
        const room = this.#rooms.get(name);
        if (!room) return;
        this.#rooms.delete(room);
        const what = action === 'ban' ? 'banned from' : 'removed from';
        const whom = by ? ` by ${by.name}` : '';
        const text = `you were ${what} #${name}${whom}${reason ? `: ${reason}` : ''}`;
        this.#stage.gone(room);
        if (this.#inside) this.#views.composer.note(sentence(text));
        else this.#door.left(text, 'room');
    }

    // ---- what comes --------------------------------------------------------------------------

    #received(room, message) {
        room.heard(message);
        this.#rooms.spoke(room, message);
        const isShown = room === this.room;
        this.#counted(room, message);
        if (isShown) {
            this.#views.conversation.received(message);
            this.#views.people.stoppedTyping(message.from.id);
            if (message.event === 'topic') this.#views.bar.show(room);
        }
        this.#stage.showRooms();
    }

    #counted(room, message) {
        if (room !== this.room || !this.#views.conversation.isRead)
            this.#rooms.count(room, message);
    }

    #wasRead(room, { user, offset }) {
        if (user.id === this.#client.user?.id) {
            // By another page of one's own.
            room.read = Math.max(room.read, offset);
            if (room !== this.room && offset >= (room.newest?.offset ?? 0)) room.unread = 0;
            return this.#stage.showRooms();
        }
        if (!room.listed || !room.readBy(user, offset)) return;
        if (room === this.room) this.#views.conversation.receipt(user, offset);
    }

    #roleChanged(room, { user, role, until }) {
        if (user.id === this.#client.user?.id) room.until = role === 'muted' ? until : null;
        if (room === this.room) this.#stage.describe();
        else room.may = null;
    }

    // ---- what the views ask for --------------------------------------------------------------

    get client() {
        return this.#client;
    }

    get rooms() {
        return this.#rooms;
    }

    get room() {
        return this.#stage.room;
    }

    get describes() {
        return this.#stage.describes;
    }

    changed() {
        this.#stage.showRooms();
    }

    /** Asks anew what one may do; shows why something was refused. */
    describe(refused) {
        return this.#stage.describe(refused);
    }

    openRoom(name) {
        this.#stage.open(name);
    }

    openDirect(user) {
        this.#stage.openDirect(user);
    }

    typing(active) {
        if (!this.room?.name || !this.room.listed || !this.#client) return false;
        this.#client.typing(this.room.name, active);
        return true;
    }

    signIn() {
        this.stop();
    }

    // ---- the page's own life -----------------------------------------------------------------

    lookedAt() {
        if (!this.#inside) return;
        this.#views.conversation.lookedAt();
        this.#stage.showRooms();
        this.#client.probe(); // a computer that slept may not know yet that its connection is gone
    }

    hashChanged(name) {
        if (this.#inside && name && name !== this.room?.name) this.openRoom(name);
    }

    /** Says goodbye, so that the others see one leave at once. */
    away() {
        if (this.#inside) this.#client.close();
    }

    back() {
        if (this.#inside) this.#client.connect();
    }

    networkChanged(online) {
        if (!this.#client) return;
        if (!online) this.#client.probe();
        else if (this.#client.state === 'offline') this.#client.connect();
    }
}
