// Files in messages: `data: {file: {name, type, size, url, width?, height?}}`.
//
// A message may claim what it likes. Its address counts only as one of this server's files, which
// come with the type that their bytes have, and are never run; a picture is an <img> of that.

import { element, fileSize } from './dom.js';
import { icon } from './icons.js';
import { mine } from './rest.js';

const addresses = /^\/api\/v1\/files\/[A-Za-z0-9_-]{22}$/;
const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const sideMax = 20_000;

/** The file that a message tells of, or null. */
export function fileOf({ data }) {
    const file = data?.file;
    if (typeof file !== 'object' || file === null) return null;
    if (typeof file.url !== 'string' || !addresses.test(file.url)) return null;
    if (typeof file.name !== 'string' || !file.name) return null;
    const side = (value) =>
        Number.isInteger(value) && value > 0 && value < sideMax ? value : null;
    return {
        url: file.url,
        name: file.name.slice(0, 255),
        type: typeof file.type === 'string' ? file.type : '',
        size: Number.isFinite(file.size) && file.size >= 0 ? file.size : null,
        width: side(file.width),
        height: side(file.height),
    };
}

/** What goes into a message about an uploaded file. */
export async function fileMessage(uploaded, blob) {
    const { id, name, type, size, url } = uploaded;
    const file = { id, name, type, size, url };
    if (pictures.has(type)) {
        try {
            const { width, height } = await createImageBitmap(blob);
            Object.assign(file, { width, height });
        } catch {
            // Shown without its place kept.
        }
    }
    return { data: { file } };
}

const link = (file, ...children) => ({
    href: mine(file.url),
    target: '_blank',
    rel: 'noopener noreferrer',
    ...Object.assign({}, ...children),
});

function named(file) {
    const size = file.size === null ? '' : fileSize(file.size);
    return element(
        'a',
        link(file, { class: 'file', download: pictures.has(file.type) ? null : file.name }),
        icon('file', 22),
        element(
            'span',
            {},
            element('span', { class: 'file-name' }, file.name),
            element('span', { class: 'file-size' }, size),
        ),
    );
}

/** A file as nodes: a picture, loaded when it comes into view, or a link with its name. */
export function fileNodes(file) {
    if (!pictures.has(file.type)) return [named(file)];
    const image = element('img', {
        class: 'picture',
        src: mine(file.url),
        alt: file.name,
        loading: 'lazy',
        decoding: 'async',
        width: file.width,
        height: file.height,
    });
    const shown = element('a', link(file, { class: 'picture-link', title: file.name }), image);
    image.addEventListener('error', () => shown.replaceWith(named(file)));
    return [shown];
}
