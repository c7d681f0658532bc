// What the parts of the page are made of: elements, avatars, times and linked text.
//
// No markup is ever parsed: strings become text nodes, and only http and https become links.

const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

const dateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

export const clockTime = (date) => clockFormat.format(date);
export const fullTime = (date) => fullFormat.format(date);

/** Short: the time today, else the date. */
export const shortTime = (date) =>
    date.toDateString() === new Date().toDateString() ? clockTime(date) : dateFormat.format(date);

/** An element with its class, attributes and children; strings become text nodes. */
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
        else if (value === true) made.setAttribute(name, '');
        else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
}

/** One of eight colours, the same for a name wherever it shows. */
export function hue(name) {
    let hash = 0;
    for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
    return String(hash % 8);
}

export function avatar(name) {
    const [initial = '?'] = name.trim();
    const attributes = { class: 'avatar', 'data-hue': hue(name), 'aria-hidden': 'true' };
    return element('span', attributes, initial.toUpperCase());
}

/** Today, Yesterday, or the date. */
export function dayName(date) {
    const dayStart = (time) => new Date(time).setHours(0, 0, 0, 0);
    const days = Math.round((dayStart(Date.now()) - dayStart(date)) / 86_400_000);
    if (days === 0) return 'Today';
    if (days === 1) return 'Yesterday';
    const year = date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric';
    return date.toLocaleDateString(undefined, {
        weekday: 'long',
        day: 'numeric',
        month: 'long',
        year,
    });
}

// Where a URL in running text ends: not with the sentence's punctuation, nor with a bracket that
// was opened before it.
function trimUrl(url) {
    for (;;) {
        const last = url.at(-1);
        const opening = { ')': '(', ']': '[' }[last];
        const unbalanced = opening && url.split(last).length > url.split(opening).length;
        if (!unbalanced && !/[.,;:!?'"*_~]/.test(last)) return url;
        url = url.slice(0, -1);
    }
}

/** Text as nodes, with its http and https addresses as links. */
export function linkified(text) {
    const nodes = [];
    let end = 0;
    for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"]+/gi)) {
        const url = trimUrl(match[0]);
        if (!URL.canParse(url)) continue;
        nodes.push(text.slice(end, match.index));
        nodes.push(element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url));
        end = match.index + url.length;
    }
    nodes.push(text.slice(end));
    return nodes;
}

// Letters as they are looked for: without accents and case, each still one letter.
const fold = (text) =>
    Array.from(text, (letter) => letter.normalize('NFD')[0].toLowerCase()[0] ?? letter);

/** The part of a text around the first of those words, as nodes with all of them marked. */
export function snippet(text, words, most = 160) {
    const letters = Array.from(text);
    const folded = fold(text);
    const marks = new Array(letters.length).fill(false);
    for (const word of words.map(fold).filter((each) => each.length)) {
        for (let at = 0; at + word.length <= folded.length; ++at) {
            const inside = at > 0 && /[\p{L}\p{N}]/u.test(folded[at - 1]);
            if (inside || !word.every((letter, i) => folded[at + i] === letter)) continue;
            marks.fill(true, at, at + word.length);
        }
    }
    const first = Math.max(0, marks.indexOf(true));
    const start = first > most / 3 ? first - Math.floor(most / 4) : 0;
    const end = Math.min(letters.length, start + most);
    const nodes = start > 0 ? ['…'] : [];
    for (let at = start; at < end;) {
        let to = at;
        while (to < end && marks[to] === marks[at]) ++to;
        const part = letters.slice(at, to).join('');
        nodes.push(marks[at] ? element('mark', {}, part) : part);
        at = to;
    }
    if (end < letters.length) nodes.push('…');
    return nodes;
}

/** "820 bytes", "1.2 MB". */
export function fileSize(bytes) {
    if (bytes < 1000) return count(bytes, 'byte');
    const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
    const number = bytes / 1000 ** power;
    const digits = number < 10 ? 1 : 0;
    return `${number.toLocaleString(undefined, { maximumFractionDigits: digits })} ${
        ['', 'kB', 'MB', 'GB', 'TB'][power]
    }`;
}

/** What a server says, as a sentence of this page. */
export function sentence(text) {
    return text && `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}

/** "1 message", "1,200 messages". */
export const count = (number, noun) =>
    `${number.toLocaleString()} ${noun}${number === 1 ? '' : 's'}`;
