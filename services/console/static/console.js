// The console's script: live regions, keys, times that go on, copy buttons. Every page works without it.

const body = document.body;
const status = document.getElementById("status");
const news = document.getElementById("news");
const region = () => document.getElementById("live");
const token = document.querySelector('meta[name="leadbaton-token"]')?.content ?? "";
// Change what stands above an element, which stays where it is in the window: there a viewer presses or writes.
const hold = (element, change) => {
  const top = element?.getBoundingClientRect().top;
  change();
  if (!element) return;
  const shift = () => {
    scrollBy({ top: element.getBoundingClientRect().top - top, behavior: "instant" });
    return element.getBoundingClientRect().top - top;
  };
  // Where the page is too short to be scrolled that far it gets room; margins that no longer collapse need a second try.
  for (let rest = shift(), room = 0, tries = 0; Math.abs(rest) >= 1 && tries < 3; rest = shift(), tries += 1) {
    if (rest > 0 && room === 0) body.style.minHeight = `${document.documentElement.scrollHeight + rest}px`;
    else {
      room -= rest;
      region()?.style.setProperty("padding-bottom", `${room}px`);
    }
  }
};
const say = (text) => {
  if (status) hold(document.querySelector("#status ~ :is(:hover, :focus-within)"), () => { status.textContent = text; });
};
const remember = (name, value) => {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=strict`;
};

// The viewer's zone: the server writes times in it from the next page on.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
if (!document.cookie.split("; ").includes(`leadbaton_zone=${encodeURIComponent(zone)}`)) {
  remember("leadbaton_zone", zone);
  if (document.cookie.includes("leadbaton_zone=") && document.querySelector("main time")) location.reload();
}

// A link of one use needs no second click.
document.getElementById("link-form")?.submit();

// Times until something is due, as the server writes them.
const units = (seconds) => {
  const whole = Math.floor(Math.abs(seconds));
  if (whole < 60) return `${whole} s`;
  const parts = [[Math.floor(whole / 86400), "d"], [Math.floor((whole % 86400) / 3600), "h"], [Math.floor((whole % 3600) / 60), "min"]];
  while (parts[0][0] === 0) parts.shift();
  return parts.slice(0, 2).filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
};
const tick = () => {
  for (const time of document.querySelectorAll("time[data-due]")) {
    const left = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const text = left >= 0 ? `in ${units(left)}` : `${units(left)} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
};
setInterval(tick, 1000);

// The live region: swapped at once, or offered while the viewer points at it, writes in it or has paused.
let pending = null;
let paused = false;
const isBusy = () => {
  const live = region();
  const focused = live?.contains(document.activeElement) ? document.activeElement : null;
  return paused || live?.matches(":hover") || news?.matches(":hover") || news?.contains(document.activeElement) || live?.querySelector("dialog[open]") !== null
    || (focused !== null && focused.matches("input, select, textarea"));
};
const rows = (root) => new Map([...root.querySelectorAll("tr[id], li[id]")].map((row) => [row.id, row.textContent]));
// What was entered in the forms of the region: it survives a swap.
const fields = (root) => [...root.querySelectorAll("form[action] :is(input:not([type=hidden]), textarea, select)")];
const nameOf = (field) => [field.form.getAttribute("action"), field.name, field.matches("[type=checkbox], [type=radio]") ? field.value : ""].join(" ");
const enteredIn = (field) => {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked === field.defaultChecked ? [] : [["checked", field.checked]];
  const before = field.matches("select") ? ([...field.options].findLast((it) => it.defaultSelected) ?? field.options[0])?.value : field.defaultValue;
  return field.value === before ? [] : [["value", field.value]];
};
const keepEntered = (live, parsed) => {
  const entered = new Map(fields(live).map((field) => [nameOf(field), enteredIn(field)]));
  for (const field of fields(parsed)) {
    for (const [property, value] of entered.get(nameOf(field)) ?? []) {
      if (!field.matches("select") || [...field.options].some((it) => it.value === value)) field[property] = value;
    }
  }
};
// What stands below the region and must stay in its place: what the viewer points at or writes in, or what is in sight at the region's end.
const heldBelow = (live) => {
  const next = live.nextElementSibling;
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  const isWritten = document.querySelector("#live ~ :focus-within") && top < innerHeight && bottom > 0;
  const isRead = next && live.getBoundingClientRect().top < 0 && next.getBoundingClientRect().top < innerHeight;
  return document.querySelector("#live ~ :hover") ?? (isWritten ? document.activeElement : isRead ? next : null);
};
const swap = (html) => {
  const live = region();
  if (!live) return;
  const focused = live.contains(document.activeElement) ? document.activeElement : null;
  const place = focused?.id || focused?.closest("[id]")?.id;
  const link = focused?.getAttribute("href");
  const open = new Set([...live.querySelectorAll("details[open][id]")].map((it) => it.id));
  const parsed = new DOMParser().parseFromString(html, "text/html").getElementById("live");
  if (!parsed) return;
  for (const field of parsed.querySelectorAll('input[name="token"]')) field.value = token;
  for (const id of open) parsed.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  keepEntered(live, parsed);
  hold(heldBelow(live), () => live.replaceWith(parsed));
  if (place && place !== "live") {
    const there = document.getElementById(place);
    const target = link ? [...(there?.querySelectorAll("a[href]") ?? [])].find((it) => it.getAttribute("href") === link) : there;
    (target ?? there)?.focus({ preventScroll: true });
  }
  tick();
};
const offer = (html) => {
  const live = region();
  if (!live || !news) return;
  pending = html;
  const before = rows(live);
  const after = rows(new DOMParser().parseFromString(html, "text/html"));
  let count = 0;
  for (const [id, text] of after) if (before.get(id) !== text) count += 1;
  for (const id of before.keys()) if (!after.has(id)) count += 1;
  news.hidden = false;
  news.firstElementChild.textContent = paused ? `Paused: ${count} new, show` : `${count} new, show`;
};
const showPending = () => {
  if (pending === null) return;
  const html = pending;
  pending = null;
  news.hidden = true;
  swap(html);
};
document.getElementById("show-news")?.addEventListener("click", showPending);
const settle = () => { if (pending !== null && !isBusy()) showPending(); };
document.addEventListener("pointerover", settle);
document.addEventListener("focusout", () => setTimeout(settle, 0));

