// The stream of messages: an ordered list that follows its end unless the reader scrolled away.
//
// It shows what it is given and asks back through the callbacks of its constructor; it knows no
// connection. Entries are ordered by (life of the numbering, offset), so that a page of history may
// be put in wherever it belongs. All text goes in as text nodes.
// Bounds: entries_max list items; past it the oldest go and are loaded again on scrolling back.

import { avatar, clockTime, count, dayName, element, fullTime, hue, linkified } from './dom.js';

const entriesMax = 1000;
const entriesKept = 800;
const groupGapMs = 5 * 60_000;
const nearEndPx = 48;
const nearStartPx = 300;
const namesShown = 3;

export class MessageStream {
    #view; // {scroll, list, latest, beginning}
    #ask; // {isMine(user), older(cursor), fill({from, to, epoch}), retry(key, text), caughtUp()}
    #entries = new WeakMap(); // li → {life, offset, kind, group, at, ...}
    #byCursor = new Map(); // cursor → li
    #byOffset = new Map(); // offset in this life → li
    #pending = new Map(); // key → li
    #receipts = new Map(); // user id → {name, offset}
    #life = 0;
    #more = false;
    #loading = false;
    #unseen = 0;
    #following = true;
    #lastTop = 0;

    constructor(view, ask) {
        this.#view = view;
        this.#ask = ask;
        view.scroll.addEventListener('scroll', () => this.#scrolled(), { passive: true });
        view.latest.addEventListener('click', () => this.follow());
        const sizes = new ResizeObserver(() => this.#following && this.#toEnd());
        sizes.observe(view.list);
        sizes.observe(view.scroll);
    }

    /** True while the newest message is in view. */
    get following() {
        return this.#following;
    }

    /** The newest offset of this life of the numbering, 0 when there is none. */
    get newest() {
        for (let li = this.#view.list.lastElementChild; li; li = li.previousElementSibling) {
            const entry = this.#entries.get(li);
            if (entry.kind === 'message') return entry.life === this.#life ? entry.offset : 0;
        }
        return 0;
    }

    clear() {
        this.#view.list.replaceChildren();
        this.#byCursor.clear();
        this.#byOffset.clear();
        this.#pending.clear();
        this.#receipts.clear();
        this.#life = 0;
        this.follow();
        this.#setMore(false);
    }

    /** The first page of a room. `full`: there may be older messages. */
    fill(messages, full) {
        for (const message of messages) this.add(message, { quiet: true });
        this.#setMore(full);
        this.follow();
    }

    /** Shows a message where it belongs; nothing when it is shown already. */
    add(message, { quiet = false } = {}) {
        if (this.#byCursor.has(message.cursor)) return;
        const mine = this.#ask.isMine(message.from);
        if (mine) this.#takePending(message);
        const li = this.#messageItem(message, mine);
        this.#entries.set(li, {
            kind: 'message',
            life: this.#life,
            offset: message.offset,
            cursor: message.cursor,
            group: mine ? '@me' : message.from.id,
            author: message.from.id,
            at: new Date(message.at),
        });
        this.#byCursor.set(message.cursor, li);
        this.#byOffset.set(message.offset, li);
        this.#insert(li);
        this.#readByAuthor(message);
        if (!this.#more) this.#setMore(false);
        if (!quiet && !mine && !this.#following) this.#showLatest(this.#unseen + 1);
        if (mine && !quiet) this.follow();
        this.#trim();
    }

    /** Own text that has no offset yet; it stays last until its message comes. */
    addPending(key, text) {
        const li = element('li', { class: 'message own', 'data-state': 'pending' });
        this.#fillItem(li, { name: 'You', body: linkified(text), at: new Date() });
        this.#entries.set(li, {
            kind: 'pending',
            life: Infinity,
            offset: 0,
            group: '@me',
            at: new Date(),
            text,
        });
        this.#pending.set(key, li);
        this.#insert(li);
        this.follow();
    }

    /** pending | delayed | failed; the last one offers to try again. */
    setPending(key, state, why = '') {
        const li = this.#pending.get(key);
        if (!li) return;
        li.dataset.state = state;
        li.querySelector('.trouble')?.remove();
        if (!why) return;
        const trouble = element('p', { class: 'trouble' }, element('span', {}, why));
        if (state === 'failed') {
            const retry = () => this.#ask.retry(key, this.#entries.get(li).text);
            const discard = () => this.dropPending(key);
            trouble.append(element('button', { type: 'button', onclick: retry }, 'Try again'));
            trouble.append(element('button', { type: 'button', onclick: discard }, 'Discard'));
        }
        li.append(trouble);
    }

    /** The server has it: the message itself is on its way, or was here before its ack. */
    settle(key, ack) {
        const li = this.#pending.get(key);
        if (!li) return;
        if (this.#byCursor.has(ack.cursor)) return this.dropPending(key);
        this.setPending(key, 'sent');
        this.#entries.get(li).cursor = ack.cursor;
    }

    dropPending(key) {
        const li = this.#pending.get(key);
        this.#pending.delete(key);
        if (li) this.#remove(li);
    }

    /** Messages from..to are missing; `loadable`: the server may still have them. */
    gap({ from, to, epoch }, loadable) {
        const missing = count(to - from + 1, 'message');
        const text = loadable ? `${missing} skipped.` : `${missing} missed; no longer kept.`;
        const li = element(
            'li',
            { class: 'notice', 'data-gap': `${from}-${to}` },
            element('span', {}, text),
        );
        if (loadable) {
            const show = () => this.#fillGap(li, { from, to, epoch });
            li.append(element('button', { type: 'button', onclick: show }, 'Show'));
        }
        this.#entries.set(li, { kind: 'notice', life: this.#life, offset: from });
        this.#insert(li);
    }

    /** The room's numbering began anew: what is shown stays, what follows is counted afresh. */
    restarted() {
        this.#life += 1;
        this.#byOffset.clear();
        this.#receipts.clear();
        for (const [key, li] of this.#pending) {
            if (li.dataset.state === 'sent') this.dropPending(key);
        }
        const text = 'The server restarted. Messages above this line are no longer kept there.';
        const li = element('li', { class: 'notice' }, element('span', {}, text));
        this.#entries.set(li, { kind: 'notice', life: this.#life, offset: 0 });
        this.#insert(li);
        this.#setMore(false);
    }

    /** Someone has read up to an offset. */
    receipt(user, offset) {
        const before = this.#receipts.get(user.id);
        if (before && before.offset >= offset) return;
        this.#receipts.set(user.id, { name: user.name, offset });
        if (before) this.#showReceipts(before.offset);
        this.#showReceipts(offset);
    }

    forgetReader(id) {
        const before = this.#receipts.get(id);
        this.#receipts.delete(id);
        if (before) this.#showReceipts(before.offset);
    }

    /** Goes to the newest message and stays with it. */
    follow() {
        this.#following = true;
        this.#toEnd();
        this.#showLatest(0);
        this.#view.latest.hidden = true;
    }

    // ---- items -------------------------------------------------------------------------------

    #messageItem(message, mine) {
        const li = element('li', {
            class: mine ? 'message own' : 'message',
            'data-offset': message.offset,
            'data-cursor': message.cursor,
            'data-user': message.from.id,
        });
        const isText = message.text !== undefined;
        const body = isText
            ? linkified(message.text)
            : [element('code', {}, JSON.stringify(message.data))];
        if (message.event) body.unshift(element('span', { class: 'event' }, message.event), ' ');
        const name = mine ? 'You' : message.from.name;
        this.#fillItem(li, { name, body, at: new Date(message.at) });
        return li;
    }

    #fillItem(li, { name, body, at }) {
        const time = element(
            'time',
            { datetime: at.toISOString(), title: fullTime(at) },
            clockTime(at),
        );
        const bubble = element(
            'div',
            { class: 'bubble' },
            element('span', { class: 'sender', 'data-hue': hue(name) }, name),
            element('span', { class: 'text', dir: 'auto' }, ...body),
            element('span', { class: 'meta' }, time),
        );
        li.append(element('div', { class: 'row' }, avatar(name), bubble));
    }

