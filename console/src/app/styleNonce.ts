/**
 * Give the page's nonce to each style element that a script creates.
 *
 * antd writes its styles at run time, and some of its helpers (the scroll lock of dialogs) take no nonce. The policy
 * of the page refuses every style element without one, also one that comes with injected HTML.
 */
export function applyStyleNonce(): void {
  const meta = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]");
  const nonce = meta?.nonce;
  if (!nonce) return;
  const createElement = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const element = createElement(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
}
