// A menu at a button (WAI-ARIA menu): arrows move, Enter takes, Escape and Tab close.

import { element } from './dom.js';

const marginPx = 8;
let open = null; // {node, anchor}

/** items: {label, run, danger?, checked?} or null for a line between groups. */
export function openMenu(anchor, items, { label } = {}) {
    closeMenu();
    const node = element('div', {
        class: 'menu',
        role: 'menu',
        'aria-label': label,
        tabindex: '-1',
    });
    for (const item of items) {
        if (!item) {
            node.append(element('div', { class: 'menu-line', role: 'separator' }));
            continue;
        }
        const attributes = {
            class: item.danger ? 'menu-item danger' : 'menu-item',
            type: 'button',
            role: 'menuitem',
            tabindex: '-1',
            onclick: () => {
                closeMenu(true);
                item.run();
            },
        };
        node.append(element('button', attributes, item.label));
    }
    node.addEventListener('keydown', keyPressed);
    // Inside an open dialog it has to be a part of that, or could not be reached.
    (anchor.closest('dialog') ?? document.body).append(node);
    anchor.setAttribute('aria-expanded', 'true');
    open = { node, anchor };
    place(node, anchor.getBoundingClientRect());
    node.querySelector('.menu-item')?.focus();
}

export function closeMenu(focusAnchor = false) {
    if (!open) return;
    const { node, anchor } = open;
    open = null;
    node.remove();
    anchor.setAttribute('aria-expanded', 'false');
    if (focusAnchor && anchor.isConnected) anchor.focus();
}

function place(node, at) {
    const { offsetWidth: width, offsetHeight: height } = node;
    const right = Math.max(marginPx, Math.min(at.left, innerWidth - width - marginPx));
    const below = at.bottom + 4;
    const top = below + height + marginPx > innerHeight ? at.top - height - 4 : below;
    node.style.left = `${right}px`;
    node.style.top = `${Math.max(marginPx, top)}px`;
}

function keyPressed(event) {
    const items = [...open.node.querySelectorAll('.menu-item')];
    const at = items.indexOf(document.activeElement);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (go !== undefined) items.at(go % items.length)?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') closeMenu(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
}

document.addEventListener('pointerdown', (event) => {
    if (open && !open.node.contains(event.target) && !open.anchor.contains(event.target)) {
        closeMenu();
    }
});
addEventListener('resize', () => closeMenu());
