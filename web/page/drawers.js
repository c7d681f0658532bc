// Narrow screens: the rooms and the people are drawers over the conversation, one at a time.

export class Drawers {
    #nodes; // {sidebar, roster, shade, rooms-open, people, close-rooms, close-roster}
    #open = null; // [drawer, the button that opened it]

    constructor(nodes) {
        this.#nodes = nodes;
        const pairs = [
            [nodes.sidebar, nodes['rooms-open'], nodes['close-rooms']],
            [nodes.roster, nodes.people, nodes['close-roster']],
        ];
        for (const [drawer, opener, closer] of pairs) {
            opener.addEventListener('click', () => this.#toggle(drawer, opener, closer));
            closer.addEventListener('click', () => this.close(true));
        }
        nodes.shade.addEventListener('click', () => this.close(true));
        document.addEventListener('keydown', (event) => {
            const inDialog = document.querySelector('dialog[open]');
            if (event.key === 'Escape' && this.#open && !inDialog) this.close(true);
        });
    }

    get narrow() {
        return matchMedia('(max-width: 760px)').matches;
    }

    close(focusOpener = false) {
        if (!this.#open) return;
        const [drawer, opener] = this.#open;
        this.#open = null;
        drawer.classList.remove('open');
        this.#nodes.shade.hidden = true;
        opener.setAttribute('aria-expanded', 'false');
        if (focusOpener) opener.focus();
    }

    #toggle(drawer, opener, closer) {
        const wasOpen = this.#open?.[0] === drawer;
        this.close();
        if (wasOpen) return;
        this.#open = [drawer, opener];
        drawer.classList.add('open');
        this.#nodes.shade.hidden = false;
        opener.setAttribute('aria-expanded', 'true');
        closer.focus();
    }
}
