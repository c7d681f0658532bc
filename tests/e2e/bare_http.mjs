// HTTP as bytes: what no client's library would send, such as many requests at once.

import { Inbox } from './clients.mjs';

/** Reads answers off a connection of bare bytes: {status, head, body}. */
export function answersOf(socket) {
    const inbox = new Inbox();
    let bytes = Buffer.alloc(0);
    const heads = []; // of each answer that is due: whether it is one to HEAD
    socket.on('data', (part) => {
        bytes = Buffer.concat([bytes, part]);
        for (;;) {
            const end = bytes.indexOf('\r\n\r\n');
            if (end < 0) return;
            const head = bytes.toString('latin1', 0, end);
            const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0;
            const whole = end + 4 + (heads[0] ? 0 : Number(length));
            if (bytes.length < whole) return;
            heads.shift();
            const status = Number(head.split(' ')[1]);
            inbox.push({ status, head, body: bytes.toString('utf8', end + 4, whole) });
            bytes = bytes.subarray(whole);
        }
    });
    socket.on('end', () => inbox.end());
    socket.on('error', () => inbox.end());
    return {
        inbox,
        /** Sends all at once. */
        send: (...requests) => {
            heads.push(...requests.map((request) => request.startsWith('HEAD ')));
            socket.write(requests.join(''));
        },
    };
}

/** A request as it goes over the wire. */
export const request = (line, headers = '', body = '') =>
    `${line} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`;

/** The headers that ask for a WebSocket. */
export const upgrade =
    'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
