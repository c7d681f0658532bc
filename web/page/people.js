// Who is in the room that is shown, and who is typing there.
//
// Bounds: the roster lists what the server lists; a typist is believed for 6 s without being heard
// of again.

import { avatar, element } from './dom.js';
import { icon } from './icons.js';

const typingShownMs = 6_000;
const marks = { owner: 'owner', moderator: 'mod', muted: 'muted' };

export class People {
    #view; // {members, crowd, roomCount, rosterTitle, rosterCount, badge, typing}
    #menu; // (user, anchor)
    #room = null;
    #own = null; // own user id
    #typists = new Map(); // id → {name, timer}

    constructor(view, menu) {
        this.#view = view;
        this.#menu = menu;
        view.members.addEventListener('click', (event) => {
            const button = event.target.closest('button');
            if (!button) return;
            const { user: id } = button.closest('li').dataset;
            menu({ id, name: this.#room.people.get(id) }, button);
        });
    }

    /** Another room, or the same with other people in it. */
    show(room, own) {
        if (room !== this.#room) for (const id of [...this.#typists.keys()]) this.stoppedTyping(id);
        this.#room = room;
        this.#own = own;
        this.refresh();
    }

    /** A `typing` push. */
    typing({ user, active }) {
        if (user.id === this.#own) return;
        this.stoppedTyping(user.id);
        if (active && this.#room.listed) {
            const timer = setTimeout(() => this.stoppedTyping(user.id), typingShownMs);
            this.#typists.set(user.id, { name: user.name, timer });
        }
        this.#showTypists();
    }

    stoppedTyping(id) {
        if (!this.#typists.has(id)) return;
        clearTimeout(this.#typists.get(id).timer);
        this.#typists.delete(id);
        this.#showTypists();
    }

    refresh() {
        const { members, crowd, roomCount, rosterTitle, rosterCount, badge } = this.#view;
        const { listed, direct, people } = this.#room;
        const count = direct ? people.size : this.#room.count;
        const number = count.toLocaleString();
        roomCount.textContent = direct
            ? 'Between the two of you'
            : `${number} ${count === 1 ? 'person' : 'people'} here`;
        rosterTitle.textContent = direct ? 'In this conversation' : 'Here now';
        rosterCount.textContent = direct ? '' : number;
        badge.dataset.count = direct ? '' : count > 999 ? '999+' : String(count);
        crowd.hidden = listed || count === 0;
        const own = this.#own;
        const sorted = [...people].sort(
            ([a, one], [b, other]) => (b === own) - (a === own) || one.localeCompare(other),
        );
        const focused = members.contains(document.activeElement)
            ? document.activeElement.closest('li').dataset.user
            : null;
        members.replaceChildren(...sorted.map(([id, name]) => this.#line(id, name)));
        if (focused) members.querySelector(`[data-user="${CSS.escape(focused)}"] button`)?.focus();
    }

    #line(id, name) {
        const who = [avatar(name), element('span', { class: 'who' }, name)];
        const role = this.#room.roles.get(id)?.role;
        if (marks[role])
            who.push(element('span', { class: 'mark', 'data-role': role }, marks[role]));
        if (id === this.#own) {
            who.push(element('span', { class: 'you' }, 'you'));
            return element('li', { 'data-user': id }, element('div', { class: 'person' }, ...who));
        }
        const attributes = {
            class: 'person',
            type: 'button',
            'aria-haspopup': 'menu',
            'aria-expanded': 'false',
        };
        const more = element('span', { class: 'hint', 'aria-hidden': 'true' }, icon('more', 16));
        const button = element('button', attributes, ...who, more);
        return element('li', { 'data-user': id }, button);
    }

    #showTypists() {
        const names = [...this.#typists.values()].map((typist) => typist.name);
        let text = '';
        if (names.length === 1) text = `${names[0]} is typing`;
        else if (names.length === 2) text = `${names[0]} and ${names[1]} are typing`;
        else if (names.length > 2) text = 'Several people are typing';
        const { typing } = this.#view;
        if (typing.textContent !== text) typing.textContent = text;
    }
}
