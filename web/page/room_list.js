// The list of rooms: those one is in, with what is unread and what was said last; then people.

import { avatar, element, shortTime } from './dom.js';
import { icon } from './icons.js';
import { fileOf } from './attachments.js';

const unreadShownMax = 99;

/** What a message says, on one line. */
export function summary(message) {
    if (!message) return '';
    if (message.deleted) return 'deleted';
    const file = fileOf(message);
    if (file) return file.name;
    return message.text ?? JSON.stringify(message.data);
}

export class RoomList {
    #view; // {rooms, directs, direct-title, badge}
    #isMine;

    constructor(view, { open, isMine }) {
        this.#view = view;
        this.#isMine = isMine;
        for (const list of [view.rooms, view.directs]) {
            list.addEventListener('click', (event) => {
                const button = event.target.closest('button');
                if (button) open(button.dataset.room);
            });
        }
    }

    /** rooms: Map of key → RoomState. */
    show(rooms, active) {
        const all = [...rooms];
        const time = (room) => Date.parse(room.last?.at ?? 0) || 0;
        const public_ = all
            .filter(([, room]) => !room.direct)
            .sort(([, one], [, other]) => one.title.localeCompare(other.title));
        const directs = all
            .filter(([, room]) => room.direct)
            .sort(([, one], [, other]) => time(other) - time(one));
        this.#fill(this.#view.rooms, public_, active);
        this.#fill(this.#view.directs, directs, active);
        this.#view.directTitle.hidden = directs.length === 0;
        const unread = all.reduce((sum, [, room]) => sum + (room === active ? 0 : room.unread), 0);
        this.#view.badge.dataset.count = unread ? shown(unread) : '';
        this.#view.badge.setAttribute(
            'aria-label',
            unread ? `Rooms, ${unread} unread messages` : 'Rooms',
        );
    }

    #fill(list, rooms, active) {
        const focused = list.contains(document.activeElement)
            ? document.activeElement.dataset.room
            : null;
        list.replaceChildren(...rooms.map(([key, room]) => this.#line(key, room, room === active)));
        if (focused) list.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
    }

    #line(key, room, isActive) {
        const { last } = room;
        const unread = isActive ? 0 : room.unread;
        const sign = room.direct
            ? avatar(room.title)
            : element(
                  'span',
                  { class: 'sign', 'aria-hidden': 'true' },
                  room.kind === 'private' || room.kind === 'members' ? icon('lock', 17) : '#',
              );
        const who = last && !room.direct && !last.deleted ? this.#author(last) : '';
        const button = element(
            'button',
            {
                type: 'button',
                class: unread ? 'room unread' : 'room',
                'data-room': key,
                'aria-current': isActive ? 'true' : null,
            },
            sign,
            element('span', { class: 'room-name' }, room.title),
            element(
                'time',
                { datetime: last?.at ?? null },
                last ? shortTime(new Date(last.at)) : '',
            ),
            element('span', { class: 'room-last' }, who, summary(last)),
        );
        if (unread) {
            button.append(
                element('span', { class: 'badge', 'aria-hidden': 'true' }, shown(unread)),
                element('span', { class: 'unseen' }, `, ${unread} unread`),
            );
        }
        return element('li', {}, button);
    }

    #author({ from }) {
        return this.#isMine(from) ? 'You: ' : `${from.name}: `;
    }
}

const shown = (unread) => (unread > unreadShownMax ? `${unreadShownMax}+` : String(unread));
