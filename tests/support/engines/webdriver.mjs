// A browser by the W3C's WebDriver protocol, with the few verbs that the tests need, named as Playwright names them.
//
// Firefox speaks the protocol's commands by itself (firefox.mjs), WebKit by its driver over HTTP (webkit.mjs). Either gives
// `send(command, parameters)`, the command by its name in the standard (https://www.w3.org/TR/webdriver2/#endpoints).

/** The key of an element's reference (WebDriver §12.2). */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const PATIENCE = 10_000;

/** A browser with its first window, `page`. */
export class WebDriverBrowser {
  #send;
  #current;
  #inFrame = false;
  #last = Promise.resolve();

  constructor(send) {
    this.#send = send;
  }

  /** Takes the window that the browser has opened by itself. */
  async begin() {
    await this.#send("Set Timeouts", { script: 30_000, pageLoad: 30_000, implicit: 0 });
    this.#current = await this.#send("Get Window Handle");
    this.page = new Page(this, this.#current);
    return this;
  }

  /** Sends a command to a window, or to a frame of it; one after the other, as a driver has one window in view. */
  to(handle, frame, command, parameters) {
    return this.#inTurn(async () => {
      if (this.#current !== handle) {
        await this.#send("Switch To Window", { handle });
        this.#current = handle;
        this.#inFrame = false;
      }
      if (this.#inFrame) await this.#send("Switch To Frame", { id: null });
      this.#inFrame = frame !== undefined;
      if (frame !== undefined) await this.#send("Switch To Frame", { id: frame });
      return this.#send(command, parameters);
    });
  }

  /** The next window that is opened while `act` runs, and what that returns. */
  async opening(act) {
    const handles = () => this.#inTurn(() => this.#send("Get Window Handles"));
    const before = await handles();
    const returned = await act();
    const handle = await until(async () => (await handles()).find((handle) => !before.includes(handle)), "no window was opened");
    return [new Page(this, handle), returned];
  }

  /** The cookies that the browser has for the page that is open. */
  cookies() {
    return this.page.send("Get All Cookies");
  }

  #inTurn(act) {
    const done = this.#last.then(act);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** A document: of a window, or of a frame in it. */
class Document {
  constructor(browser, handle, frame) {
    Object.assign(this, { browser, handle });
    this.send = (command, parameters) => browser.to(handle, frame, command, parameters);
  }

  /** Runs a function in the page, and returns what it, or its promise, comes to. */
  async evaluate(body, argument) {
    const script = `
      const [given, done] = arguments;
      Promise.resolve().then(() => (${body})(given)).then((value) => done({ value }), (error) => done({ error: \`\${error}\\n\${error?.stack}\` }));
    `;
    const { value, error } = await this.send("Execute Async Script", { script, args: [argument ?? null] });
    if (error !== undefined) throw new Error(error);
    return value ?? undefined;
  }
}

class Page extends Document {
  goto(url) {
    return this.send("Navigate To", { url });
  }

  url() {
    return this.send("Get Current URL");
  }

  title() {
    return this.send("Get Title");
  }

  /** Waits for the window to be at a URL, which may end in `*`, with its document loaded. */
  async waitForURL(url) {
    const fits = (now) => (url.endsWith("*") ? now.startsWith(url.slice(0, -1)) : now === url);
    let now;
    await until(async () => fits((now = await this.url())), () => `the window is at ${now}, not at ${url}`);
    // While one document takes the place of another, there is none to ask.
    await until(() => this.evaluate(() => document.readyState === "complete").catch(() => false), "the document does not load");
  }

  async #element(selector) {
    const find = async () => (await this.send("Find Elements", { using: "css selector", value: selector }))[0]?.[ELEMENT];
    return until(find, `no ${selector} is shown`);
  }

  async click(selector) {
    await this.send("Element Click", { id: await this.#element(selector) });
  }

  async fill(selector, text) {
    const id = await this.#element(selector);
    await this.send("Element Clear", { id });
    await this.send("Element Send Keys", { id, text });
  }

  /** The document of the page's frame with this number, whichever element holds it. */
  frame(number) {
    return new Document(this.browser, this.handle, number);
  }

  close() {
    return this.send("Close Window");
  }
}

/** What a question comes to, once that is something; fails when it does not in good time. */
export async function until(question, otherwise, patience = PATIENCE) {
  for (const deadline = Date.now() + patience; ; ) {
    const found = await question();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(typeof otherwise === "function" ? otherwise() : otherwise);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
