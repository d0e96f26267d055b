/**
 * A button that copies what stands beside it; shown where the browser lets a page copy.
 *
 * @param {object} given
 * @param {HTMLElement} given.button `data-copy`: the id of what to copy; `data-copied`: what to say then
 * @param {(text: string) => Promise<void>} [given.copy]
 * @param {(id: string) => { textContent: string | null } | null} given.find
 */
export function wireCopying({ button, copy, find }) {
  if (copy === undefined) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = find(button.dataset.copy ?? "");
    if (source === null) return;
    await copy((source.textContent ?? "").trim());
    button.textContent = button.dataset.copied ?? "";
  });
}
