// The chat page: its door (page/door.js) and what is behind it (page/chat.js).
//
// State that outlives the page: name, rooms and own user ids in localStorage, "joined in this tab"
// in sessionStorage, an account's session in a cookie that no script sees.

import { Chat } from './page/chat.js';
import { Door, roomFromUrl } from './page/door.js';
import { drawIcons } from './page/icons.js';

const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
const url = `${scheme}//${location.host}/ws`;

drawIcons(document);
const nodes = Object.fromEntries(
    [...document.querySelectorAll('[id]')].map((node) => [node.id, node]),
);

const door = new Door(nodes, { url, enter: (session) => chat.start(session) });
const chat = new Chat(nodes, {
    url,
    door: {
        entered: (session) => {
            door.remember(session);
            door.close();
        },
        left: (error, field) => {
            door.forget();
            door.open(error, field);
        },
        waiting: (seconds) => door.say(`The server can't be reached – retrying in ${seconds} s.`),
    },
});

addEventListener('hashchange', () => {
    nodes.room.value = roomFromUrl() || nodes.room.value;
    chat.hashChanged(roomFromUrl());
});
// A page that comes back out of the browser's cache joins again.
addEventListener('pagehide', () => chat.away());
addEventListener('pageshow', (event) => event.persisted && chat.back());
addEventListener('online', () => chat.networkChanged(true));
addEventListener('offline', () => chat.networkChanged(false));
document.addEventListener('visibilitychange', () => document.hidden || chat.lookedAt());

door.begin();
