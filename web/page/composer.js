// The composer: what one writes, corrects and hands over as files.
//
// Asks back through {send(text), edit(message, text), typing(active), files(list), lastOwn()}.

import { element } from './dom.js';

const typingSendMs = 3_000; // say again that one is typing
const typingIdleMs = 4_000; // stopped typing
const noteMs = 6_000;

const bytes = (text) => new TextEncoder().encode(text).length;

export class Composer {
    #nodes; // {composer, text, send, attach, picker, note, editing, ...}
    #ask;
    #textMax = 0;
    #filesOn = false;
    #editing = null; // {message, draft}
    #typing = { sentAt: 0, idle: null };
    #noteTimer = null;

    constructor(nodes, ask) {
        this.#nodes = nodes;
        this.#ask = ask;
        const { composer, text, attach, picker } = nodes;
        composer.addEventListener('submit', (event) => {
            event.preventDefault();
            this.#submit();
            text.focus();
        });
        text.addEventListener('keydown', (event) => this.#keyPressed(event));
        text.addEventListener('input', () => this.#changed());
        text.addEventListener('blur', () => this.stopTyping());
        text.addEventListener('paste', (event) => {
            const files = [...event.clipboardData.files];
            if (!files.length || !this.#takesFiles) return;
            event.preventDefault();
            ask.files(files);
        });
        attach.addEventListener('click', () => picker.click());
        picker.addEventListener('change', () => {
            ask.files([...picker.files]);
            picker.value = '';
        });
        nodes['cancel-edit'].addEventListener('click', () => this.cancelEdit());
        this.#takeDrops();
    }

    focus() {
        if (matchMedia('(hover: hover)').matches) this.#nodes.text.focus();
    }

    get draft() {
        return this.#editing ? this.#editing.draft : this.#nodes.text.value;
    }

    /** Another room: its draft, and what may be done there; `refusal`: why nothing may be said. */
    prepare({ draft = '', refusal = '', files = false, textMax = 0, to = '' }) {
        this.stopTyping();
        this.#endEdit();
        this.#textMax = textMax;
        this.#nodes.text.value = draft;
        this.allow({ refusal, files, to });
    }

    /** What may be done, as it is now. */
    allow({ refusal, files, to }) {
        const { text, attach } = this.#nodes;
        this.#filesOn = files && !refusal;
        text.disabled = Boolean(refusal);
        text.placeholder = refusal || (to ? `Message ${to}` : 'Write a message');
        attach.hidden = !this.#filesOn;
        this.#fit();
    }

    /** Puts words where one is writing. */
    insert(words) {
        const { text } = this.#nodes;
        text.setRangeText(words, text.selectionStart, text.selectionEnd, 'end');
        this.#fit();
        text.focus();
    }

    /** Says something under the field for a while. */
    note(text, kind = 'trouble') {
        clearTimeout(this.#noteTimer);
        const { note } = this.#nodes;
        note.dataset.kind = kind;
        note.textContent = text;
        note.hidden = !text;
        if (text) this.#noteTimer = setTimeout(() => this.note(''), noteMs);
    }

    // ---- writing -----------------------------------------------------------------------------

    #fit() {
        const { text, send } = this.#nodes;
        text.style.height = 'auto';
        text.style.height = `${text.scrollHeight}px`;
        send.disabled = text.disabled || !text.value.trim();
    }

    #keyPressed(event) {
        const { text } = this.#nodes;
        if (event.isComposing) return;
        if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            this.#submit();
        } else if (event.key === 'Escape' && this.#editing) {
            event.preventDefault();
            event.stopPropagation();
            this.cancelEdit();
        } else if (event.key === 'ArrowUp' && !text.value && !this.#editing) {
            const message = this.#ask.lastOwn();
            if (!message) return;
            event.preventDefault();
            this.beginEdit(message);
        }
    }

    #submit() {
        const { text } = this.#nodes;
        const written = text.value.trim();
        if (!written || text.disabled) return;
        const length = bytes(written);
        if (this.#textMax && length > this.#textMax) {
            return this.note(`That is ${length} bytes; a message may have ${this.#textMax}.`);
        }
        this.note('');
        const message = this.#editing?.message;
        this.#endEdit();
        if (!message) text.value = '';
        this.#fit();
        this.stopTyping();
        if (!message) this.#ask.send(written);
        else if (written !== message.text) this.#ask.edit(message, written);
    }

    #changed() {
        this.#fit();
        if (this.#editing || !this.#nodes.text.value.trim()) return this.stopTyping();
        clearTimeout(this.#typing.idle);
        this.#typing.idle = setTimeout(() => this.stopTyping(), typingIdleMs);
        if (Date.now() - this.#typing.sentAt < typingSendMs) return;
        if (this.#ask.typing(true)) this.#typing.sentAt = Date.now();
    }

    stopTyping() {
        clearTimeout(this.#typing.idle);
        if (this.#typing.sentAt) this.#ask.typing(false);
        this.#typing.sentAt = 0;
    }

    // ---- correcting --------------------------------------------------------------------------

    beginEdit(message) {
        const { text, editing } = this.#nodes;
        this.stopTyping();
        this.#editing = { message, draft: this.draft };
        editing.hidden = false;
        text.value = message.text;
        this.#fit();
        text.focus();
        text.setSelectionRange(text.value.length, text.value.length);
    }

    cancelEdit() {
        this.#endEdit();
        this.#fit();
        this.#nodes.text.focus();
    }

    #endEdit() {
        if (!this.#editing) return;
        this.#nodes.text.value = this.#editing.draft;
        this.#editing = null;
        this.#nodes.editing.hidden = true;
    }

    // ---- files -------------------------------------------------------------------------------

    get #takesFiles() {
        return this.#filesOn && !this.#nodes.text.disabled;
    }

    // Dropped anywhere on the conversation. Leaving an inner node is not leaving.
    #takeDrops() {
        const { conversation } = this.#nodes;
        const veil = element('p', { class: 'drop-veil', hidden: true }, 'Drop files to send them');
        conversation.append(veil);
        let depth = 0;
        const show = (by) => {
            depth = Math.max(0, depth + by);
            veil.hidden = depth === 0;
        };
        const withFiles = (run) => (event) => {
            if (!this.#takesFiles || !event.dataTransfer?.types.includes('Files')) return;
            event.preventDefault();
            run(event);
        };
        conversation.addEventListener(
            'dragenter',
            withFiles(() => show(1)),
        );
        conversation.addEventListener(
            'dragleave',
            withFiles(() => show(-1)),
        );
        conversation.addEventListener(
            'dragover',
            withFiles((event) => {
                event.dataTransfer.dropEffect = 'copy';
            }),
        );
        conversation.addEventListener(
            'drop',
            withFiles((event) => {
                show(-depth);
                this.#ask.files([...event.dataTransfer.files]);
            }),
        );
        // A file dropped beside it must not replace the page.
        for (const kind of ['dragover', 'drop']) {
            addEventListener(kind, (event) => {
                if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
            });
        }
    }
}
