/** Give the focus back to the element that opened a dialog, or to the page if that is gone or can do nothing any more. */
export function returnFocus(opener: Element | null): void {
  const isUsable = opener?.isConnected && opener.checkVisibility() && !opener.matches(":disabled, body");
  const target = isUsable ? opener : document.getElementById("content");
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}
