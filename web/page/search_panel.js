// Search in the room that is shown: the newest messages with all of the words, and the way to them.

import { avatar, element, fullTime, sentence, shortTime, snippet } from './dom.js';
import { search } from './rest.js';

const delayMs = 300;

export class SearchPanel {
    #nodes; // {chat, search, search-form, search-text, search-note, results, search-more}
    #ask; // {room(), jump(message)}
    #timer = null;
    #turn = 0; // answers of an earlier question are void
    #oldest = null;
    #words = '';

    constructor(nodes, ask) {
        this.#nodes = nodes;
        this.#ask = ask;
        nodes['search-form'].addEventListener('submit', (event) => {
            event.preventDefault();
            this.#begin();
        });
        nodes['search-text'].addEventListener('input', () => {
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.#begin(), delayMs);
        });
        nodes['search-more'].addEventListener('click', () => this.#find());
    }

    get isOpen() {
        return !this.#nodes.search.hidden;
    }

    open() {
        this.#nodes.search.hidden = false;
        this.#nodes.chat.classList.add('searching');
        const { title, direct } = this.#ask.room();
        this.#nodes['search-text'].placeholder = `Search ${direct ? title : `#${title}`}`;
        this.#nodes['search-text'].select();
        this.#nodes['search-text'].focus();
    }

    close() {
        clearTimeout(this.#timer);
        this.#turn += 1;
        this.#nodes.search.hidden = true;
        this.#nodes.chat.classList.remove('searching');
        this.#nodes['search-text'].value = '';
        this.#words = '';
        this.#clear('');
    }

    #clear(note) {
        this.#oldest = null;
        this.#nodes.results.replaceChildren();
        this.#nodes['search-note'].textContent = note;
        this.#nodes['search-more'].hidden = true;
    }

    #begin() {
        clearTimeout(this.#timer);
        const words = this.#nodes['search-text'].value.trim();
        if (words === this.#words) return;
        this.#words = words;
        this.#turn += 1;
        this.#clear('');
        if (words) this.#find();
    }

    async #find() {
        const turn = this.#turn;
        const { results, 'search-note': note, 'search-more': more } = this.#nodes;
        more.disabled = true;
        try {
            const page = await search(this.#ask.room().name, this.#words, this.#oldest);
            if (turn !== this.#turn) return;
            const words = this.#words.match(/[\p{L}\p{N}]+/gu) ?? [];
            const newestFirst = page.messages.toReversed();
            results.append(...newestFirst.map((message) => this.#result(message, words)));
            this.#oldest = page.messages[0]?.cursor ?? this.#oldest;
            more.hidden = !page.more;
            const found = results.childElementCount;
            note.textContent = found
                ? `${found}${page.more ? '+' : ''} found`
                : 'Nothing was found. All of the words have to occur.';
        } catch (error) {
            if (turn === this.#turn) note.textContent = sentence(error.message);
        } finally {
            more.disabled = false;
        }
    }

    #result(message, words) {
        const at = new Date(message.at);
        const text = message.text ?? message.data?.file?.name ?? JSON.stringify(message.data);
        const button = element(
            'button',
            { type: 'button', class: 'result', onclick: () => this.#ask.jump(message) },
            avatar(message.from.name),
            element('span', { class: 'who' }, message.from.name),
            element('time', { datetime: message.at, title: fullTime(at) }, shortTime(at)),
            element('span', { class: 'found-text', dir: 'auto' }, ...snippet(String(text), words)),
        );
        return element('li', {}, button);
    }
}
