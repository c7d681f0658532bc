// The parts of the chat's page, each given what it asks of the chat (chat.js).

import { AccountView } from './account.js';
import { Composer } from './composer.js';
import { ConnectionView } from './connection_view.js';
import { Conversation } from './conversation.js';
import { Drawers } from './drawers.js';
import { openMenu } from './menu.js';
import { messageItems, walkMessages } from './message_menu.js';
import { personItems } from './moderation.js';
import { askRoom } from './new_room.js';
import { People } from './people.js';
import { RoomBar } from './room_bar.js';
import { RoomList } from './room_list.js';
import { SearchPanel } from './search_panel.js';
import { Uploads } from './uploads.js';

export function makeViews(nodes, chat) {
    const views = {};
    const menu = (user, anchor) => openPersonMenu(chat, views, user, anchor);
    views.drawers = new Drawers(nodes);
    views.connection = new ConnectionView(nodes, () => chat.client?.connect());
    views.account = new AccountView(nodes, {
        leave: () => chat.leave(),
        signIn: () => chat.signIn(),
    });
    views.list = new RoomList(
        {
            rooms: nodes['room-list'],
            directs: nodes['direct-list'],
            directTitle: nodes['direct-title'],
            badge: nodes['rooms-open'],
        },
        { open: (key) => chat.openRoom(key), isMine: (user) => chat.isMine(user) },
    );
    views.bar = new RoomBar(nodes, {
        client: () => chat.client,
        leave: (room) => chat.leaveRoom(room),
        changed: (refused) => chat.describe(refused),
        personMenu: menu,
    });
    views.people = new People(
        {
            members: nodes.members,
            crowd: nodes.crowd,
            roomCount: nodes['room-count'],
            rosterTitle: nodes['roster-title'],
            rosterCount: nodes['roster-count'],
            badge: nodes.people,
            typing: nodes.typing,
        },
        menu,
    );
    views.conversation = new Conversation(
        {
            scroll: nodes.scroll,
            list: nodes.messages,
            latest: nodes.latest,
            beginning: nodes.beginning,
        },
        {
            isMine: (user) => chat.isMine(user),
            changed: () => chat.changed(),
            menu: (message, anchor) => openMessageMenu(chat, views, message, anchor),
        },
    );
    views.composer = makeComposer(nodes, chat, views);
    views.uploads = new Uploads(nodes.uploads, {
        limit: () => chat.limits.file_bytes,
        post: (body, room) => views.conversation.post(body, room),
        note: (text) => views.composer.note(text),
    });
    views.search = makeSearch(nodes, chat, views);
    nodes['new-room'].addEventListener('click', () => {
        views.drawers.close();
        askRoom({ joined: chat.rooms, open: (name) => chat.openRoom(name) });
    });
    walkMessages(nodes.scroll, nodes.messages, () => nodes.text.focus());
    return views;
}

// What was refused is said below the field.
const tell = (views, promise, what) =>
    promise.catch((error) => views.composer.note(`${what}: ${error.message.replace(/\.$/, '')}.`));

function makeComposer(nodes, chat, views) {
    return new Composer(nodes, {
        send: (text) => views.conversation.post({ text }),
        edit: (message, text) => tell(views, views.conversation.edit(message, text), 'Not changed'),
        typing: (active) => chat.typing(active),
        files: (files) => views.uploads.add(files, chat.room),
        lastOwn: () =>
            chat.describes && chat.room.allows('edit') ? views.conversation.lastOwn() : null,
    });
}

function makeSearch(nodes, chat, views) {
    const close = () => {
        panel.close();
        nodes['search-open'].focus();
    };
    const panel = new SearchPanel(nodes, {
        room: () => chat.room,
        jump: (message) => {
            if (views.drawers.narrow) close();
            tell(views, views.conversation.jump(message), 'Not found');
        },
    });
    nodes['search-open'].addEventListener('click', () => {
        if (panel.isOpen) return close();
        views.drawers.close();
        panel.open();
    });
    nodes['search-close'].addEventListener('click', close);
    nodes.search.addEventListener('keydown', (event) => event.key === 'Escape' && close());
    return panel;
}

function openPersonMenu(chat, views, user, anchor) {
    const { room, client } = chat;
    const items = [];
    if (chat.rooms.kept && user.id !== client.user.id && room.direct?.id !== user.id) {
        items.push({ label: `Message ${user.name}`, run: () => chat.openDirect(user) });
    }
    const mention = () => views.composer.insert(`@${user.name} `);
    items.push({ label: `Mention ${user.name}`, run: mention });
    if (!room.direct && chat.describes) {
        const acts = personItems(client, room, user, (refused) => chat.describe(refused));
        if (acts.length) items.push(null, ...acts);
    }
    openMenu(anchor, items, { label: `Actions for ${user.name}` });
}

function openMessageMenu(chat, views, message, anchor) {
    const { room, describes } = chat;
    const mine = message.from.id === chat.client.user?.id;
    const { conversation, composer } = views;
    const items = messageItems(message, {
        mine,
        mayEdit: describes && mine && room.allows('edit'),
        mayDelete: describes && ((mine && room.allows('delete')) || room.allows('moderate')),
        edit: () => composer.beginEdit(message),
        remove: (reason) => conversation.remove(message, reason),
        note: (text, kind) => composer.note(text, kind),
    });
    openMenu(anchor, items, { label: 'Actions for this message' });
}
