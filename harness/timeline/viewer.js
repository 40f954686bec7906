"use strict";
// The viewer of a story: lanes of nodes along time, on one canvas. All times are microseconds.
const TOP = 46, LEFT = 92, DETAIL = 6000, ARROWS = 5000;
const ENTERS = 0, SKIPS = 1, TIMES_OUT = 2, PROPOSE = 3, NOTARIZE = 4, SKIP = 5, FINALIZE = 6, VALID = 7, FINAL = 8,
  FORWARD = 9, STARTS = 13, DOWN = 14;
const by = id => document.getElementById(id);
const canvas = by("canvas"), pen = canvas.getContext("2d");
let data, t0, t1, high, lane = 40, width = 800, height = 400, hover = null, hits = [], hit = -1, drag = null, dirty = false;
let views = [], downs = [], perLane = [];

async function unpack() {
  const text = atob(by("data").textContent), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const plain = await new Response(stream).arrayBuffer();
  const length = parseInt(new TextDecoder().decode(plain.slice(0, 8)), 10);
  const head = JSON.parse(new TextDecoder().decode(plain.slice(8, 8 + length)));
  let at = 8 + length;
  for (const [name, type, count] of head.columns) {
    head[name] = type === "d" ? new Float64Array(plain, at, count) : new Int32Array(plain, at, count);
    at += count * (type === "d" ? 8 : 4);
  }
  return head;
}

// The views that each lane was in, and when it was down: [from, to, place of the mark].
function spans() {
  views = data.lanes.map(() => []); downs = data.lanes.map(() => []); perLane = data.lanes.map(() => []);
  const open = data.lanes.map(() => -1), down = data.lanes.map(() => -1);
  for (let i = 0; i < data.mark_at.length; i++) {
    const l = data.mark_lane[i], k = data.mark_kind[i], t = data.mark_at[i];
    perLane[l].push(i);
    if (k <= SKIPS || k === DOWN) {
      if (open[l] >= 0) views[l].push([data.mark_at[open[l]], t, open[l]]);
      open[l] = k === DOWN ? -1 : i;
    }
    if (k === DOWN) down[l] = t;
    if (k === STARTS && down[l] >= 0) { downs[l].push([down[l], t]); down[l] = -1; }
  }
  data.lanes.forEach((_, l) => {
    if (open[l] >= 0) views[l].push([data.mark_at[open[l]], data.end, open[l]]);
    if (down[l] >= 0) downs[l].push([down[l], data.end]);
    perLane[l] = Int32Array.from(perLane[l]);
  });
}

const X = t => LEFT + (t - t0) / (t1 - t0) * (width - LEFT);
const T = x => t0 + (x - LEFT) / (width - LEFT) * (t1 - t0);
const Y = l => TOP + l * lane;
const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const paint = {};
function colors() {
  for (const name of ["card", "ink", "soft", "faint", "rule", "grid", "well", "block", "skip", "fork", "crash", "partition",
    "disturbance", "pass", "no_progress", "diverged"]) paint[name] = color(name);
}

function first(array, value, low = 0, high = array.length, at = i => array[i]) {
  while (low < high) { const middle = (low + high) >> 1; if (at(middle) < value) low = middle + 1; else high = middle; }
  return low;
}

