// Files on their way to the server: a line each, above the composer, with how far it is.
//
// Bounds: one upload at a time, waitingMax files that wait for it.

import { fileMessage } from './attachments.js';
import { element, fileSize, sentence } from './dom.js';
import { icon } from './icons.js';
import { upload } from './rest.js';

const waitingMax = 20;

export class Uploads {
    #tray;
    #ask; // {limit(), post(body, room), note(text)}
    #waiting = []; // {file, room, line}
    #running = null;

    constructor(tray, ask) {
        this.#tray = tray;
        this.#ask = ask;
    }

    /** Sends files to a room, each as a message of its own. */
    add(files, room) {
        const most = this.#ask.limit();
        for (const file of files) {
            if (most && file.size > most) {
                this.#ask.note(
                    `${file.name} has ${fileSize(file.size)}; ${fileSize(most)} is most.`,
                );
            } else if (this.#waiting.length >= waitingMax) {
                this.#ask.note(`At most ${waitingMax} files at once.`);
                break;
            } else if (!file.size) {
                this.#ask.note(`${file.name} is empty.`);
            } else {
                this.#enqueue({ file, room });
            }
        }
        this.#next();
    }

    stop() {
        this.#waiting = [];
        this.#running?.cancel();
        this.#tray.replaceChildren();
        this.#tray.hidden = true;
    }

    #enqueue(entry) {
        const { file } = entry;
        const bar = element('progress', { max: 1, value: 0, 'aria-label': `Sending ${file.name}` });
        const state = element('span', { class: 'upload-state' }, fileSize(file.size));
        const cancel = element('button', {
            class: 'icon small',
            type: 'button',
            'aria-label': `Cancel ${file.name}`,
            onclick: () => this.#cancel(entry),
        });
        cancel.append(icon('close', 14));
        const name = element('span', { class: 'file-name' }, file.name);
        entry.line = element('li', { class: 'upload' }, name, state, bar, cancel);
        Object.assign(entry, { bar, state });
        this.#tray.append(entry.line);
        this.#tray.hidden = false;
        this.#waiting.push(entry);
    }

    async #next() {
        if (this.#running || !this.#waiting.length) return;
        const entry = this.#waiting.shift();
        const { file, room, bar } = entry;
        const running = upload(room.name, file, (part) => (bar.value = part));
        this.#running = Object.assign(running, { entry });
        try {
            const uploaded = await running.done;
            this.#drop(entry);
            this.#ask.post(await fileMessage(uploaded, file), room);
        } catch (error) {
            if (error.code === 'canceled') this.#drop(entry);
            else this.#failed(entry, error);
        }
        this.#running = null;
        this.#next();
    }

    #failed(entry, error) {
        const { line, state, bar } = entry;
        line.classList.add('failed');
        bar.remove();
        state.textContent = sentence(error.message);
        state.setAttribute('role', 'alert');
        const again = () => {
            this.#drop(entry);
            this.add([entry.file], entry.room);
        };
        state.append(' ', element('button', { type: 'button', onclick: again }, 'Try again'));
    }

    #cancel(entry) {
        if (this.#running?.entry === entry) return this.#running.cancel();
        this.#waiting = this.#waiting.filter((each) => each !== entry);
        this.#drop(entry);
    }

    #drop({ line }) {
        line.remove();
        this.#tray.hidden = !this.#tray.childElementCount;
    }
}