// One stream a page, closed while the tab is hidden; the browser resumes it with the last id it has seen.
let source = null;
const connect = () => {
  if (!body.dataset.live || source) return;
  source = new EventSource(body.dataset.live);
  source.addEventListener("message", (event) => (isBusy() ? offer(event.data) : swap(event.data)));
  source.addEventListener("reload", () => location.reload());
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      say("The live view has ended: reload the page.");
    }
  });
};
const disconnect = () => { source?.close(); source = null; };
document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
window.addEventListener("pagehide", disconnect);
if (!document.hidden) connect();

// Copy buttons of ids.
document.addEventListener("click", async (event) => {
  const id = event.target.closest?.("[data-copy]");
  if (!id || !navigator.clipboard) return;
  await navigator.clipboard.writeText(id.dataset.copy);
  say("Copied.");
});

// Keys.
const help = document.getElementById("help");
const helpButton = document.getElementById("help-button");
if (helpButton) {
  helpButton.hidden = false;
  helpButton.addEventListener("click", () => help.showModal());
}
document.getElementById("keys-switch")?.addEventListener("change", (event) => {
  body.dataset.keys = event.target.checked ? "on" : "off";
  remember("leadbaton_keys", body.dataset.keys);
});
const links = () => [...document.querySelectorAll("main tbody tr, main .story > li")].map((row) => row.querySelector("a[href], summary")).filter(Boolean);
const move = (step) => {
  const all = links();
  if (!all.length) return;
  const row = document.activeElement?.closest?.("tr, li");
  const at = all.findIndex((link) => link.closest("tr, li") === row);
  all[Math.min(all.length - 1, Math.max(0, at === -1 ? (step > 0 ? 0 : all.length - 1) : at + step))].focus();
};
const pause = () => {
  paused = !paused;
  say(paused ? "Paused: nothing moves until you press p." : "No longer paused.");
  settle();
};
let going = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isWriting = event.target.matches?.("input, select, textarea");
  if (event.key === "Escape") {
    if (isWriting) event.target.blur();
    return;
  }
  if (isWriting || help?.open) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (document.activeElement?.closest?.("main tr, main .story > li")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    }
    return;
  }
  if (body.dataset.keys !== "on") return;
  if (going) {
    going = false;
    document.querySelector(`.rail a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  const acts = {
    "?": () => help?.showModal(),
    "/": () => document.getElementById("q")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    p: pause,
    g: () => { going = true; setTimeout(() => { going = false; }, 1500); },
  };
  if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});