function clock(t) {
  const s = t / 1e6, h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  const digits = t1 - t0 < 2e4 ? 6 : t1 - t0 < 2e7 ? 3 : 0, rest = (s % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return (h ? h + ":" + String(m).padStart(2, "0") : m) + ":" + rest;
}

const SIGNS = {
  [TIMES_OUT]: ["no_progress", "bar"], [PROPOSE]: ["block", "diamond"], [NOTARIZE]: ["block", "up"], [SKIP]: ["skip", "cross"],
  [FINALIZE]: ["pass", "dot"], [VALID]: ["faint", "ring"], [FINAL]: ["pass", "square"], 10: ["fork", "down"], 11: ["partition", "up"],
  12: ["fork", "cross"], [STARTS]: ["crash", "up"], [DOWN]: ["crash", "cross"],
};

function sign(p, kind, x, y, r) {
  const [name, shape] = SIGNS[kind] || ["soft", "dot"];
  p.fillStyle = p.strokeStyle = paint[name]; p.lineWidth = 1.6; p.beginPath();
  if (shape === "dot") p.arc(x, y, r * .8, 0, 7);
  if (shape === "ring") { p.arc(x, y, r * .7, 0, 7); p.stroke(); return; }
  if (shape === "square") p.rect(x - r * .8, y - r * .8, r * 1.6, r * 1.6);
  if (shape === "bar") p.rect(x - 1, y - r * 1.4, 2, r * 2.8);
  if (shape === "diamond") { p.moveTo(x, y - r); p.lineTo(x + r, y); p.lineTo(x, y + r); p.lineTo(x - r, y); }
  if (shape === "up") { p.moveTo(x, y - r); p.lineTo(x + r, y + r * .8); p.lineTo(x - r, y + r * .8); }
  if (shape === "down") { p.moveTo(x, y + r); p.lineTo(x + r, y - r * .8); p.lineTo(x - r, y - r * .8); }
  if (shape === "cross") {
    p.moveTo(x - r * .8, y - r * .8); p.lineTo(x + r * .8, y + r * .8); p.moveTo(x + r * .8, y - r * .8); p.lineTo(x - r * .8, y + r * .8);
    p.stroke(); return;
  }
  p.fill();
}

function draw() {
  const began = performance.now();
  dirty = false; high = [];
  const ratio = window.devicePixelRatio || 1;
  width = canvas.clientWidth; height = TOP + data.lanes.length * lane + 8;
  canvas.width = width * ratio; canvas.height = height * ratio; canvas.style.height = height + "px";
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height); pen.font = "11px system-ui, sans-serif"; pen.textBaseline = "middle";
  axis(); faults();
  data.lanes.forEach((_, l) => drawLane(l));
  if (by("arrows").checked) arrows();
  for (const each of data.broken) {
    if (each.at < t0 || each.at > t1) continue;
    pen.strokeStyle = paint.diverged; pen.lineWidth = 2; pen.setLineDash([]); pen.beginPath();
    pen.moveTo(X(each.at), 18); pen.lineTo(X(each.at), height); pen.stroke();
  }
  if (hit >= 0) {
    const i = hits[hit], x = X(data.mark_at[i]), y = Y(data.mark_lane[i]) + lane / 2;
    pen.strokeStyle = paint.ink; pen.lineWidth = 2; pen.beginPath(); pen.arc(x, y, 11, 0, 7); pen.stroke();
  }
  pen.fillStyle = paint.card; pen.fillRect(0, TOP, LEFT - 6, height - TOP);
  pen.fillStyle = paint.soft; pen.textAlign = "right";
  data.lanes.forEach((name, l) => pen.fillText(name.slice(0, 12), LEFT - 12, Y(l) + lane / 2));
  document.body.dataset.drawnMs = (performance.now() - began).toFixed(1);
}

function axis() {
  const about = (t1 - t0) / Math.max(2, (width - LEFT) / 110), power = 10 ** Math.floor(Math.log10(about));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= about);
  pen.textAlign = "center"; pen.strokeStyle = paint.grid; pen.fillStyle = paint.faint; pen.lineWidth = 1; pen.beginPath();
  for (let t = Math.ceil(t0 / step) * step; t <= t1; t += step) {
    const x = X(t); pen.moveTo(x, 18); pen.lineTo(x, height); pen.fillText(clock(t), Math.min(Math.max(x, LEFT + 20), width - 30), 9);
  }
  pen.stroke();
}

function faults() {
  const rows = [];
  for (const each of data.faults) {
    const until = each.until === null ? data.end : each.until;
    let row = rows.findIndex(end => end <= each.at); if (row < 0) row = rows.length; rows[row] = until;
    if (until < t0 || each.at > t1) continue;
    const x = Math.max(X(each.at), LEFT), w = Math.max(2, X(until) - x), y = 19 + (row % 5) * 5;
    pen.fillStyle = paint[each.color] || paint.disturbance; pen.globalAlpha = .8; pen.fillRect(x, y, w, 4);
    pen.globalAlpha = .07; pen.fillRect(x, TOP, w, height - TOP); pen.globalAlpha = 1;
    high.push([x, y, w, 4, () => each.text + "\n" + clock(each.at) + " to " + (each.until === null ? "the end" : clock(until))]);
  }
}

