// EntryList: list items in the order of (life of the numbering, offset), by cursor and offset.
//
// The first of a group of one speaker's shows who speaks; the first of a day, the day.

import { dayName, element } from './dom.js';

const groupGapMs = 5 * 60_000;

export class EntryList {
    /** Goes up when a room's numbering begins anew. */
    life = 0;
    #list;
    #entries = new WeakMap(); // li → {life, offset, kind, cursor?, group?, at?, message?}
    #byCursor = new Map(); // cursor → li
    #byOffset = new Map(); // offset in this life → li

    constructor(list) {
        this.#list = list;
    }

    get length() {
        return this.#list.childElementCount;
    }

    entry(li) {
        return this.#entries.get(li);
    }

    at(cursor) {
        return this.#byCursor.get(cursor) ?? null;
    }

    message(offset) {
        return this.#byOffset.get(offset) ?? null;
    }

    /** The newest message up to an offset of this life, or null. */
    upTo(offset) {
        const exact = this.message(offset);
        if (exact) return exact;
        let li = this.#list.lastElementChild;
        for (; li; li = li.previousElementSibling) {
            const entry = this.#entries.get(li);
            if (entry.kind !== 'message' || entry.offset > offset) continue;
            return entry.life === this.life ? li : null;
        }
        return null;
    }

    /** The first or last that has a cursor: its cursor, or null. */
    edge(which) {
        const [start, step] =
            which === 'first'
                ? ['firstElementChild', 'nextElementSibling']
                : ['lastElementChild', 'previousElementSibling'];
        let li = this.#list[start];
        while (li && !this.#entries.get(li).cursor) li = li[step];
        return li ? this.#entries.get(li).cursor : null;
    }

    clear() {
        this.#list.replaceChildren();
        this.#byCursor.clear();
        this.#byOffset.clear();
        this.life = 0;
    }

    newLife() {
        this.life += 1;
        this.#byOffset.clear();
    }

    /** Puts an entry in its place, most often the end, and sees to its neighbours' looks. */
    insert(li, entry) {
        const placed = { life: this.life, ...entry };
        this.#entries.set(li, placed);
        if (placed.cursor) this.#byCursor.set(placed.cursor, li);
        if (placed.kind === 'message') this.#byOffset.set(placed.offset, li);
        let after = this.#list.lastElementChild;
        while (after && precedes(placed, this.#entries.get(after))) {
            after = after.previousElementSibling;
        }
        if (after) after.after(li);
        else this.#list.prepend(li);
        this.#regroup(li);
        if (li.nextElementSibling) this.#regroup(li.nextElementSibling);
    }

    remove(li) {
        const next = li.nextElementSibling;
        const { cursor, offset } = this.#entries.get(li);
        if (cursor && this.#byCursor.get(cursor) === li) this.#byCursor.delete(cursor);
        if (this.#byOffset.get(offset) === li) this.#byOffset.delete(offset);
        li.remove();
        if (next) this.#regroup(next);
    }

    #regroup(li) {
        const entry = this.#entries.get(li);
        if (!entry.at) return;
        let before = li.previousElementSibling;
        const previous = before ? this.#entries.get(before) : null;
        while (before && !this.#entries.get(before).at) before = before.previousElementSibling;
        const dated = before ? this.#entries.get(before) : null;
        const newDay = !dated || dated.at.toDateString() !== entry.at.toDateString();
        const sameGroup =
            !newDay && previous.group === entry.group && entry.at - previous.at < groupGapMs;
        li.classList.toggle('first', !sameGroup);
        li.querySelector('.day')?.remove();
        if (newDay) {
            li.prepend(element('p', { class: 'day' }, element('span', {}, dayName(entry.at))));
        }
    }
}

function precedes(one, other) {
    return one.life < other.life || (one.life === other.life && one.offset < other.offset);
}
