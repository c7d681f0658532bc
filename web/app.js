// The chat page: wires the client (parley.js) to the stream of messages (stream.js), the people
// (people.js), the composer and the login form.
//
// State that outlives the page: name, room and own user ids in localStorage, "joined in this tab"
// in sessionStorage. Storage may be refused; the page then only forgets.

import { ParleyClient } from './parley.js';
import { People } from './people.js';
import { MessageStream } from './stream.js';

const typingSendMs = 3_000; // say again that one is typing
const typingIdleMs = 4_000; // stopped typing
const readDelayMs = 600;
const historyPage = 50;
const ownIdsMax = 20;

const byId = (id) => document.getElementById(id);
const nodes = Object.fromEntries(
    [
        'login',
        'login-form',
        'name',
        'room',
        'join',
        'login-error',
        'chat',
        'room-title',
        'room-count',
        'status',
        'people',
        'banner',
        'banner-text',
        'retry',
        'scroll',
        'beginning',
        'messages',
        'latest',
        'typing',
        'composer',
        'text',
        'send',
        'note',
        'shade',
        'roster',
        'roster-count',
        'close-roster',
        'members',
        'crowd',
        'me',
        'leave',
    ].map((id) => [id, byId(id)]),
);

// ---- what is remembered ----------------------------------------------------------------------

function remembered(store, key, fallback) {
    try {
        return JSON.parse(store().getItem(`parley.${key}`)) ?? fallback;
    } catch {
        return fallback;
    }
}

function remember(store, key, value) {
    try {
        store().setItem(`parley.${key}`, JSON.stringify(value));
    } catch {
        // Full or refused.
    }
}

const local = () => localStorage;
const tab = () => sessionStorage;

function roomFromUrl() {
    const asked = new URLSearchParams(location.search).get('room');
    if (asked) return asked;
    try {
        return decodeURIComponent(location.hash.slice(1));
    } catch {
        return '';
    }
}

// ---- state of the page -----------------------------------------------------------------------

let client = null;
let room = '';
let inRoom = false;
let ownIds = remembered(local, 'ids', []);
let unread = 0;
let retryTicker = null;
let noteTimer = null;
const typing = { sentAt: 0, idle: null };
const reading = { sent: 0, timer: null };

const stream = new MessageStream(
    {
        scroll: nodes.scroll,
        list: nodes.messages,
        latest: nodes.latest,
        beginning: nodes.beginning,
    },
    {
        isMine: (user) => ownIds.includes(user.id),
        older: (before) => client.history(room, { before, limit: historyPage }),
        fill: loadGap,
        retry: (key, text) => {
            stream.dropPending(key);
            post(text);
        },
        caughtUp: markRead,
    },
);

const people = new People({
    members: nodes.members,
    crowd: nodes.crowd,
    roomCount: nodes['room-count'],
    rosterCount: nodes['roster-count'],
    badge: nodes.people,
    typing: nodes.typing,
});

// ---- joining and leaving ---------------------------------------------------------------------

function start(name, asked) {
    client?.close();
    room = asked;
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    client = new ParleyClient({ url: `${scheme}//${location.host}/ws`, name });
    const mine = client; // a client that was replaced is no longer listened to
    const handlers = {
        state: showState,
        welcome: welcomed,
        joined,
        message: received,
        presence,
        delayed,
        typing: (push) => people.typing(push),
        read: (push) =>
            people.listed &&
            push.user.id !== client.user?.id &&
            stream.receipt(push.user, push.offset),
        gap: (gap) => stream.gap(gap, true),
        refused: ({ error }) => backToLogin(error.message, nodes.room),
        error: (error) => note(sentence(error.message)),
    };
    for (const [event, handler] of Object.entries(handlers)) {
        client.on(event, (detail) => client === mine && handler(detail));
    }
    nodes.join.disabled = true;
    nodes.join.textContent = 'Joining…';
    // A refusal arrives as an event too, for the rejoining after a reconnect.
    client.join(room, { history: historyPage }).catch(() => {});
    client.connect();
}

function welcomed(welcome) {
    ownIds = [welcome.user.id, ...ownIds.filter((id) => id !== welcome.user.id)].slice(
        0,
        ownIdsMax,
    );
    remember(local, 'ids', ownIds);
    nodes.me.textContent = welcome.user.name;
}

