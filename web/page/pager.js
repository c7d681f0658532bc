// Pager: where in the messages the reader is. It follows their end unless the reader scrolled away,
// asks for more at either edge, and holds what is in view still while that is put in.

import { count } from './dom.js';

const nearEndPx = 48;
const nearEdgePx = 300;
const quietMs = 500;

export class Pager {
    following = true;
    #view; // {scroll, list, latest}
    #ask; // {older(), newer(), latest(), caughtUp()}; the first two resolve once it is there
    #unseen = 0;
    #lastTop = 0;
    #loading = false;
    #quiet = null;

    constructor(view, ask) {
        this.#view = view;
        this.#ask = ask;
        view.scroll.addEventListener('scroll', () => this.#scrolled(), { passive: true });
        view.latest.addEventListener('click', () => ask.latest());
        const sizes = new ResizeObserver(() => this.following && this.#toEnd());
        sizes.observe(view.list);
        sizes.observe(view.scroll);
    }

    /** Goes to the newest message and stays with it. */
    follow() {
        this.following = true;
        this.#toEnd();
        this.#showLatest(0);
        this.#view.latest.hidden = true;
    }

    /** Stays where it is now, whatever comes; at the very end that is with the newest. */
    settle() {
        const { scroll, latest } = this.#view;
        const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
        this.following = below < nearEndPx && !this.#ask.detached();
        this.#lastTop = scroll.scrollTop;
        latest.hidden = this.following;
    }

    /** One more message that is not in view. */
    news() {
        this.#showLatest(this.#unseen + 1);
    }

    /** Runs a change without moving what is in view or having all of it read out. */
    keepingPlace(change) {
        const { scroll } = this.#view;
        this.hush();
        const anchor = this.#anchor();
        const place = anchor?.getBoundingClientRect().top;
        change();
        if (anchor?.isConnected) {
            scroll.scrollTop += anchor.getBoundingClientRect().top - place;
        }
        this.#lastTop = scroll.scrollTop;
    }

    /** What is put in now is not news. */
    hush() {
        const { scroll } = this.#view;
        clearTimeout(this.#quiet);
        scroll.setAttribute('aria-live', 'off');
        this.#quiet = setTimeout(() => scroll.setAttribute('aria-live', 'polite'), quietMs);
    }

    // The first words that are in view, at least in part.
    #anchor() {
        const { scroll, list } = this.#view;
        const top = scroll.getBoundingClientRect().top;
        for (const li of list.children) {
            const part = li.querySelector('.text') ?? li;
            if (part.getBoundingClientRect().bottom > top) return part;
        }
        return null;
    }

    #toEnd() {
        const { scroll } = this.#view;
        scroll.scrollTop = scroll.scrollHeight;
        this.#lastTop = scroll.scrollTop;
    }

    #scrolled() {
        const { scroll, latest } = this.#view;
        const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
        const was = this.following;
        const detached = this.#ask.detached();
        // Further from the end because more was added is not scrolling away; upwards is.
        if (below < nearEndPx && !detached) this.following = true;
        else if (scroll.scrollTop < this.#lastTop || detached) this.following = false;
        this.#lastTop = scroll.scrollTop;
        if (this.following && !was) this.#ask.caughtUp();
        if (this.following) this.#showLatest(0);
        const close = below < scroll.clientHeight / 2 && !detached;
        latest.hidden = this.following || (this.#unseen === 0 && close);
        if (scroll.scrollTop < nearEdgePx) this.#load(this.#ask.older);
        else if (detached && below < nearEdgePx) this.#load(this.#ask.newer);
    }

    async #load(more) {
        if (this.#loading) return;
        this.#loading = true;
        try {
            await more();
        } catch {
            // Offline: scrolling asks again.
        } finally {
            this.#loading = false;
        }
    }

    #showLatest(unseen) {
        this.#unseen = unseen;
        const { latest } = this.#view;
        latest.textContent = unseen ? `↓ ${count(unseen, 'new message')}` : '↓ Latest';
        latest.classList.toggle('news', unseen > 0);
        if (unseen) latest.hidden = false;
    }
}
