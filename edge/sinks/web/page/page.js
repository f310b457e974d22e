"use strict";
// The page of edge-ser: reads the interface under api/v1 and its events, and nothing else.
(() => {
  const SPAN_S = 300;
  const WORDS = {
    quiet: "too quiet", "no-speech": "nobody speaks", uncertain: "unsure", gap: "sound was lost",
  };
  const at = (id) => document.getElementById(id);
  const put = (id, text) => { if (at(id).textContent !== text) at(id).textContent = text; };
  const make = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined && text !== null) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const percent = (share) => `${Math.round(100 * share)} %`;
  const minutes = (s) => (s < 60 ? `${Math.round(s)} s` : `${Math.round(s / 60)} min`);
  const ask = async (path) => {
    const answer = await fetch(`api/v1/${path}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  };

  let labels = [];
  const colours = new Map();
  const bars = new Map();
  let rows = [];
  let cursor = null;
  let lastSaid = "", lastSaidAt = 0;

  const colourOf = (label) => `var(--c${colours.has(label) ? colours.get(label) : 0})`;
  const inkOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Now.

  function know(names) {
    labels = names.map((each) => each.name);
    names.forEach((each) => colours.set(each.name, each.colour));
    at("bars").replaceChildren(...labels.map((label) => {
      const line = make("li"), bar = make("div", null, { class: "bar", "aria-hidden": "true" });
      const fill = make("i"), value = make("span", "–");
      fill.style.background = colourOf(label);
      bar.append(fill);
      line.append(make("span", label, { title: label }), bar, value);
      bars.set(label, [fill, value]);
      return line;
    }));
  }

  function gauge(id, value, text, low, high) {
    const share = value === null ? 0 : (Math.min(Math.max(value, low), high) - low) / (high - low);
    at(id).firstElementChild.style.width = `${100 * share}%`;
    at(id).setAttribute("aria-valuenow", value === null ? low : value.toFixed(2));
    at(id).setAttribute("aria-valuetext", text);
    put(`${id}-text`, text);
  }

  function show(record) {
    const posterior = record.posterior || {};
    const best = Object.entries(posterior).sort((a, b) => b[1] - a[1])[0];
    const name = record.label || WORDS[record.state] || record.state;
    put("label", name);
    at("label").style.setProperty("--at", record.label ? colourOf(record.label) : "var(--line)");
    let detail = "";
    if (record.label) detail = `${percent(posterior[record.label])} probable`;
    else if (best) detail = `perhaps ${best[0]}, ${percent(best[1])}`;
    else detail = record.state === "quiet" ? "nobody speaks" : "there is sound, and no voice in it";
    put("detail", detail);
    for (const [label, [fill, value]] of bars) {
      const share = posterior[label];
      fill.style.width = `${100 * (share || 0)}%`;
      value.textContent = share === undefined ? "–" : percent(share);
    }
    gauge("activation", record.activation,
      record.activation === null ? "–" : record.activation.toFixed(2), 0, 1);
    gauge("level", record.level_db,
      record.level_db === null ? "–" : `${record.level_db.toFixed(0)} dBFS`, -90, 0);
    // Read out what changes, and not twice a second.
    const passed = performance.now() - lastSaidAt;
    if (name !== lastSaid && passed > 4000) {
      put("spoken", name);
      [lastSaid, lastSaidAt] = [name, performance.now()];
    }
  }

  // The last minutes.

  function brief(record) {
    const best = record.posterior
      && (record.label || Object.entries(record.posterior).sort((a, b) => b[1] - a[1])[0][0]);
    return {
      time: record.time, end_s: record.end_s, state: record.type === "gap" ? "gap" : record.state,
      label: best || null, probability: best ? record.posterior[best] : null,
      activation: record.activation === undefined ? null : record.activation,
      level_db: record.level_db === undefined ? null : record.level_db,
    };
  }

  function add(row) {
    // A file that begins anew begins the band anew.
    if (rows.length && row.end_s < rows[rows.length - 1].end_s) rows = [];
    rows.push(row);
    const since = row.end_s - SPAN_S;
    while (rows.length && rows[0].end_s < since) rows.shift();
  }

  let hop = 0.5;
  function draw() {
    const canvas = at("band"), scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (!rows.length) return;
    const end = rows[rows.length - 1].end_s, perS = width / SPAN_S;
    const x = (s) => width - (end - s) * perS;
    const style = new Map(labels.map((label) => [label, inkOf(`--c${colours.get(label)}`)]));
    const [line, ink, dim] = [inkOf("--line"), inkOf("--ink"), inkOf("--dim")];
    const base = height - 10;
    pen.fillStyle = line;
    for (let minute = 1; minute < 5; minute += 1) pen.fillRect(width * minute / 5, 0, 1, base);
    for (const row of rows) {
      const left = x(row.end_s - hop), wide = hop * perS + 0.6;
      if (row.label) {
        const tall = row.probability * (base - 4);
        pen.globalAlpha = row.state === "speech" ? 1 : 0.35;
        pen.fillStyle = style.get(row.label) || dim;
        pen.fillRect(left, base - tall, wide, tall);
        pen.globalAlpha = 1;
      }
      // The strip below: speech, sound, quiet, lost.
      pen.fillStyle = row.state === "gap" ? inkOf("--bad") : row.label ? ink : line;
      if (row.state !== "quiet") pen.fillRect(left, base + 4, wide, row.state === "no-speech" ? 2 : 6);
    }
    pen.strokeStyle = ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    let isDrawing = false;
    for (const row of rows) {
      if (row.activation === null) { isDrawing = false; continue; }
      const y = base - row.activation * (base - 4);
      if (isDrawing) pen.lineTo(x(row.end_s), y); else pen.moveTo(x(row.end_s), y);
      isDrawing = true;
    }
    pen.stroke();
    if (cursor !== null) {
      const row = rows[Math.min(cursor, rows.length - 1)];
      pen.fillStyle = ink;
      pen.fillRect(x(row.end_s) - 1, 0, 2, height);
    }
  }

  function read(row) {
    const clock = row.time ? row.time.slice(11, 19) : `${row.end_s.toFixed(1)} s`;
    const word = WORDS[row.state] || row.state;
    let text = `${clock}: ${row.state === "speech" ? row.label : word}`;
    if (row.label) text += row.state === "speech"
      ? `, ${percent(row.probability)}` : `, perhaps ${row.label}, ${percent(row.probability)}`;
    if (row.activation !== null) text += `, activation ${row.activation.toFixed(2)}`;
    put("band-at", text);
  }

  function count(some) {
    const found = new Map();
    for (const row of some) {
      const key = row.state === "speech" ? row.label : WORDS[row.state] || row.state;
      found.set(key, (found.get(key) || 0) + 1);
    }
    return [...found].sort((a, b) => b[1] - a[1]);
  }

  function tell() {
    const all = count(rows);
    const share = all.map(([key, n]) => `${key} ${percent(n / rows.length)}`).join(", ");
    at("band").setAttribute("aria-label",
      rows.length ? `The last minutes: ${share}` : "Nothing was heard yet");
    if (!at("minutes").querySelector("details").open || !rows.length) return;
    const end = rows[rows.length - 1].end_s, keys = all.map(([key]) => key);
    const head = make("tr");
    head.append(make("th", "Minutes ago", { scope: "col" }),
      ...keys.map((key) => make("th", key, { scope: "col" })));
    at("minutes-head").replaceChildren(head);
    at("minutes-body").replaceChildren(...[0, 1, 2, 3, 4].map((ago) => {
      const some = rows.filter((row) => Math.floor((end - row.end_s) / 60) === ago);
      const found = new Map(count(some)), line = make("tr");
      line.append(make("th", ago ? `${ago} to ${ago + 1}` : "0 to 1", { scope: "row" }), ...keys.map(
        (key) => make("td", some.length ? percent((found.get(key) || 0) / some.length) : "–")));
      return line;
    }));
  }

  at("minutes").querySelector("details").addEventListener("toggle", tell);
  at("band").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    const end = { Home: 0, End: rows.length - 1 }[event.key];
    if (!rows.length || (step === undefined && end === undefined)) return;
    event.preventDefault();
    const from = cursor === null ? rows.length - 1 : cursor;
    cursor = end === undefined ? Math.min(Math.max(from + step, 0), rows.length - 1) : end;
    read(rows[cursor]);
    draw();
  });
  at("band").addEventListener("pointermove", (event) => {
    if (!rows.length) return;
    const box = at("band").getBoundingClientRect();
    const s = rows[rows.length - 1].end_s - (1 - (event.clientX - box.left) / box.width) * SPAN_S;
    const found = rows.findIndex((row) => row.end_s >= s);
    cursor = found < 0 ? rows.length - 1 : found;
    read(rows[cursor]);
    draw();
  });
  const leave = () => { cursor = null; put("band-at", ""); draw(); };
  at("band").addEventListener("pointerleave", leave);
  at("band").addEventListener("blur", leave);
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // The day and the week.

  const HOUR = 3600000;
  const hourOf = (date) => `${date.getHours()}`.padStart(2, "0");
  const cell = (colour, share, text) => {
    const made = make("td", null, text ? { title: text } : {});
    if (share > 0) {
      const fill = make("i", null, { "aria-hidden": "true" });
      fill.style.background = colour;
      fill.style.opacity = (0.3 + 0.7 * Math.sqrt(Math.min(share, 1))).toFixed(2);
      made.append(fill);
    }
    made.append(make("span", text || "–", { class: "unseen" }));
    return made;
  };
  const headOf = (names, hours) => {
    const head = make("tr");
    head.append(make("th", null, { class: "names", scope: "col" }),
      ...hours.map((hour) => {
        const made = make("th", hour % 6 ? null : `${hour}`, { scope: "col" });
        if (hour % 6) made.append(make("span", `${hour}`, { class: "unseen" }));
        return made;
      }));
    head.firstElementChild.append(make("span", names, { class: "unseen" }));
    return head;
  };
  const fill = (id, head, lines) => {
    at(id).tHead.replaceChildren(head);
    at(id).tBodies[0].replaceChildren(...lines);
    at(id).hidden = false;
  };

  function drawDay(hours) {
    const first = Math.floor(Date.now() / HOUR) * HOUR - 23 * HOUR;
    const starts = Array.from({ length: 24 }, (_, step) => new Date(first + step * HOUR));
    const found = new Map(hours.map((each) => [Math.floor(1000 * each.start_s / HOUR), each]));
    const at24 = starts.map((start) => found.get(Math.floor(start.getTime() / HOUR)));
    const extra = new Set(hours.flatMap((each) => Object.keys(each.labels)));
    const names = [...labels, ...[...extra].filter((label) => !labels.includes(label))];
    fill("day-map", headOf("Label", starts.map((start) => start.getHours())), names.map((label) => {
      const line = make("tr");
      line.append(make("th", label, { scope: "row", title: label }), ...at24.map((each, step) => {
        const s = each ? each.labels[label] || 0 : 0;
        const when = `${hourOf(starts[step])}:00`;
        return cell(colourOf(label), each && each.speech_s ? s / each.speech_s : 0,
          each ? `${when}: ${label} ${minutes(s)}` : "");
      }));
      return line;
    }));
    const spoken = hours.filter((each) => 1000 * each.start_s >= first)
      .reduce((sum, each) => sum + each.speech_s + each.uncertain_s, 0);
    put("day-note", spoken ? `Speech for ${minutes(spoken)}. The stronger, the larger the label's share of the hour.`
      : "Nobody spoke in the last 24 hours.");
  }

  function drawWeek(hours) {
    const days = new Map();
    const today = new Date();
    for (let back = 0; back < 7; back += 1) {
      const day = new Date(today.getFullYear(), today.getMonth(), today.getDate() - back);
      days.set(day.toDateString(), { day, hours: new Map() });
    }
    for (const each of hours) {
      const start = new Date(1000 * each.start_s), found = days.get(start.toDateString());
      if (found) found.hours.set(start.getHours(), each);
    }
    const every = Array.from({ length: 24 }, (_, hour) => hour);
    fill("week-map", headOf("Day", every), [...days.values()].map(({ day, hours: known }) => {
      const line = make("tr"), word = day.toLocaleDateString("en", { weekday: "short" });
      const name = `${word} ${day.getDate()}`;
      line.append(make("th", name, { scope: "row" }), ...every.map((hour) => {
        const each = known.get(hour);
        if (!each) return cell("", 0, "");
        const best = Object.entries(each.labels).sort((a, b) => b[1] - a[1])[0];
        const spoken = each.speech_s + each.uncertain_s;
        let text = `${name} ${hour}:00: speech ${minutes(spoken)}`;
        if (best) text += `, mostly ${best[0]}`;
        if (each.activation !== null) text += `, activation ${each.activation.toFixed(2)}`;
        return cell(best ? colourOf(best[0]) : "var(--dim)", spoken / 3600, text);
      }));
      return line;
    }));
    put("week-note", "Colour is the most frequent label, its strength how much of the hour was speech.");
  }

  async function askHistory() {
    try {
      const { hours, error, has_file: hasFile } = await ask("history?span=week");
      if (hasFile && !error) {
        drawDay(hours);
        drawWeek(hours);
        return;
      }
      const text = hasFile ? error
        : "No history is kept: --to sqlite:FILE beside this page keeps one.";
      put("day-note", text);
      put("week-note", text);
    } catch (error) {
      put("day-note", "The history could not be asked for.");
    }
  }

  // Health and model.

  const list = (id, pairs) => at(id).replaceChildren(...pairs.filter((pair) => pair[1] !== null)
    .map(([name, value]) => {
      const both = make("div");
      both.append(make("dt", name), make("dd", value));
      return both;
    }));
  const span = (s) => {
    const [days, hours, mins] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
    return days ? `${days} d ${hours} h` : hours ? `${hours} h ${mins} min` : `${mins} min ${Math.floor(s % 60)} s`;
  };
  const ms = (value) => (value === null ? null : `${value.toFixed(value < 10 ? 1 : 0)} ms`);

  async function askHealth() {
    try {
      const health = await ask("health");
      list("health-list", [
        ["State", health.ok ? "decides" : "no decisions for a while"],
        ["Latency, half", ms(health.p50_ms)],
        ["Latency, 95 %", ms(health.p95_ms)],
        ["Decisions", `${health.decisions}`],
        ["Skipped as too late", `${health.skipped_hops}`],
        ["Samples lost", `${health.dropped_samples}`],
        ["Reconnections", `${health.reconnections}`],
        ["Warnings", `${health.warnings}`],
        ["Temperature", health.temperature_c === null ? null : `${health.temperature_c} °C`],
        ["Running for", span(health.uptime_s)],
        ["Readers of this page", `${health.clients}`],
      ]);
      const lines = [...health.notes].reverse().map((note) => make("li",
        `${(note.time || "").slice(11, 19)} ${note.message || note.warning || note.status}`));
      at("notes-list").replaceChildren(...(lines.length ? lines : [make("li", "nothing yet")]));
    } catch (error) {
      list("health-list", [["State", "no answer"]]);
    }
  }

  async function askAbout() {
    const about = await ask("about");
    know(about.labels);
    hop = about.hop_s;
    list("model-list", [
      ["Model", about.model || "–"],
      ["SHA-256", about.model_sha256 ? about.model_sha256.slice(0, 12) : "–"],
      ["edge-ser", about.edge_ser || "–"],
      ["Listens to", about.source || "–"],
      ["A decision every", `${about.hop_s} s`],
    ]);
    put("acted", about.measured_on);
    const known = { accuracy: "accuracy", uar: "balanced accuracy" };
    const heard = about.accuracy.filter((each) => each.metric === "uar" && each.value !== null
      && each.split.startsWith("speaker"));
    if (heard.length) {
      const values = heard.map((each) => each.value);
      put("range", "Balanced accuracy on speakers it never heard: "
        + `${percent(Math.min(...values))} to ${percent(Math.max(...values))}, by corpus.`);
    }
    at("figures").replaceChildren(...about.accuracy.filter((each) => each.metric in known).map((each) => {
      const line = make("tr");
      let value = each.value === null ? "–" : percent(each.value);
      if (each.ci95) value += ` (${percent(each.ci95[0])} to ${percent(each.ci95[1])})`;
      line.append(make("th", each.split, { scope: "row" }), make("td", known[each.metric]),
        make("td", value), make("td", each.n === null ? "–" : `${each.n}`));
      return line;
    }));
  }

  // What comes in.

  const link = (state, text) => { at("link").dataset.state = state; put("link-text", text); };

  async function catchUp() {
    try {
      rows = (await ask(`recent?span_s=${SPAN_S}`)).decisions;
      draw();
      tell();
    } catch (error) {
      rows = [];
    }
  }

  let isDue = false;
  function take(record) {
    if (record.type === "decision") show(record);
    add(brief(record));
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; draw(); tell(); });
  }

  function listen() {
    const events = new EventSource("api/v1/events");
    events.onopen = () => { link("on", "live"); catchUp(); askHealth(); };
    events.onerror = () => {
      link("off", "not connected");
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, 10000);
    };
    for (const kind of ["decision", "gap"]) {
      events.addEventListener(kind, (event) => take(JSON.parse(event.data)));
    }
    events.addEventListener("summary", () => link("off", "ended"));
    events.addEventListener("lost", catchUp);
    for (const kind of ["status", "warning"]) events.addEventListener(kind, askHealth);
  }

  async function begin() {
    try {
      await askAbout();
    } catch (error) {
      link("off", "not connected");
      setTimeout(begin, 3000);
      return;
    }
    listen();
    askHealth();
    askHistory();
    setInterval(() => { if (!document.hidden) askHealth(); }, 5000);
    setInterval(() => { if (!document.hidden) askHistory(); }, 300000);
  }
  begin();
})();
