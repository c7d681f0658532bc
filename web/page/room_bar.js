// The bar above the messages: which room this is, what about, and what one may do with it.

import { avatar, element } from './dom.js';
import { icon } from './icons.js';
import { openMenu } from './menu.js';
import { askInvite, askStepDown, askTopic, showRoles } from './moderation.js';

const kinds = {
    members: ['lock', 'Members only'],
    private: ['lock', 'Private'],
    'read-only': ['speaker', 'Read only'],
};

export class RoomBar {
    #nodes; // {room-title, room-sign, room-kind, topic, room-menu}
    #ask; // {client(), leave(room), changed(error?), personMenu(user, anchor), isLast()}
    #room = null;

    constructor(nodes, ask) {
        this.#nodes = nodes;
        this.#ask = ask;
        nodes['room-menu'].addEventListener('click', () => {
            openMenu(nodes['room-menu'], this.#items(), {
                label: `Actions for ${this.#room.title}`,
            });
        });
        nodes.topic.addEventListener('click', () => {
            if (this.#room.allows('topic')) askTopic(ask.client(), this.#room);
        });
    }

    show(room) {
        this.#room = room;
        const { 'room-title': title, 'room-sign': sign, 'room-kind': kind, topic } = this.#nodes;
        title.textContent = room.title;
        title.classList.toggle('direct', Boolean(room.direct));
        sign.replaceChildren(...(room.direct ? [avatar(room.title)] : []));
        const [drawing, text] = kinds[room.kind] ?? [];
        kind.hidden = !text;
        kind.replaceChildren(...(text ? [icon(drawing, 15), element('span', {}, text)] : []));
        const settable = room.allows('topic') && !room.direct;
        topic.textContent = room.topic || (settable ? 'Set a topic' : '');
        topic.title = room.topic;
        topic.hidden = !topic.textContent;
        topic.disabled = !settable;
        topic.classList.toggle('empty', !room.topic);
    }

    #items() {
        const room = this.#room;
        const client = this.#ask.client();
        const { changed } = this.#ask;
        const items = [];
        if (!room.direct) {
            if (room.allows('topic')) {
                items.push({ label: 'Set the topic…', run: () => askTopic(client, room) });
            }
            if (room.allows('invite') && room.kind !== 'public') {
                items.push({
                    label: 'Invite someone…',
                    run: () => askInvite(client, room, changed),
                });
            }
            if (room.allows('moderate')) {
                const menu = (user, anchor) => this.#ask.personMenu(user, anchor);
                items.push({ label: 'Roles…', run: () => showRoles(room, menu) });
            }
            if (items.length) items.push(null);
        }
        if (room.role === 'moderator' || room.role === 'owner') {
            items.push({
                label: `Step down as ${room.role}…`,
                run: () => askStepDown(client, room, changed),
            });
        }
        const label = room.direct ? 'Close this conversation' : 'Leave this room';
        items.push({ label, run: () => this.#ask.leave(room) });
        return items;
    }
}
