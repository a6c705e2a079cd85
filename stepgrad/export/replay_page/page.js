// The page shows what is written in it as data: every text and number is the debugger's own.
// A view is a training step. Each part of it has moments: from a position on, what it is like.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("replay").textContent);
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const graph = one(".graph"), rows = one(".rows");
  const slider = one("#position"), steps = one("#step");
  const STAGES = ["waiting", "forward", "tangent", "backward", "current"];
  const PAUSE = 900; // milliseconds between two events that are played

  let position = -1, view = null, elements = [], shown = [], playing = 0, settling = 0;

  // Where one can be.

  const clamped = (at) => {
    for (const each of data.views) {
      if (at <= each.last) return Math.max(at, each.first);
    }
    return data.views.at(-1).last;
  };

  const viewAt = (at) => data.views.find((each) => at <= each.last);

  const before = (list, at) => list.findLast((each) => each < at);
  const after = (list, at) => list.find((each) => each > at);

  const turned = (by) => { // to the same point of another step; before the first, to its first event
    const counted = view.ordinal !== null, begun = counted && position > view.begin;
    const next = data.views[data.views.indexOf(view) + by - (counted && !begun)];
    if (begun && by < 0 && (next?.ordinal ?? null) === null) {
      return view.ordinal === 0 ? view.begin : undefined;
    }
    return next && Math.min(next.begin + (begun ? position - view.begin : 1), next.last);
  };

  const stepped = (by) => {
    if (viewAt(position + by) === view && position + by >= view.first) return position + by;
    const next = data.views[data.views.indexOf(view) + by];
    return next && (by > 0 ? next.first : next.last);
  };

  const leads = {
    step: () => stepped(1),
    step_back: () => stepped(-1),
    next_node: () => after(data.stops.next_node, position),
    previous_node: () => before(data.stops.previous_node, position),
    phase_end: () => after(data.stops.phase_end, position),
    phase_start: () => before(data.stops.phase_start, position),
    next_step: () => turned(1),
    previous_step: () => turned(-1),
    start: () => data.views[0].first,
    end: () => data.views.at(-1).last,
  };

  // Showing a position.

  const mount = () => {
    const template = document.getElementById(`view${view.drawn}`).content.cloneNode(true);
    graph.replaceChildren(template.querySelector("svg"));
    one("figcaption").replaceChildren(...template.querySelector(".legend").childNodes);
    rows.replaceChildren(template.querySelector("table"));
    elements = view.parts.map(() => []);
    for (const element of all("[data-part]", one("main"))) {
      elements[element.dataset.part].push(element);
    }
    shown = view.parts.map(() => null);
    const phases = view.phases.map(([phase, events]) => {
      const span = document.createElement("span");
      span.dataset.phase = phase;
      span.style.flexGrow = events;
      return span;
    });
    one(".phases").replaceChildren(...phases);
    slider.min = view.first;
    slider.max = view.last;
    fit();
  };

  const paint = (element, [, style, ...texts]) => {
    element.dataset.state = style;
    for (const slot of all("[data-slot]", element)) {
      const at = 2 * slot.dataset.slot;
      slot.textContent = texts[at] ?? "";
      slot.dataset.sign = texts[at + 1] ?? "";
    }
  };

  const raise = (element) => { // of the wires that share a trunk, the furthest is on top
    const rank = ({ dataset }) => STAGES.indexOf(dataset.state?.split(" ")[0]);
    const net = element.parentNode;
    net.append(...[...net.children].sort((one, other) => rank(one) - rank(other)));
  };

  const paintParts = () => {
    view.parts.forEach((moments, part) => {
      const moment = moments.findLast(([from]) => from <= position) ?? moments[0];
      if (moment === shown[part]) return;
      shown[part] = moment;
      for (const element of elements[part]) {
        paint(element, moment);
        if (element.classList.contains("edge")) raise(element);
      }
    });
  };

  const paintEvent = () => {
    const [place, phase, symbols, numbers, effect, sentence] = view.events[position - view.first];
    root.dataset.phase = phase;
    const link = one(".place a");
    link.textContent = place;
    link.href = `#${position}`;
    one(".symbols").textContent = symbols;
    one(".numbers").textContent = numbers;
    one(".effect").textContent = effect;
    one("#sentence").textContent = playing ? "" : sentence; // a voice cannot follow
    slider.value = position;
    slider.setAttribute("aria-valuetext", place);
    for (const command of all("[data-at]")) {
      command.textContent = command.dataset.at.replace("{}", position);
    }
    if (steps) {
      steps.value = data.views.indexOf(view);
      steps.setAttribute("aria-valuetext", view.name);
      one("#step-name").textContent = view.name;
    }
    for (const button of all(".buttons [data-do]")) {
      const lead = leads[button.dataset.do];
      button.disabled = lead ? [undefined, position].includes(lead()) : false;
    }
  };

  const show = (at) => {
    const next = clamped(at);
    if (next === position) return;
    position = next;
    if (viewAt(position) !== view) {
      view = viewAt(position);
      mount();
    }
    paintParts();
    paintEvent();
    follow();
    clearTimeout(settling);
    settling = setTimeout(remember, 250); // a browser stops a page that does this all the time
  };

  const remember = () => {
    if (location.protocol === "about:") return; // in a notebook, the address is not ours
    history.replaceState(null, "", `#${position}`);
  };

  // What happens is in view, and the page itself stays where it is.

  const fit = () => {
    const svg = graph.querySelector("svg"), wide = svg.viewBox.baseVal.width;
    const style = getComputedStyle(graph);
    const room = graph.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    svg.style.width = `${wide * Math.min(1, Math.max(room / wide, 0.78))}px`;
  };

  const into = (pane, element, margin) => {
    if (!element) return;
    const inner = element.getBoundingClientRect(), outer = pane.getBoundingClientRect();
    const shift = (start, end, from, to) =>
      start < from + margin ? start - from - margin : Math.max(0, Math.min(end - to + margin, start - from - margin));
    pane.scrollBy(
      shift(inner.left, inner.right, outer.left, outer.right),
      shift(inner.top, inner.bottom, outer.top, outer.bottom),
    );
  };

  const follow = () => {
    into(graph, graph.querySelector(".box[data-state=current]"), 90);
    into(rows, rows.querySelector("tr[data-state=current]"), 48);
  };

  // Playing.

  const play = (on) => {
    clearInterval(playing);
    playing = on ? setInterval(() => {
      const next = leads.step();
      if (next === undefined) play(false);
      else show(next);
    }, PAUSE) : 0;
    root.classList.toggle("playing", on);
    const button = one("[data-do=play]");
    button.setAttribute("aria-pressed", on);
    if (!on) paintEvent();
  };

  const act = (name) => {
    if (name === "play") {
      if (!playing && leads.step() === undefined) show(leads.start());
      play(!playing);
      return;
    }
    if (playing) play(false);
    const at = leads[name]();
    if (at !== undefined) show(at);
  };

  // What a person does.

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    const link = event.target.closest('a[href^="#"]');
    if (button) act(button.dataset.do);
    if (link && /^#\d+$/.test(link.getAttribute("href"))) {
      event.preventDefault();
      if (playing) play(false);
      show(Number(link.getAttribute("href").slice(1)));
      remember();
    }
  });

  const KEYS = { ArrowLeft: "left", ArrowRight: "right", Home: "home", End: "end", " ": "space" };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const command = data.keys[KEYS[event.key] ?? event.key];
    const target = event.target.closest?.("button, a, input");
    if (!command || (target && event.key === " ")) return; // which presses it
    if (steps && target === steps && event.key in KEYS) return; // which moves it
    event.preventDefault();
    act(command);
  });

  slider.addEventListener("input", () => {
    if (playing) play(false);
    show(Number(slider.value));
  });
  steps?.addEventListener("input", () => {
    if (playing) play(false);
    show(turned(Number(steps.value) - data.views.indexOf(view)) ?? position);
  });

  let touched = null;
  const card = one(".event");
  card.addEventListener("touchstart", ({ changedTouches: [touch] }) => {
    touched = touch;
  }, { passive: true });
  card.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    if (!touched) return;
    const across = touch.clientX - touched.clientX, down = touch.clientY - touched.clientY;
    if (Math.abs(across) > 40 && Math.abs(across) > 2 * Math.abs(down)) {
      act(across < 0 ? "step" : "step_back");
    }
  }, { passive: true });

  one("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const linked = () => /^#\d{1,15}$/.test(location.hash) && Number(location.hash.slice(1));
  addEventListener("hashchange", () => {
    if (linked() !== false) show(linked());
    remember(); // the address says where this is, even if it was asked for more than there is
  });
  addEventListener("resize", () => {
    fit();
    follow();
  });

  show(linked() === false ? data.at : linked());
  root.classList.add("opened"); // from here on, the graph glides
})();
