// Joining or making a room by its name, or picking one that is listed.

import { ask } from './dialog.js';
import { count, element } from './dom.js';
import { openRooms } from './rest.js';

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

export function askRoom({ joined, open }) {
    const list = element('ul', { class: 'room-choice', 'aria-label': 'Open rooms' });
    let input;
    let listed = [];
    const show = (dialog) => {
        const typed = input.value.trim().replace(/^#/, '').toLowerCase();
        const fitting = listed.filter(({ room }) => room.toLowerCase().includes(typed));
        list.replaceChildren(
            ...fitting.map(({ room, members, kind }) => {
                const about = joined.has(room)
                    ? 'joined'
                    : count(members, 'person').replace('persons', 'people');
                const onclick = () => {
                    dialog.close();
                    open(room);
                };
                return element(
                    'li',
                    {},
                    element(
                        'button',
                        { type: 'button', onclick },
                        element('span', { class: 'room-name' }, `# ${room}`),
                        element(
                            'span',
                            { class: 'hint' },
                            kind && kind !== 'public' ? `${kind} · ${about}` : about,
                        ),
                    ),
                );
            }),
        );
    };
    return ask({
        title: 'Join or make a room',
        text: 'A room that nobody has made yet is made by joining it.',
        fields: [
            {
                name: 'room',
                label: 'Name of the room',
                autocomplete: 'off',
                autocapitalize: 'none',
                spellcheck: 'false',
                placeholder: 'garden',
            },
        ],
        action: 'Join',
        extra: (dialog) => {
            queueMicrotask(async () => {
                input = dialog.querySelector('input');
                input.addEventListener('input', () => show(dialog));
                listed = (await openRooms().catch(() => ({ rooms: [] }))).rooms;
                show(dialog);
            });
            return [list];
        },
        submit: ({ room }) => {
            const name = room.trim().replace(/^#/, '');
            if (!namePattern.test(name)) {
                throw new Error(
                    'a name is up to 128 letters, digits and . _ : @ -, a letter or digit first',
                );
            }
            open(name);
        },
    });
}
