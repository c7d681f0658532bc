// What one may do to a person and to a room, as `may` of the room says. The server decides; what it
// refuses is shown in its words.

import { ask } from './dialog.js';
import { element } from './dom.js';

const times = [
    ['10m', '10 minutes'],
    ['1h', '1 hour'],
    ['24h', '1 day'],
    ['168h', '1 week'],
    ['', 'Until it is lifted'],
];
const timeAndReason = [
    { name: 'for', label: 'For', options: times },
    { name: 'reason', label: 'Reason', maxlength: 200, placeholder: 'Optional; others see it' },
];

const options = (values) => ({ for: values.for || undefined, reason: values.reason || undefined });
const rank = { owner: 3, moderator: 2, member: 1 };

/** Lines of a person's menu, without those that would be refused anyway. */
export function personItems(client, room, user, done) {
    const theirs = room.roles.get(user.id)?.role ?? 'none';
    const below = (rank[room.role] ?? 0) > (rank[theirs] ?? 0);
    const moderates = room.allows('moderate') && below;
    const appoints = room.allows('appoint') || room.role === 'owner';
    const act = (role, values) => client.role(room.name, user.id, role, values).then(done);
    const simply = (role) => () => act(role).catch((error) => done(error));
    const asked = (role, title, action) => () =>
        ask({
            title: `${title} ${user.name}?`,
            fields: timeAndReason,
            action,
            danger: true,
            submit: (values) => act(role, options(values)),
        });
    const items = [];
    const add = (condition, label, run, danger = false) =>
        condition && items.push({ label, run, danger });
    const barred = theirs === 'muted' || theirs === 'banned';
    add(
        room.allows('invite') && theirs === 'none' && room.kind !== 'public',
        'Make a member',
        simply('member'),
    );
    add(appoints && below && theirs !== 'moderator', 'Make a moderator', simply('moderator'));
    add(appoints && theirs !== 'owner', 'Make an owner', () =>
        ask({
            title: `Make ${user.name} an owner?`,
            text: 'Owners may do everything here, and you can’t take it back.',
            action: 'Make an owner',
            submit: () => act('owner'),
        }),
    );
    add(appoints && theirs === 'moderator', 'Moderator no more', simply('member'));
    add(
        moderates && theirs === 'member' && room.kind !== 'public',
        'Member no more',
        simply('none'),
    );
    add(
        moderates && barred,
        theirs === 'muted' ? 'Let speak again' : 'Lift the ban',
        simply('none'),
    );
    add(moderates && theirs !== 'muted', 'Mute…', asked('muted', 'Mute', 'Mute'), true);
    add(
        moderates,
        'Remove from the room…',
        () =>
            ask({
                title: `Remove ${user.name} from the room?`,
                text: 'They may come back, unless you ban them.',
                fields: [timeAndReason[1]],
                action: 'Remove',
                danger: true,
                submit: ({ reason }) =>
                    client.kick(room.name, user.id, reason || undefined).then(done),
            }),
        true,
    );
    add(moderates && theirs !== 'banned', 'Ban…', asked('banned', 'Ban', 'Ban'), true);
    return items;
}

export function askInvite(client, room, done) {
    return ask({
        title: `Invite someone to #${room.title}`,
        fields: [{ name: 'user', label: 'Their name', autocomplete: 'off', spellcheck: 'false' }],
        action: 'Invite',
        submit: ({ user }) => client.role(room.name, user.trim(), 'member').then(done),
    });
}

export function askStepDown(client, room, done) {
    return ask({
        title: `Step down as ${room.role} of #${room.title}?`,
        text: 'Only an owner can make you one again.',
        action: 'Step down',
        danger: true,
        submit: () => client.role(room.name, client.user.id, 'none').then(done),
    });
}

export function askTopic(client, room) {
    return ask({
        title: `Topic of #${room.title}`,
        fields: [
            { name: 'topic', label: 'Topic', type: 'area', value: room.topic, maxlength: 500 },
        ],
        action: 'Save',
        submit: ({ topic }) => client.topic(room.name, topic.trim()),
    });
}

/** Everybody with a role here, those too who are not here now. */
export function showRoles(room, personMenu) {
    const lines = [...room.roles].map(([id, { name, role, until }]) => {
        const about = until ? `${role} until ${new Date(until).toLocaleString()}` : role;
        const button = element(
            'button',
            { type: 'button', class: 'person', 'aria-haspopup': 'menu' },
            element('span', { class: 'who' }, name),
            element('span', { class: 'mark', 'data-role': role }, about),
        );
        button.addEventListener('click', () => personMenu({ id, name }, button));
        return element('li', {}, button);
    });
    return ask({
        title: `Roles in #${room.title}`,
        text: lines.length ? '' : 'Nobody has a role here.',
        extra: () => [element('ul', { class: 'roles' }, ...lines)],
    });
}

/** Why nothing may be said here, for the composer; empty where it may. */
export function sayRefusal(room, own) {
    if (room.allows('send')) return '';
    const until = room.roles.get(own)?.until ?? room.until;
    if (room.role === 'muted') {
        return until
            ? `You are muted here until ${new Date(until).toLocaleString()}`
            : 'You are muted here';
    }
    if (room.kind === 'read-only') return 'Only moderators may send in this room';
    return 'You may not send in this room';
}
