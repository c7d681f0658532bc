// One message as a list item. All text goes in as text nodes.

import { fileNodes, fileOf } from './attachments.js';
import { avatar, clockTime, element, fullTime, hue, linkified } from './dom.js';
import { icon } from './icons.js';

function bodyOf(message) {
    if (message.deleted) return [element('span', { class: 'gone' }, 'This message was deleted.')];
    const file = fileOf(message);
    if (file) return fileNodes(file);
    const nodes =
        message.text !== undefined
            ? linkified(message.text)
            : [element('code', {}, JSON.stringify(message.data))];
    if (message.event) nodes.unshift(element('span', { class: 'event' }, message.event), ' ');
    return nodes;
}

function row({ name, body, at, edited, file }) {
    const time = element(
        'time',
        { datetime: at.toISOString(), title: fullTime(at) },
        clockTime(at),
    );
    const meta = element('span', { class: 'meta' }, time);
    if (edited) {
        const when = `Edited ${fullTime(new Date(edited))}`;
        meta.prepend(element('span', { class: 'edited', title: when }, 'edited'), ' ');
    }
    const bubble = element(
        'div',
        { class: file ? 'bubble with-file' : 'bubble' },
        element('span', { class: 'sender', 'data-hue': hue(name) }, name),
        element('span', { class: 'text', dir: 'auto' }, ...body),
        meta,
    );
    return element('div', { class: 'row' }, avatar(name), bubble);
}

/** What a message looks like, in an item that keeps its place. */
export function fillItem(li, message, { mine, actions }) {
    const name = mine ? 'You' : message.from.name;
    const file = !message.deleted && fileOf(message) !== null;
    const fresh = row({
        name,
        body: bodyOf(message),
        at: new Date(message.at),
        edited: !message.deleted && message.edited,
        file,
    });
    if (actions && !message.deleted) {
        const label = `Actions for ${mine ? 'your message' : `the message of ${name}`}`;
        fresh.append(
            element(
                'button',
                {
                    class: 'icon message-menu',
                    type: 'button',
                    'aria-haspopup': 'menu',
                    'aria-label': label,
                    tabindex: '-1',
                },
                icon('more', 18),
            ),
        );
    }
    const before = li.querySelector(':scope > .row');
    if (before) before.replaceWith(fresh);
    else li.append(fresh);
    li.classList.toggle('deleted', Boolean(message.deleted));
}

export function messageItem(message, options) {
    const li = element('li', {
        class: options.mine ? 'message own' : 'message',
        'data-offset': message.offset,
        'data-cursor': message.cursor,
        'data-user': message.from.id,
        tabindex: '-1',
    });
    fillItem(li, message, options);
    return li;
}

/** Own words that have no offset yet. */
export function pendingItem(body) {
    const li = element('li', { class: 'message own', 'data-state': 'pending' });
    const file = fileOf(body) !== null;
    li.append(row({ name: 'You', body: bodyOf(body), at: new Date(), file }));
    return li;
}

/** A line between messages. */
export function noticeItem(text, attributes = {}) {
    return element('li', { class: 'notice', ...attributes }, element('span', {}, text));
}
