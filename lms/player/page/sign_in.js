/**
 * Sign in over the lesson, when the sign-in has ended meanwhile.
 *
 * @typedef {(path: string, token: string, body?: BodyInit) => Promise<{status: number, answer: any}>} Post
 */

/**
 * @param {object} given
 * @param {HTMLElement | null} given.dialog with the form, the place of an error, and "Later"
 * @param {{show: () => void, close: () => void}} given.modal
 * @param {string} given.launch
 * @param {string} given.unreachable what is said when the server does not answer
 * @param {(path: string) => Promise<{status: number, answer: any}>} given.ask
 * @param {Post} given.post
 * @param {(token: string) => void} given.renew forms carry another token now
 */
export function signInAt({ dialog, modal, launch, unreachable, ask, post, renew }) {
  const form = dialog?.querySelector("form");
  const error = /** @type {HTMLElement | null} */ (dialog?.querySelector("[data-player=sign-in-error]"));
  const password = /** @type {HTMLInputElement | null} */ (dialog?.querySelector("[name=password]"));
  let token = "";
  /** @type {((done: boolean) => void) | null} */
  let decide = null;
  /** @type {Promise<boolean> | null} */
  let asking = null;
  let isReached = true;

  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { status, answer } = await post(form.action, token, new URLSearchParams({ password: password?.value ?? "" }));
    if (password) password.value = "";
    if (status === 200) {
      renew(answer.csrf_token);
      finish(true);
      return;
    }
    if (status === 403) await look(); // the page was open longer than its token
    if (error) {
      error.textContent = typeof answer.error === "string" ? answer.error : unreachable;
      error.hidden = false;
    }
    password?.focus();
  });
  dialog?.querySelector("[data-player=sign-in-later]")?.addEventListener("click", () => finish(false));
  dialog?.addEventListener("cancel", () => finish(false));

  return {
    /** Whether the server answered when it was asked last. */
    get isReached() {
      return isReached;
    },

    /**
     * See that the learner of this lesson is signed in, and ask for her password if not.
     *
     * @returns {Promise<boolean>} `false`: she is not, and does not want to be now
     */
    async ensure() {
      if ((await look()) !== "no") return true;
      asking ??= new Promise((resolve) => {
        decide = resolve;
        if (error) error.hidden = true;
        modal.show();
      });
      return asking;
    },
  };

  /** @returns {Promise<"yes" | "no" | "unknown">} */
  async function look() {
    const { status, answer } = await ask(`/launches/${launch}/visit`);
    isReached = status !== 0;
    if (status !== 200) return "unknown";
    token = answer.csrf_token;
    if (answer.signed_in !== "yes") return "no";
    renew(token);
    return "yes";
  }

  /** @param {boolean} done */
  function finish(done) {
    modal.close();
    decide?.(done);
    decide = asking = null;
  }
}
