// The stream of messages: an ordered list, of which a part is shown.
//
// It shows what it is given and asks back through the callbacks of its constructor; it knows no
// connection. Entries are ordered by (life of the numbering, offset), so that a page of history may
// be put in wherever it belongs. The part that is shown has no hole but those it says: mostly it is
// the end, and `detached` from it after a jump or a long way back.
// Bounds: entriesMax list items; past it those furthest away go, and are loaded again.

import { element } from './dom.js';
import { EntryList } from './entry_list.js';
import { fillItem, messageItem, noticeItem, pendingItem } from './message_item.js';
import { Pager } from './pager.js';
import { Receipts } from './receipts.js';
import { changedMessage, isChange } from './room_state.js';

const entriesMax = 1000;
const entriesKept = 800;

export class MessageStream {
    #view; // {scroll, list, latest, beginning}
    #ask; // see conversation.js
    #pager;
    #receipts;
    #entries;
    #pending = new Map(); // key → li
    #first = null; // cursor of the oldest that was loaded
    #last = null;
    #older = false; // there is more before them
    #newer = false;

    constructor(view, ask) {
        this.#view = view;
        this.#ask = ask;
        this.#entries = new EntryList(view.list);
        this.#receipts = new Receipts((offset) => this.#entries.upTo(offset));
        this.#pager = new Pager(view, {
            older: () => this.#loadOlder(),
            newer: () => this.#loadNewer(),
            latest: () => (this.detached ? ask.live() : this.#pager.follow()),
            caughtUp: () => ask.caughtUp(),
            detached: () => this.detached,
        });
        view.list.addEventListener('click', (event) => {
            const button = event.target.closest('.message-menu');
            if (button) ask.menu(this.messageOf(button.closest('li')), button);
        });
    }

    /** True while the newest message is in view. */
    get following() {
        return this.#pager.following && !this.detached;
    }

    /** True where there is more after what is shown. */
    get detached() {
        return this.#newer;
    }

    get isEmpty() {
        return this.#entries.length === 0;
    }

    messageOf(li) {
        return this.#entries.entry(li)?.message ?? null;
    }

    /** Forgets all and shows these, in order; {older, newer}: there is more. */
    fill(messages, { older = false, newer = false } = {}) {
        this.#pager.hush();
        this.#entries.clear();
        this.#pending.clear();
        this.#receipts.clear();
        this.#first = messages[0]?.cursor ?? null;
        this.#last = messages.at(-1)?.cursor ?? null;
        this.#newer = newer;
        for (const message of messages) this.#put(message);
        this.#setOlder(older);
        if (newer) this.#pager.settle();
        else this.#pager.follow();
    }

    /** A message as it comes. */
    add(message) {
        if (this.#entries.at(message.cursor)) return;
        const mine = this.#ask.isMine(message.from);
        if (mine) this.#takePending(message);
        if (this.detached) {
            if (!mine) this.#pager.news();
            return;
        }
        this.#last = message.cursor;
        this.#first ??= message.cursor;
        this.#put(message);
        this.#receipts.spoke(message.from.id, message.offset);
        this.#receipts.refresh(this.#view.list);
        if (!this.#older) this.#setOlder(false);
        if (mine) this.#pager.follow();
        else if (!this.#pager.following) this.#pager.news();
        if (this.#pager.following) this.#trimOldest();
    }

    /** Shows what became of an earlier message. */
    change({ offset, ...rest }) {
        const li = this.#entries.message(offset);
        if (!li) return;
        const entry = this.#entries.entry(li);
        entry.message = changedMessage(entry.message, rest);
        fillItem(li, entry.message, { mine: li.classList.contains('own'), actions: true });
    }

    /** Brings a message into view; false where it is not among those that are shown. */
    reveal(cursor) {
        const li = this.#entries.at(cursor);
        if (!li) return false;
        this.#pager.following = false;
        li.scrollIntoView({ block: 'center' });
        this.#pager.settle();
        li.classList.remove('found');
        void li.offsetWidth; // so that the flash begins anew
        li.classList.add('found');
        li.focus({ preventScroll: true });
        return true;
    }

    /** Draws a line above what was not read yet. */
    markUnread(after) {
        this.#view.list.querySelector('.unread-line')?.remove();
        for (const li of this.#view.list.children) {
            const entry = this.#entries.entry(li);
            if (entry.kind !== 'message' || entry.offset <= after) continue;
            const line = element('p', { class: 'unread-line' }, element('span', {}, 'New'));
            return li.prepend(line);
        }
    }

    // ---- what is on its way ------------------------------------------------------------------

    /** Own {text} or {data} that has no offset yet; it stays last until its message comes. */
    addPending(key, body) {
        const li = pendingItem(body);
        const at = new Date();
        this.#pending.set(key, li);
        this.#entries.insert(li, {
            kind: 'pending',
            life: Infinity,
            offset: 0,
            group: '@me',
            at,
            body,
        });
        this.#pager.follow();
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
            const button = (text, onclick) => element('button', { type: 'button', onclick }, text);
            trouble.append(
                button('Try again', () => this.#ask.retry(key)),
                button('Discard', () => this.#ask.discard(key)),
            );
        }
        li.append(trouble);
    }

    /** The server has it: the message itself is on its way, or was here before its ack. */
    settle(key, ack) {
        const li = this.#pending.get(key);
        if (!li) return;
        if (this.#entries.at(ack.cursor)) return this.dropPending(key);
        this.setPending(key, 'sent');
        this.#entries.entry(li).ack = ack;
    }

    dropPending(key) {
        const li = this.#pending.get(key);
        this.#pending.delete(key);
        if (li) this.#entries.remove(li);
    }

    // Own messages come back without their key: the oldest pending one that says the same is it,
    // until the ack says otherwise.
    #takePending(message) {
        const said = ({ text, data }) => JSON.stringify([text, data]);
        for (const [key, li] of this.#pending) {
            const entry = this.#entries.entry(li);
            const match = entry.ack
                ? entry.ack.cursor === message.cursor
                : li.dataset.state !== 'failed' && said(entry.body) === said(message);
            if (match) return this.dropPending(key);
        }
    }

    // ---- holes -------------------------------------------------------------------------------

    /** Messages from..to are missing; `loadable`: the server may still have them. */
    gap({ from, to, epoch }, loadable) {
        if (this.detached) return;
        const number = to - from + 1;
        const missing = number === 1 ? '1 message' : `${number.toLocaleString()} messages`;
        const text = loadable ? `${missing} skipped.` : `${missing} missed; no longer kept.`;
        const li = noticeItem(text, { 'data-gap': `${from}-${to}` });
        if (loadable) {
            const onclick = () => this.#fillGap(li, { from, to, epoch });
            li.append(element('button', { type: 'button', onclick }, 'Show'));
        }
        this.#entries.insert(li, { kind: 'notice', offset: from });
    }

    /** The room's numbering began anew: what is shown stays, what follows is counted afresh. */
    restarted() {
        // What was acknowledged was said, though it never came back.
        for (const [key, li] of this.#pending) {
            const { ack, body } = this.#entries.entry(li);
            if (!ack) continue;
            this.dropPending(key);
            this.#put({ ...body, ...ack, from: this.#ask.me() });
        }
        this.#entries.newLife();
        this.#receipts.clear();
        const text = 'The server restarted. Messages above this line are no longer kept there.';
        this.#entries.insert(noticeItem(text), { kind: 'notice', offset: 0 });
        this.#setOlder(false);
    }

    async #fillGap(li, gap) {
        const button = li.querySelector('button');
        button.disabled = true;
        try {
            const messages = await this.#ask.between(gap);
            this.#pager.keepingPlace(() => {
                for (const message of messages) this.#put(message);
                const lost = gap.to - gap.from + 1 - messages.length;
                if (lost <= 0) return this.#entries.remove(li);
                li.replaceChildren(
                    element(
                        'span',
                        {},
                        `${lost} ${lost === 1 ? 'message' : 'messages'} no longer kept.`,
                    ),
                );
            });
        } catch {
            button.disabled = false;
        }
    }

    // ---- receipts ----------------------------------------------------------------------------

    /** Someone has read up to an offset. */
    receipt({ id, name }, offset) {
        this.#receipts.set(id, name, offset);
    }

    forgetReader(id) {
        this.#receipts.forget(id);
    }

    // ---- the list ----------------------------------------------------------------------------

    #put(message) {
        if (this.#entries.at(message.cursor) || isChange(message)) return;
        const mine = this.#ask.isMine(message.from);
        const isTopic = message.event === 'topic';
        const li = isTopic
            ? noticeItem(this.#topicText(message, mine), { class: 'notice event-line' })
            : messageItem(message, { mine, actions: true });
        const at = new Date(message.at);
        const group = isTopic ? '' : mine ? '@me' : message.from.id;
        const { offset, cursor } = message;
        const kind = isTopic ? 'notice' : 'message';
        this.#entries.insert(li, { kind, offset, cursor, group, at, message });
    }

    #topicText({ from, data }, mine) {
        const who = mine ? 'You' : from.name;
        return data?.topic ? `${who} set the topic: ${data.topic}` : `${who} removed the topic`;
    }

    // ---- more of it --------------------------------------------------------------------------

    #setOlder(older) {
        this.#older = older;
        const { beginning, list } = this.#view;
        const oldest = list.querySelector('li[data-offset]');
        beginning.hidden = older;
        if (!oldest) beginning.textContent = 'No messages yet. Say hello.';
        else if (oldest.dataset.offset === '1') beginning.textContent = 'This is where it began.';
        else beginning.textContent = 'Older messages are no longer kept.';
    }

    async #loadOlder() {
        const from = this.#first;
        if (!this.#older || !from) return;
        const page = await this.#ask.older(from);
        if (this.#first !== from) return; // something else is shown meanwhile
        this.#pager.keepingPlace(() => {
            for (const message of page.messages) this.#put(message);
            this.#first = page.messages[0]?.cursor ?? from;
            this.#setOlder(page.more && page.messages.length > 0);
            this.#dropNewest();
            this.#receipts.refresh(this.#view.list);
        });
    }

    async #loadNewer() {
        const from = this.#last;
        if (!this.detached || !from) return;
        const page = await this.#ask.newer(from);
        if (this.#last !== from) return;
        this.#pager.keepingPlace(() => {
            for (const message of page.messages) this.#put(message);
            this.#last = page.messages.at(-1)?.cursor ?? from;
            this.#newer = page.more && page.messages.length > 0;
            this.#trimOldest();
        });
        if (!this.detached) this.#ask.caughtUpWithEnd();
    }

    #trimOldest() {
        if (this.#entries.length <= entriesMax) return;
        const { list } = this.#view;
        while (this.#entries.length > entriesKept) this.#entries.remove(list.firstElementChild);
        this.#first = this.#entries.edge('first');
        this.#setOlder(true);
    }

    #dropNewest() {
        if (this.#entries.length <= entriesMax) return;
        const { list } = this.#view;
        this.#pending.clear();
        while (this.#entries.length > entriesKept) this.#entries.remove(list.lastElementChild);
        this.#last = this.#entries.edge('last');
        this.#newer = true;
    }
}
