// The drawings on buttons: paths of a 24 by 24 square, stroked in the text's colour.

const paths = {
    rooms: 'M4 6.5h16 M4 12h16 M4 17.5h10',
    people:
        'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z M2.5 19.5c.6-3.2 3.2-5 6.5-5s5.9 1.8 6.5 5 ' +
        'M15.5 4.8a3.5 3.5 0 0 1 0 6.4 M18 14.9c1.9.7 3.1 2.3 3.5 4.6',
    search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z M15.5 15.5 20 20',
    close: 'M6 6l12 12 M18 6 6 18',
    plus: 'M12 5v14 M5 12h14',
    more: 'M12 6.01V6 M12 12.01V12 M12 18.01V18',
    attach:
        'M20 11.5l-8.2 8.2a5 5 0 0 1-7.1-7.1L13 4.4a3.4 3.4 0 0 1 4.8 4.8l-8.3 8.2' +
        'a1.7 1.7 0 0 1-2.4-2.4l7.6-7.5',
    send: 'M4.2 19.6 20.6 12 4.2 4.4l0 5.9L14 12 4.2 13.7z',
    check: 'M5 12.5l4.5 4.5L19 7.5',
    lock: 'M6.5 11h11v8.5h-11z M8.8 11V8a3.2 3.2 0 0 1 6.4 0v3',
    file: 'M7 3.5h7l4 4v13H7z M14 3.5v4h4',
    speaker: 'M4.5 9.5h3l5-4v13l-5-4h-3z M16 9a4 4 0 0 1 0 6',
};

export function icon(name, size = 20) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    const set = (node, attributes) => {
        for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    };
    set(svg, { viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true' });
    set(path, {
        d: paths[name],
        fill: name === 'send' ? 'currentColor' : 'none',
        stroke: name === 'send' ? 'none' : 'currentColor',
        'stroke-width': name === 'more' ? 2.6 : 1.8,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
    });
    svg.append(path);
    return svg;
}

/** Draws every button of the page's own markup that names its icon. */
export function drawIcons(root) {
    for (const node of root.querySelectorAll('[data-icon]')) node.prepend(icon(node.dataset.icon));
}