function joined(detail) {
    if (detail.first) enter(detail);
    else {
        if (detail.missed) stream.gap({ ...detail.missed, epoch: detail.epoch }, false);
        if (detail.restarted) stream.restarted();
        for (const message of detail.messages) received(message);
    }
    people.reset(client.user.id, detail.members, detail.count);
    markRead();
}

function presence(push) {
    people.changed(push);
    if (push.action === 'leave' && push.user) stream.forgetReader(push.user.id);
}

function enter(detail) {
    inRoom = true;
    remember(local, 'name', nodes.name.value.trim());
    remember(local, 'room', room);
    remember(tab, 'joined', true);
    history.replaceState(null, '', `${location.pathname}#${room}`);
    nodes['room-title'].textContent = room;
    nodes.login.hidden = true;
    nodes.chat.hidden = false;
    stream.clear();
    stream.fill(detail.messages, (detail.messages[0]?.offset ?? 1) > 1);
    unread = 0;
    reading.sent = 0;
    showTitle();
    if (matchMedia('(hover: hover)').matches) nodes.text.focus();
}

function backToLogin(error = '', field = nodes.name) {
    const leaving = client;
    client = null;
    leaving?.close();
    clearInterval(retryTicker);
    inRoom = false;
    remember(tab, 'joined', false);
    showRoster(false);
    nodes.chat.hidden = true;
    nodes.login.hidden = false;
    nodes.join.disabled = false;
    nodes.join.textContent = 'Join';
    loginError(error);
    document.title = 'Parley';
    field.focus();
}

// What a server says, as a sentence of this page.
function sentence(text) {
    return text && `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}

function loginError(text) {
    nodes['login-error'].textContent = sentence(text);
    nodes['login-error'].hidden = !text;
}

nodes['login-form'].addEventListener('submit', (event) => {
    event.preventDefault();
    const name = nodes.name.value.trim();
    const asked = nodes.room.value.trim().replace(/^#/, '') || 'lobby';
    loginError('');
    if (!name) {
        loginError('Please enter a name.');
        return nodes.name.focus();
    }
    nodes.room.value = asked;
    start(name, asked);
});

nodes.leave.addEventListener('click', () => {
    client.leave(room);
    backToLogin();
});

window.addEventListener('hashchange', () => {
    const asked = roomFromUrl();
    if (!asked || asked === room) return;
    nodes.room.value = asked;
    if (inRoom) start(nodes.name.value.trim(), asked);
});

// Says goodbye, so that the others see one leave at once; a page that comes back out of the
// browser's cache joins again.
window.addEventListener('pagehide', () => inRoom && client?.close());
window.addEventListener('pageshow', (event) => event.persisted && inRoom && client?.connect());

// ---- the connection's state ------------------------------------------------------------------

function showState({ state, retryAt, error, reason }) {
    clearInterval(retryTicker);
    const label = {
        connecting: 'Connecting',
        online: 'Online',
        offline: 'Offline',
        closed: 'Offline',
    };
    nodes.status.dataset.state = state;
    if (nodes.status.textContent !== label[state]) nodes.status.textContent = label[state];
    nodes.banner.hidden = state === 'online' || (state === 'connecting' && nodes.banner.hidden);
    nodes.retry.disabled = state === 'connecting';
    if (state === 'offline') {
        const tick = () => waiting(Math.max(1, Math.ceil((retryAt - Date.now()) / 1000)));
        tick();
        retryTicker = setInterval(tick, 500);
    } else if (state === 'connecting') {
        nodes['banner-text'].textContent = 'Connecting…';
    } else if (state === 'closed') {
        const why = error?.message || reason || 'the server ended the connection';
        nodes['banner-text'].textContent = sentence(why);
        if (!inRoom) backToLogin(why);
    }
}

function waiting(seconds) {
    nodes['banner-text'].textContent = `Offline – retrying in ${seconds} s`;
    if (!inRoom) loginError(`The server can't be reached – retrying in ${seconds} s.`);
}

nodes.retry.addEventListener('click', () => client.connect());
window.addEventListener('online', () => client?.state === 'offline' && client.connect());
window.addEventListener('offline', () => client?.probe());

// ---- messages --------------------------------------------------------------------------------

function received(message) {
    stream.add(message);
    people.stoppedTyping(message.from.id);
    if (ownIds.includes(message.from.id)) return;
    if (document.hidden) {
        unread += 1;
        showTitle();
    }
    markRead();
}

