// What may be done with a message, as lines of its menu.

import { ask } from './dialog.js';

async function copy(text, note) {
    try {
        await navigator.clipboard.writeText(text); // secure contexts alone
        note('Copied.', 'done');
    } catch {
        note('The browser does not let this page copy.');
    }
}

function askDeletion(message, { mine, remove }) {
    return ask({
        title: 'Delete this message?',
        text: mine
            ? message.data?.file
                ? 'It is gone for everybody, and so is its file.'
                : 'It is gone for everybody.'
            : `The message of ${message.from.name} is gone for everybody.`,
        fields: mine
            ? []
            : [{ name: 'reason', label: 'Reason', maxlength: 200, placeholder: 'Optional' }],
        action: 'Delete',
        danger: true,
        submit: ({ reason }) => remove(reason || undefined),
    });
}

export function messageItems(message, { mayEdit, mayDelete, mine, edit, remove, note }) {
    const items = [];
    const isText = message.text !== undefined;
    if (mayEdit && isText && !message.event) items.push({ label: 'Edit', run: edit });
    if (isText) items.push({ label: 'Copy text', run: () => copy(message.text, note) });
    if (message.data?.file?.url) {
        items.push({ label: 'Copy name of file', run: () => copy(message.data.file.name, note) });
    }
    if (mayDelete) {
        if (items.length) items.push(null);
        const run = () => askDeletion(message, { mine, remove });
        items.push({ label: 'Delete…', run, danger: true });
    }
    return items.length
        ? items
        : [{ label: 'Copy', run: () => copy(JSON.stringify(message.data), note) }];
}

/**
 * Messages by keyboard: from the list itself Up and Down go from one to the next, Enter opens its
 * menu, Escape goes back to writing.
 */
export function walkMessages(scroll, list, back) {
    scroll.addEventListener('keydown', (event) => {
        const item = event.target.closest('li.message');
        const onMenu = event.target.matches('.message-menu');
        if (event.target !== scroll && event.target !== item && !onMenu) return;
        const all = [...list.querySelectorAll('li.message[tabindex]')];
        const at = item ? all.indexOf(item) : all.length;
        if (event.key === 'ArrowUp') all[Math.max(0, at - 1)]?.focus();
        else if (event.key === 'ArrowDown') all[at + 1]?.focus();
        else if (event.key === 'Enter' && item && !onMenu)
            item.querySelector('.message-menu')?.click();
        else if (event.key === 'Escape') back();
        else return;
        event.preventDefault();
    });
}
