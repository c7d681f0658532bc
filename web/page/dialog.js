// Questions of the page: a modal <dialog> with a form; the server's refusal is shown in it.

import { element, sentence } from './dom.js';
import { icon } from './icons.js';

let next = 0;

function field({ name, label, type = 'text', value = '', options, ...rest }) {
    const id = `field-${++next}`;
    const attributes = { id, name, ...rest };
    let input;
    if (options) {
        input = element('select', attributes);
        for (const [of, text] of options) input.append(element('option', { value: of }, text));
    } else if (type === 'area') {
        input = element('textarea', { rows: 3, ...attributes });
    } else {
        input = element('input', { type, ...attributes });
    }
    if (value) input.value = value;
    return [element('label', { for: id }, label), input];
}

/**
 * Asks; `submit(values)` may throw an error that is shown, and then is asked again. Resolves with
 * what submit gave, or null where it was canceled. `extra(dialog)` gives more nodes for it.
 */
export function ask({ title, text, fields = [], action, danger = false, submit, extra }) {
    const error = element('p', { class: 'dialog-error', role: 'alert', hidden: true });
    const confirm = element('button', { class: danger ? 'primary danger' : 'primary' }, action);
    const cancel = element('button', { class: 'quiet', type: 'button' }, 'Cancel');
    const close = element('button', { class: 'icon', type: 'button', 'aria-label': 'Close' });
    close.append(icon('close', 18));
    const form = element('form', { novalidate: true });
    const heading = element('h2', { id: `dialog-${++next}` }, title);
    const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': heading.id }, form);
    form.append(element('header', {}, heading, close));
    if (text) form.append(element('p', { class: 'dialog-text' }, text));
    for (const each of fields) form.append(...field(each));
    if (extra) form.append(...extra(dialog));
    form.append(error, element('footer', {}, cancel, ...(action ? [confirm] : [])));
    document.body.append(dialog);
    const before = document.activeElement;
    return new Promise((resolve) => {
        let answer = null;
        dialog.addEventListener('close', () => {
            dialog.remove();
            if (before?.isConnected) before.focus();
            resolve(answer);
        });
        for (const button of [cancel, close])
            button.addEventListener('click', () => dialog.close());
        dialog.addEventListener('pointerdown', (event) => {
            if (event.target === dialog) dialog.close(); // the ground beside it
        });
        form.addEventListener('submit', async (event) => {
            event.preventDefault();
            const values = Object.fromEntries(new FormData(form));
            confirm.disabled = true;
            error.hidden = true;
            try {
                answer = (await submit(values)) ?? true;
                dialog.close();
            } catch (refused) {
                error.textContent = sentence(refused.message);
                error.hidden = false;
            } finally {
                confirm.disabled = false;
            }
        });
        dialog.showModal();
        (form.querySelector('input:not([readonly]), textarea, select') ?? confirm).focus();
    });
}