function post(text) {
    const key = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join(
        '',
    );
    stream.addPending(key, text);
    client.send(room, { text }, { key }).then(
        (ack) => stream.settle(key, ack),
        (error) =>
            stream.setPending(key, 'failed', `Not sent: ${error.message.replace(/\.$/, '')}.`),
    );
}

function delayed({ key, retryInMs, error }) {
    const why = error.code === 'rate_limited' ? 'Sending too fast.' : `${sentence(error.message)}`;
    stream.setPending(key, 'delayed', `${why} Trying again in ${Math.ceil(retryInMs / 1000)} s.`);
}

async function loadGap({ from, to, epoch }) {
    const found = [];
    let since = `${epoch}:${from - 1}`;
    for (;;) {
        const page = await client.history(room, { since, limit: 200 });
        const wanted = page.messages.filter((message) => message.offset <= to);
        found.push(...wanted);
        if (!page.more || wanted.length < page.messages.length || !wanted.length) return found;
        since = wanted.at(-1).cursor;
    }
}

function showTitle() {
    document.title = `${unread ? `(${unread}) ` : ''}#${room} · Parley`;
}

// Says what was read, once a while, and only what was really in view.
function markRead() {
    if (reading.timer || !people.listed || document.hidden || !stream.following) return;
    reading.timer = setTimeout(() => {
        reading.timer = null;
        const newest = stream.newest;
        if (document.hidden || !inRoom || !people.listed || newest === reading.sent || !newest)
            return;
        reading.sent = newest;
        client.read(room, newest);
    }, readDelayMs);
}

document.addEventListener('visibilitychange', () => {
    if (document.hidden || !inRoom) return;
    unread = 0;
    showTitle();
    markRead();
    client.probe(); // a computer that slept may not know yet that its connection is gone
});

// ---- the composer ----------------------------------------------------------------------------

function bytes(text) {
    return new TextEncoder().encode(text).length;
}

function note(text) {
    clearTimeout(noteTimer);
    nodes.note.textContent = text;
    nodes.note.hidden = !text;
    if (text) noteTimer = setTimeout(() => note(''), 6_000);
}

function fitText() {
    nodes.text.style.height = 'auto';
    nodes.text.style.height = `${nodes.text.scrollHeight}px`;
    nodes.send.disabled = !nodes.text.value.trim();
}

function submit() {
    const text = nodes.text.value.trim();
    if (!text) return;
    const most = client.welcome?.limits?.text_bytes;
    if (most && bytes(text) > most) {
        return note(`That is ${bytes(text)} bytes; a message may have ${most}.`);
    }
    note('');
    nodes.text.value = '';
    fitText();
    stopTyping();
    post(text);
}

nodes.composer.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    nodes.text.focus();
});

nodes.text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
});

nodes.text.addEventListener('input', () => {
    fitText();
    if (!nodes.text.value.trim()) return stopTyping();
    clearTimeout(typing.idle);
    typing.idle = setTimeout(stopTyping, typingIdleMs);
    if (!people.listed || Date.now() - typing.sentAt < typingSendMs) return;
    typing.sentAt = Date.now();
    client.typing(room, true);
});

nodes.text.addEventListener('blur', stopTyping);

function stopTyping() {
    clearTimeout(typing.idle);
    if (typing.sentAt && client) client.typing(room, false);
    typing.sentAt = 0;
}

// ---- the drawer of narrow screens --------------------------------------------------------------

function showRoster(open) {
    nodes.roster.classList.toggle('open', open);
    nodes.shade.hidden = !open;
    nodes.people.setAttribute('aria-expanded', String(open));
    if (open) nodes['close-roster'].focus();
}

nodes.people.addEventListener('click', () => showRoster(!nodes.roster.classList.contains('open')));
for (const closer of [nodes.shade, nodes['close-roster']]) {
    closer.addEventListener('click', () => {
        showRoster(false);
        nodes.people.focus();
    });
}
document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && nodes.roster.classList.contains('open')) {
        showRoster(false);
        nodes.people.focus();
    }
});

// ---- the beginning ---------------------------------------------------------------------------

nodes.name.value = remembered(local, 'name', '');
nodes.room.value = roomFromUrl() || remembered(local, 'room', '') || 'lobby';
if (remembered(tab, 'joined', false) && nodes.name.value) start(nodes.name.value, nodes.room.value);
else (nodes.name.value ? nodes.join : nodes.name).focus();