    // Puts an entry in its place, most often the end, and sees to its neighbours' looks.
    #insert(li) {
        const { list } = this.#view;
        const entry = this.#entries.get(li);
        let after = list.lastElementChild;
        while (after && this.#precedes(entry, this.#entries.get(after))) {
            after = after.previousElementSibling;
        }
        if (after) after.after(li);
        else list.prepend(li);
        this.#regroup(li);
        if (li.nextElementSibling) this.#regroup(li.nextElementSibling);
    }

    #precedes(one, other) {
        return one.life < other.life || (one.life === other.life && one.offset < other.offset);
    }

    #remove(li) {
        const next = li.nextElementSibling;
        const entry = this.#entries.get(li);
        if (entry.kind === 'message') {
            this.#byCursor.delete(entry.cursor);
            if (this.#byOffset.get(entry.offset) === li) this.#byOffset.delete(entry.offset);
        }
        li.remove();
        if (next) this.#regroup(next);
    }

    // The first of a group shows who speaks; the first of a day, the day.
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

    // Own messages come back without their key: the oldest pending one of that text is it, until
    // the ack says otherwise.
    #takePending(message) {
        for (const [key, li] of this.#pending) {
            const entry = this.#entries.get(li);
            const match = entry.cursor
                ? entry.cursor === message.cursor
                : li.dataset.state !== 'failed' && entry.text === message.text;
            if (match) return this.dropPending(key);
        }
    }

    #trim() {
        const { list } = this.#view;
        if (!this.#following || list.childElementCount <= entriesMax) return;
        while (list.childElementCount > entriesKept) this.#remove(list.firstElementChild);
        this.#setMore(true);
    }

    // ---- receipts ----------------------------------------------------------------------------

    // Who speaks has read what came before; no tick is needed for that.
    #readByAuthor(message) {
        const receipt = this.#receipts.get(message.from.id);
        if (receipt && receipt.offset < message.offset) this.forgetReader(message.from.id);
        if (this.#receipts.size) this.#showReceipts(message.offset);
    }

    #showReceipts(offset) {
        const item = this.#byOffset.get(offset);
        if (!item) return;
        item.querySelector('.seen')?.remove();
        const { author } = this.#entries.get(item);
        const names = [];
        for (const [id, receipt] of this.#receipts) {
            if (receipt.offset === offset && id !== author) names.push(receipt.name);
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

    // ---- scrolling ---------------------------------------------------------------------------

    #toEnd() {
        const { scroll } = this.#view;
        scroll.scrollTop = scroll.scrollHeight;
    }

    #scrolled() {
        const { scroll, latest } = this.#view;
        const below = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
        const was = this.#following;
        // Further from the end because more was added is not scrolling away; upwards is.
        if (below < nearEndPx) this.#following = true;
        else if (scroll.scrollTop < this.#lastTop) this.#following = false;
        this.#lastTop = scroll.scrollTop;
        if (this.#following && !was) this.#ask.caughtUp();
        if (this.#following) this.#showLatest(0);
        latest.hidden = this.#following || (this.#unseen === 0 && below < scroll.clientHeight / 2);
        if (scroll.scrollTop < nearStartPx) this.#loadOlder();
    }

    #showLatest(unseen) {
        this.#unseen = unseen;
        const { latest } = this.#view;
        latest.textContent = unseen ? `↓ ${count(unseen, 'new message')}` : '↓ Latest';
        latest.classList.toggle('news', unseen > 0);
        if (unseen) latest.hidden = false;
    }

    #setMore(more) {
        this.#more = more;
        const { beginning, list } = this.#view;
        const oldest = list.querySelector('li[data-offset]');
        beginning.hidden = more;
        if (!oldest) beginning.textContent = 'No messages yet. Say hello.';
        else if (oldest.dataset.offset === '1') beginning.textContent = 'This is where it began.';
        else beginning.textContent = 'Older messages are no longer kept.';
    }

    async #loadOlder() {
        const oldest = this.#view.list.querySelector('li[data-offset]');
        if (!this.#more || this.#loading || !oldest) return;
        this.#loading = true;
        try {
            const page = await this.#ask.older(oldest.dataset.cursor);
            if (!oldest.isConnected) return; // the stream was cleared meanwhile
            this.#keepingPlace(() => {
                for (const message of page.messages) this.add(message, { quiet: true });
                this.#setMore(page.more && page.messages.length > 0);
            });
        } catch {
            // Offline: scrolling asks again.
        } finally {
            this.#loading = false;
        }
    }

    async #fillGap(li, gap) {
        const button = li.querySelector('button');
        button.disabled = true;
        try {
            const messages = await this.#ask.fill(gap);
            this.#keepingPlace(() => {
                for (const message of messages) this.add(message, { quiet: true });
                const lost = gap.to - gap.from + 1 - messages.length;
                if (lost === 0) return this.#remove(li);
                li.replaceChildren(
                    element('span', {}, `${count(lost, 'message')} no longer kept.`),
                );
            });
        } catch {
            button.disabled = false;
        }
    }

    // Runs a change above or inside what is in view, without moving it or reading it all out.
    #keepingPlace(change) {
        const { scroll } = this.#view;
        const below = scroll.scrollHeight - scroll.scrollTop;
        scroll.setAttribute('aria-live', 'off');
        change();
        scroll.scrollTop = scroll.scrollHeight - below;
        setTimeout(() => scroll.setAttribute('aria-live', 'polite'), 500);
    }
}