function drawLane(l) {
  const y = Y(l), spans = views[l], at = perLane[l];
  pen.fillStyle = paint.well; pen.fillRect(LEFT, y + 2, width - LEFT, lane - 4);
  let from = first(spans, t0, 0, spans.length, i => spans[i][1]), last = -1;
  pen.textAlign = "left";
  for (let i = from; i < spans.length && spans[i][0] <= t1; i++) {
    const [a, b, mark] = spans[i], x = Math.max(X(a), LEFT), w = Math.min(X(b), width) - x;
    if (w < .4 && x - last < .4) continue;
    last = x;
    const skipped = data.mark_kind[mark] === SKIPS;
    pen.fillStyle = skipped ? paint.skip : paint.block; pen.globalAlpha = data.mark_view[mark] % 2 ? .2 : .1;
    pen.fillRect(x, y + 2, Math.max(w, .5), lane - 4); pen.globalAlpha = 1;
    if (w > 34) { pen.fillStyle = paint.soft; pen.fillText((data.mark_epoch[mark] ? data.mark_epoch[mark] + "/" : "") + data.mark_view[mark], x + 3, y + 9); }
  }
  for (const [a, b] of downs[l]) if (b >= t0 && a <= t1) {
    pen.fillStyle = paint.crash; pen.globalAlpha = .55; pen.fillRect(Math.max(X(a), LEFT), y + 2, Math.max(2, X(b) - Math.max(X(a), LEFT)), lane - 4);
    pen.globalAlpha = 1;
  }
  const low = first(at, t0, 0, at.length, i => data.mark_at[at[i]]), top = first(at, t1, low, at.length, i => data.mark_at[at[i]]);
  if ((top - low) * data.lanes.length > DETAIL) { heat(l, low, top); return; }
  for (let i = low; i < top; i++) {
    const mark = at[i], kind = data.mark_kind[mark];
    if (kind <= SKIPS || kind === FORWARD) continue;
    sign(pen, kind, X(data.mark_at[mark]), y + lane * .6, 5);
  }
}

// Too many marks to draw: how many of each of three sorts stand in each two pixels.
function heat(l, low, top) {
  const columns = Math.ceil((width - LEFT) / 2), at = perLane[l], y = Y(l);
  const sorts = [[FINALIZE, FINAL], [SKIP, TIMES_OUT], [NOTARIZE]], names = ["pass", "skip", "block"];
  const counts = sorts.map(() => new Uint32Array(columns));
  for (let i = low; i < top; i++) {
    const kind = data.mark_kind[at[i]], sort = sorts.findIndex(kinds => kinds.includes(kind));
    if (sort >= 0) counts[sort][Math.min(columns - 1, Math.floor((X(data.mark_at[at[i]]) - LEFT) / 2))]++;
  }
  const most = Math.max(1, ...counts.map(column => column.reduce((a, b) => Math.max(a, b), 0)));
  counts.forEach((column, sort) => {
    pen.fillStyle = paint[names[sort]];
    const base = y + lane - 3 - sort * (lane - 14) / 3, room = (lane - 14) / 3;
    column.forEach((count, c) => { if (count) { const h = Math.max(1.5, room * count / most); pen.fillRect(LEFT + 2 * c, base - h, 1.6, h); } });
  });
}

function arrows() {
  const chosen = Number(by("kind").value), from = first(data.got_at, t0), to = first(data.got_at, t1);
  let shown = 0;
  pen.lineWidth = 1; pen.globalAlpha = .5;
  for (let i = from; i < to && shown < ARROWS; i++) {
    const m = data.got_message[i];
    if (chosen && data.sent_kind[m] !== chosen) continue;
    shown++;
    const a = X(data.sent_at[m]), b = X(data.got_at[i]), ya = Y(data.sent_lane[m]) + lane / 2, yb = Y(data.got_lane[i]) + lane / 2;
    pen.strokeStyle = pen.fillStyle = {1: paint.block, 2: paint.soft, 3: paint.pass, 4: paint.no_progress}[data.sent_kind[m]] || paint.partition;
    pen.beginPath(); pen.moveTo(a, ya); pen.lineTo(b, yb); pen.stroke();
    pen.beginPath(); pen.arc(b, yb, 1.8, 0, 7); pen.fill();
  }
  pen.globalAlpha = 1;
  by("found").textContent = shown === ARROWS ? "the first " + ARROWS + " messages of this part are drawn: zoom in" : by("found").textContent;
}

