type CreateElement = (this: Document, name: string, options?: ElementCreationOptions) => Element;

/**
 * Give the page's nonce to each style element that a script adds to the page.
 *
 * antd writes its styles at run time, and some of its helpers (the scroll lock of dialogs) take no nonce. The policy
 * of the page refuses every style element without one, also one that comes with injected HTML.
 */
export function applyStyleNonce(): void {
  const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce;
  if (!nonce) return;
  const createElement = Reflect.get(Document.prototype, "createElement") as CreateElement;
  const createWithNonce: CreateElement = function (name, options) {
    const element = createElement.call(this, name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
  Reflect.set(Document.prototype, "createElement", createWithNonce);
}
