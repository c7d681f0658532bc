// The server over HTTP: accounts, search, files, and what it offers. Identity is the browser's
// cookie, or a guest's name that goes along.

import { ParleyError } from '../parley.js';

let guest = null;

/** Who asks is a guest of that name; null: whoever the cookie says. */
export function goAs(name) {
    guest = name;
}

/** An address of this server, asked for by who one is. */
export const mine = (address) => (guest ? `${address}?${query({ name: guest })}` : address);

/** Calls and gives the answer's JSON, or null; throws ParleyError as the server words it. */
export async function call(method, path, body) {
    let response;
    try {
        response = await fetch(path, {
            method,
            headers: body ? { 'Content-Type': 'application/json' } : {},
            body: body ? JSON.stringify(body) : undefined,
            credentials: 'same-origin',
            cache: 'no-store',
        });
    } catch {
        throw unreachable();
    }
    const answer = await response.json().catch(() => null);
    if (response.ok) return answer;
    throw refusal(response.status, answer, response.headers.get('Retry-After'));
}

const unreachable = () =>
    new ParleyError({
        code: 'unreachable',
        message: "the server can't be reached",
        temporary: true,
    });

function refusal(status, answer, retryAfter) {
    const waits = Number(retryAfter) || 0;
    let message = answer?.detail || answer?.title || `the server answered ${status}`;
    if (status === 429 && waits) message += `; try again in ${waits} s`;
    return new ParleyError({
        code: answer?.code ?? 'internal',
        message,
        temporary: status === 429 || status === 503,
        retry_after_ms: waits ? waits * 1000 : null,
    });
}

const path = (room, leaf) => `/api/v1/rooms/${encodeURIComponent(room)}/${leaf}`;
const query = (values) =>
    new URLSearchParams(Object.entries(values).filter(([, value]) => value != null)).toString();

export const signUp = (name, password) => call('POST', '/api/v1/accounts', { name, password });
export const signIn = (name, password) => call('POST', '/api/v1/session', { name, password });
export const signOut = () => call('DELETE', '/api/v1/session');
export const changePassword = (password, fresh) =>
    call('PUT', '/api/v1/account/password', { password, new_password: fresh });

export const openRooms = () => call('GET', `/api/v1/rooms?${query({ limit: 100 })}`);
export const readMarks = (room) => call('GET', mine(path(room, 'read')));
/** The newest messages with all of the words; `before` a cursor goes on. */
export const search = (room, words, before) =>
    call('GET', `${path(room, 'search')}?${query({ q: words, before, limit: 20, name: guest })}`);

/**
 * Uploads a file to a room: {done, cancel()}. `done` resolves with what the server calls it.
 * progress(part) is told how much is on its way, 0 to 1.
 */
export function upload(room, file, progress) {
    const request = new XMLHttpRequest();
    const done = new Promise((resolve, reject) => {
        request.open(
            'POST',
            `${path(room, 'files')}?${query({ filename: file.name, name: guest })}`,
        );
        request.responseType = 'json';
        request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
        request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
        request.onload = () => {
            const { status, response } = request;
            if (status === 201) return resolve(response.file);
            reject(refusal(status, response, request.getResponseHeader('Retry-After')));
        };
        request.onerror = () => reject(unreachable());
        request.onabort = () =>
            reject(new ParleyError({ code: 'canceled', message: 'the upload was canceled' }));
        request.send(file);
    });
    return { done, cancel: () => request.abort() };
}

/**
 * What the server is and who one is to it: {features, limits, user, signedIn, stale}. A connection
 * of a moment asks: what it is welcomed with says both.
 */
export function introduce(url, patienceMs = 10_000) {
    return new Promise((resolve, reject) => {
        const socket = new WebSocket(url, 'parley.v1');
        const finish = (settle, value) => {
            clearTimeout(timer);
            socket.onclose = socket.onmessage = null;
            socket.close(1000);
            settle(value);
        };
        const timer = setTimeout(() => finish(reject, unreachable()), patienceMs);
        let welcome = null;
        socket.onopen = () => socket.send('{"type":"ping","id":1}');
        socket.onmessage = ({ data }) => {
            const frame = JSON.parse(data);
            if (frame.type === 'welcome') welcome = frame;
            else finish(resolve, introduction(welcome ?? {}, frame));
        };
        socket.onclose = () => finish(reject, unreachable());
    });
}

// `stale`: a cookie that is good for nothing any more, and in the way until it is given back.
const introduction = ({ features = [], limits = {}, user = null, signed_in = false }, answer) => ({
    features: new Set(features),
    limits,
    user,
    signedIn: signed_in,
    stale: answer.type === 'error' && answer.code === 'unauthorized',
});