function say(i) {
  const number = data.mark_number[i], hash = data.mark_hash[i], kind = data.mark_kind[i];
  let text = clock(data.mark_at[i]) + "  " + data.lanes[data.mark_lane[i]] + "  " + data.marks[kind];
  if (data.mark_view[i]) text += "  view " + data.mark_epoch[i] + "/" + data.mark_view[i];
  if (number >= 0) text += kind === 10 ? "  code " + number : "  height " + number;
  if (hash >= 0) text += "  " + data.hashes[hash];
  return text;
}

function under(x, y) {
  for (const [a, b, w, h, words] of high) if (x >= a - 2 && x <= a + w + 2 && y >= b - 1 && y <= b + h) return words();
  const l = Math.floor((y - TOP) / lane);
  if (l < 0 || l >= data.lanes.length || x < LEFT) return "";
  const near = nearest(l, x), lines = near.slice(0, 8).map(say);
  if (near.length > 8) lines.push("and " + (near.length - 8) + " more");
  return lines.join("\n") || clock(T(x)) + "  " + data.lanes[l];
}

function nearest(l, x) {
  const at = perLane[l], a = T(x - 5), b = T(x + 5), found = [];
  for (let i = first(at, a, 0, at.length, n => data.mark_at[at[n]]); i < at.length && data.mark_at[at[i]] <= b && found.length < 500; i++) found.push(at[i]);
  return found;
}

function list(x, y) {
  const l = Math.min(data.lanes.length - 1, Math.max(0, Math.floor((y - TOP) / lane))), lines = nearest(l, x).map(say);
  const a = T(x - 5), b = T(x + 5);
  for (let i = first(data.got_at, a); i < data.got_at.length && data.got_at[i] <= b && lines.length < 400; i++) {
    const m = data.got_message[i];
    if (data.got_lane[i] === l) lines.push(clock(data.got_at[i]) + "  " + data.lanes[l] + "  gets message " + m + ", " +
      (data.kinds[data.sent_kind[m]] || "?") + " of " + data.sent_bytes[m] + " bytes, sent by " + data.lanes[data.sent_lane[m]] + " at " + clock(data.sent_at[m]));
  }
  by("near").textContent = lines.sort().join("\n") || "Nothing happened here.";
}

function look(text) {
  hits = []; hit = -1;
  const words = text.trim().toLowerCase();
  if (!words) { by("found").textContent = ""; later(); return; }
  const pair = words.match(/^(view|height|code)\s+(?:(\d+)\/)?(\d+)$/), node = data.lanes.findIndex(name => name.toLowerCase() === words);
  const kinds = data.marks.map((name, k) => name.includes(words) ? k : -1).filter(k => k >= 0);
  const hashes = new Set(/^[0-9a-f]{4,16}$/.test(words) ? data.hashes.map((h, n) => h.startsWith(words) ? n : -1).filter(n => n >= 0) : []);
  for (let i = 0; i < data.mark_at.length; i++) {
    const k = data.mark_kind[i];
    const matches = pair
      ? (pair[1] === "view" ? data.mark_view[i] === +pair[3] && k <= SKIPS && (pair[2] === undefined || data.mark_epoch[i] === +pair[2])
        : data.mark_number[i] === +pair[3] && (pair[1] === "code") === (k === 10))
      : hashes.has(data.mark_hash[i]) || node === data.mark_lane[i] || kinds.includes(k);
    if (matches) hits.push(i);
  }
  if (hits.length) { hit = Math.min(hits.length - 1, first(hits, t0, 0, hits.length, n => data.mark_at[hits[n]])); show(); }
  else { by("found").textContent = "nothing found"; later(); }
}

function show() {
  const t = data.mark_at[hits[hit]];
  if (t < t0 || t > t1) { const half = (t1 - t0) / 2; range(t - half, t + half); }
  by("found").textContent = (hit + 1) + " of " + hits.length + ": " + say(hits[hit]);
  later();
}

function step(by) { if (hits.length) { hit = (hit + by + hits.length) % hits.length; show(); } }

function range(a, b) {
  const least = 200, whole = Math.max(data.end, 1000) * 1.02;
  let size = Math.min(Math.max(b - a, least), whole * 1.02);
  const middle = (a + b) / 2;
  t0 = Math.max(-whole * .01, Math.min(middle - size / 2, whole - size)); t1 = t0 + size;
  later();
}

function zoom(factor, x = (LEFT + width) / 2) {
  const t = T(x); range(t - (t - t0) * factor, t + (t1 - t) * factor);
}

