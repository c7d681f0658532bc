// Socket.IO clients as they are shipped: npm's socket.io-client 4 and 3, Debian's python3-socketio
// with asyncio and with threads. All are driven alike.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Inbox } from './clients.mjs';

const require = createRequire(import.meta.url);

/** What carries a connection; an upgraded one begins with polling. */
export const modes = {
    polling: ['polling'],
    websocket: ['websocket'],
    upgraded: ['polling', 'websocket'],
};
export const carrier = (mode) => (mode === 'polling' ? 'polling' : 'websocket');

/** A socket of socket.io-client 4 (or of another package) that does not share its connection. */
export function newSocket(url, options = {}, name = 'socket.io-client') {
    return require(name).io(url, { forceNew: true, reconnection: false, ...options });
}

/** Resolves once it is connected, and upgraded where the mode says so. */
export async function connected(socket, mode) {
    const failed = new Promise((_, reject) => socket.once('connect_error', reject));
    const upgraded = mode === 'upgraded' && once(socket.io.engine, 'upgrade');
    await Promise.race([Promise.all([once(socket, 'connect'), upgraded]), failed]);
    socket.off('connect_error');
    return socket;
}

/** Puts all that comes into an inbox, as {event, args}. */
export function inboxOf(socket) {
    const inbox = new Inbox();
    socket.onAny((event, ...args) => inbox.push({ event, args }));
    socket.on('disconnect', () => inbox.end());
    return inbox;
}

// Each opens {inbox of {event, args}, emit(event, ...args), call(seconds, event, ...args) that
// resolves with what was acknowledged, transport, closed, close()}.

const openNpm = (name) =>
    async function (t, door, mode, { namespace = '/', events, ...options } = {}) {
        const url = new URL(namespace, door.url).href;
        const ca = door.certificate?.text;
        const socket = newSocket(url, { transports: modes[mode], ca, ...options }, name);
        t.after(() => socket.disconnect());
        const inbox = inboxOf(socket);
        const closed = new Promise((resolve) => socket.once('disconnect', resolve));
        await connected(socket, mode);
        return {
            socket,
            inbox,
            closed,
            transport: socket.io.engine.transport.name,
            emit: (...all) => socket.emit(...all),
            call: (seconds, ...all) =>
                new Promise((resolve, reject) => {
                    const late = () => reject(new Error('timeout'));
                    const timer = setTimeout(late, 1000 * seconds);
                    socket.emit(...all, (...args) => {
                        clearTimeout(timer);
                        resolve(args);
                    });
                }),
            close: () => socket.disconnect(),
        };
    };

const program = fileURLToPath(new URL('socketio_client.py', import.meta.url));

const packed = (_, value) =>
    value?.type === 'Buffer' ? { $bytes: Buffer.from(value.data).toString('base64') } : value;
const unpacked = (_, value) =>
    value?.$bytes === undefined ? value : Buffer.from(value.$bytes, 'base64');

const openPython = (how) =>
    async function (t, door, mode, { namespace = '/', events = [], auth, query } = {}) {
        const python = process.env.PYTHON ?? '/usr/bin/python3';
        const child = spawn(
            python,
            [
                ...[program, how, `${door.url}${query ? `?${new URLSearchParams(query)}` : ''}`],
                ...[namespace, mode === 'upgraded' ? '' : modes[mode].join()],
                ...[door.certificate?.file ?? '', auth ? JSON.stringify(auth) : '', events.join()],
            ],
            { stdio: ['pipe', 'pipe', 'inherit'] },
        );
        t.after(() => child.kill());
        child.stdin.on('error', () => {});
        const inbox = new Inbox();
        const calls = new Map();
        const lines = createInterface({ input: child.stdout });
        let isOpen;
        let isClosed;
        const closed = new Promise((resolve) => (isClosed = resolve));
        const opened = new Promise((resolve, reject) => {
            isOpen = resolve;
            lines.once('close', () =>
                reject(new Error('socketio_client.py failed: is python3-socketio installed?')),
            );
        });
        lines.on('close', () => inbox.end());
        lines.on('line', (text) => {
            const line = JSON.parse(text, unpacked);
            if (line.transport) isOpen(line.transport);
            else if (line.ack !== undefined) calls.get(line.ack)(line);
            else if (line.closed) isClosed('closed');
            else if (line.refused) opened.refused = line.refused;
            else inbox.push(line);
        });
        const write = (...line) => child.stdin.write(`${JSON.stringify(line, packed)}\n`);
        const transport = await opened.catch((error) => {
            throw opened.refused ? new Error(opened.refused) : error;
        });
        return {
            inbox,
            closed,
            transport,
            emit: (...all) => write('emit', ...all),
            call: (seconds, ...all) =>
                new Promise((resolve, reject) => {
                    const number = calls.size;
                    calls.set(number, ({ args, error }) =>
                        error ? reject(new Error(error)) : resolve(args),
                    );
                    write('call', number, seconds, ...all);
                }),
            close: () => child.stdin.end(),
        };
    };

export const clients = {
    'socket.io-client 4': openNpm('socket.io-client'),
    'socket.io-client 3': openNpm('socket.io-client-3'),
    'python3-socketio, asyncio': openPython('asyncio'),
    'python3-socketio, threads': openPython('threads'),
};
