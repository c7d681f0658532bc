// The state of the connection: a word in the bar, and a banner while there is none.

import { sentence } from './dom.js';

const labels = {
    connecting: 'Connecting',
    online: 'Online',
    offline: 'Offline',
    closed: 'Offline',
};

export class ConnectionView {
    #nodes; // {status, banner, banner-text, retry}
    #ticker = null;

    constructor(nodes, retry) {
        this.#nodes = nodes;
        nodes.retry.addEventListener('click', retry);
    }

    /** A `state` of the client; waiting(seconds) is told of every second of a wait. */
    show({ state, retryAt, error, reason }, waiting) {
        clearInterval(this.#ticker);
        const { status, banner, retry } = this.#nodes;
        status.dataset.state = state;
        if (status.textContent !== labels[state]) status.textContent = labels[state];
        banner.hidden = state === 'online' || (state === 'connecting' && banner.hidden);
        retry.disabled = state === 'connecting';
        const text = this.#nodes['banner-text'];
        if (state === 'offline') {
            const tick = () => {
                const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
                text.textContent = `Offline – retrying in ${seconds} s`;
                waiting(seconds);
            };
            tick();
            this.#ticker = setInterval(tick, 500);
        } else if (state === 'connecting') {
            text.textContent = 'Connecting…';
        } else if (state === 'closed') {
            text.textContent = sentence(
                error?.message || reason || 'the server ended the connection',
            );
        }
    }

    stop() {
        clearInterval(this.#ticker);
    }
}