function later() { if (!dirty) { dirty = true; requestAnimationFrame(draw); } }
function everything() { range(0, data.end); }
function toBroken() { if (data.broken.length) { const t = data.broken[0].at; range(t - 4e6, t + 1e6); by("found").textContent = clock(t) + "  " + data.broken[0].text; } }

function listen() {
  by("in").onclick = () => zoom(.5); by("out").onclick = () => zoom(2); by("all").onclick = everything; by("broken").onclick = toBroken;
  by("arrows").onchange = by("kind").onchange = later; by("on").onclick = () => step(1); by("back").onclick = () => step(-1);
  by("search").oninput = event => look(event.target.value);
  by("search").onkeydown = event => { if (event.key === "Enter") step(event.shiftKey ? -1 : 1); };
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const d = (event.deltaX || event.deltaY) / (width - LEFT) * (t1 - t0); range(t0 + d, t1 + d);
    } else zoom(Math.exp(event.deltaY / 400), event.offsetX);
  }, {passive: false});
  canvas.onpointerdown = event => { drag = [event.offsetX, t0, t1, false]; canvas.setPointerCapture(event.pointerId); };
  canvas.onpointermove = event => {
    const tip = by("tip");
    if (drag) {
      const d = (event.offsetX - drag[0]) / (width - LEFT) * (drag[2] - drag[1]);
      if (Math.abs(event.offsetX - drag[0]) > 3) drag[3] = true;
      if (drag[3]) range(drag[1] - d, drag[2] - d);
      tip.hidden = true; return;
    }
    const words = under(event.offsetX, event.offsetY);
    tip.hidden = !words; tip.textContent = words;
    if (words) {
      const x = Math.min(event.offsetX + 14, width - tip.offsetWidth - 6);
      tip.style.transform = "translate(" + x + "px," + Math.min(event.offsetY + 14, height - tip.offsetHeight - 4) + "px)";
    }
  };
  canvas.onpointerup = event => { if (drag && !drag[3]) list(event.offsetX, event.offsetY); drag = null; };
  canvas.onpointerleave = () => { by("tip").hidden = true; };
  document.addEventListener("keydown", event => {
    if (event.target.matches("input,select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = (t1 - t0) / 6;
    const act = {"+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), "0": everything, "b": toBroken, "m": () => by("arrows").click(),
      "ArrowLeft": () => range(t0 - move, t1 - move), "ArrowRight": () => range(t0 + move, t1 + move),
      "/": () => by("search").focus()}[event.key];
    if (act) { act(); event.preventDefault(); }
  });
  new ResizeObserver(later).observe(by("stage"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colors(); legend(); later(); });
}

// timeline.html#from=60&to=90&messages=2&find=view 12 (seconds; a kind of message by its tag, 0 for all), or #broken
function fromAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  if (words.has("from") || words.has("to")) range(1e6 * Number(words.get("from") || 0), 1e6 * Number(words.get("to") || data.end / 1e6));
  if (words.has("messages")) { by("arrows").checked = true; by("kind").value = words.get("messages") || "0"; }
  if (words.has("broken")) toBroken();
  if (words.has("find")) { by("search").value = words.get("find"); look(words.get("find")); }
  if (words.has("list")) { const [l, t] = words.get("list").split(","); list(X(1e6 * Number(t)), Y(Number(l)) + 1); }
}

function legend() {
  by("legend").replaceChildren();
  for (const kind of [3, 4, 5, 6, 7, 8, 2, 10, 11, 13, 14]) {
    const item = document.createElement("li"), small = document.createElement("canvas");
    small.width = small.height = 32;
    const p = small.getContext("2d"); p.scale(2, 2); sign(p, kind, 8, 8, 5);
    item.append(small, data.marks[kind]); by("legend").append(item);
  }
}

unpack().then(found => {
  data = found; colors(); spans(); legend();
  lane = Math.max(22, Math.min(56, Math.floor(520 / data.lanes.length)));
  by("about").textContent = data.lanes.length + " nodes, " + (data.end / 1e6).toLocaleString("en") + " s, " +
    (data.mark_at.length + data.sent_at.length + data.got_at.length).toLocaleString("en") + " events";
  by("kind").append(new Option("of every kind", 0), ...Object.entries(data.kinds).map(([tag, name]) => new Option(name, tag)));
  by("broken").disabled = !data.broken.length;
  width = canvas.clientWidth; listen(); everything(); fromAddress(); document.body.dataset.ready = "yes";
});
