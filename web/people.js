// Who is here and who is typing.
//
// Bounds: the roster lists what the server lists (200 people, past which it only counts); a typist
// is believed for 6 s without being heard of again.

import { avatar, element } from './dom.js';

const rosterMax = 200;
const typingShownMs = 6_000;

export class People {
    #view; // {members, crowd, roomCount, rosterCount, badge, typing}
    #own = null; // own user id
    #members = null; // id → name, or null where there are too many to list
    #count = 0;
    #typists = new Map(); // id → {name, timer}

    constructor(view) {
        this.#view = view;
    }

    /** False in a crowd, where typing and read receipts are noise: neither sent nor shown. */
    get listed() {
        return this.#members !== null;
    }

    /** Everybody, after a (re)join. `members` is null where there are too many. */
    reset(own, members, count) {
        this.#own = own;
        this.#members = members && new Map(members.map((user) => [user.id, user.name]));
        this.#count = count;
        for (const id of [...this.#typists.keys()]) this.stoppedTyping(id);
        this.#show();
    }

    /** A `presence` push. */
    changed({ action, user, count }) {
        this.#count = count;
        if (action === 'count' && count > rosterMax) this.#members = null;
        if (user && action === 'join') this.#members?.set(user.id, user.name);
        if (user && action === 'leave') {
            this.#members?.delete(user.id);
            this.stoppedTyping(user.id);
        }
        this.#show();
    }

    /** A `typing` push. */
    typing({ user, active }) {
        if (user.id === this.#own) return;
        this.stoppedTyping(user.id);
        if (active && this.listed) {
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

    #show() {
        const { members, crowd, roomCount, rosterCount, badge } = this.#view;
        const number = this.#count.toLocaleString();
        roomCount.textContent = `${number} ${this.#count === 1 ? 'person' : 'people'} here`;
        rosterCount.textContent = number;
        badge.dataset.count = this.#count > 999 ? '999+' : String(this.#count);
        crowd.hidden = this.listed;
        const own = this.#own;
        const sorted = [...(this.#members ?? [])].sort(
            ([a, one], [b, other]) => (b === own) - (a === own) || one.localeCompare(other),
        );
        members.replaceChildren(
            ...sorted.map(([id, name]) => {
                const li = element(
                    'li',
                    { 'data-user': id },
                    avatar(name),
                    element('span', { class: 'who' }, name),
                );
                if (id === own) li.append(element('span', { class: 'you' }, 'you'));
                return li;
            }),
        );
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
