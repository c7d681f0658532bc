// Receipts: under each message the names of those who have read just up to there.

import { element } from './dom.js';

const namesShown = 3;

export class Receipts {
    #itemAt; // offset → the li of the newest message up to it, or null
    #readers = new Map(); // user id → {name, offset}

    constructor(itemAt) {
        this.#itemAt = itemAt;
    }

    clear() {
        this.#readers.clear();
    }

    set(id, name, offset) {
        const before = this.#readers.get(id);
        this.#readers.set(id, { name, offset });
        if (before) this.#show(this.#itemAt(before.offset));
        this.#show(this.#itemAt(offset));
    }

    forget(id) {
        const before = this.#readers.get(id);
        this.#readers.delete(id);
        if (before) this.#show(this.#itemAt(before.offset));
    }

    /** Who speaks has read what came before; no tick is needed for that. */
    spoke(id, offset) {
        const before = this.#readers.get(id);
        if (before && before.offset < offset) this.forget(id);
    }

    /** Messages came or went: every tick where it belongs now. */
    refresh(list) {
        if (!this.#readers.size) return;
        for (const old of list.querySelectorAll('.seen')) old.remove();
        const items = new Set();
        for (const { offset } of this.#readers.values()) items.add(this.#itemAt(offset));
        for (const item of items) this.#show(item);
    }

    #show(item) {
        if (!item) return;
        item.querySelector('.seen')?.remove();
        const names = [];
        for (const [id, { name, offset }] of this.#readers) {
            if (id !== item.dataset.user && this.#itemAt(offset) === item) names.push(name);
        }
        if (!names.length) return;
        const shown = names.slice(0, namesShown).join(', ');
        const rest = names.length > namesShown ? ` +${names.length - namesShown}` : '';
        const label = `Read by ${names.join(', ')}`;
        item.append(
            element(
                'p',
                { class: 'seen', title: label },
                element('span', { 'aria-hidden': 'true' }, `✓ ${shown}${rest}`),
                element('span', { class: 'unseen' }, label),
            ),
        );
    }
}
