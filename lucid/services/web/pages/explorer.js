"use strict";
// Whatever comes from the service is put into the page as text: nothing here makes markup of a string.
const LIVE_MS = 2000, HASH = /^[0-9a-f]{64}$/, UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const at = id => document.getElementById(id);

const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter(each => each !== null && each !== undefined));
  return node;
};
const link = (page, ...children) => make("a", {href: "#" + page.map(encodeURIComponent).join("/")}, ...children);
const hex = (text, length = 12) => make("code", {title: text}, text.length > length ? text.slice(0, length) + "…" : text);
const state = (word, kind) => make("span", {class: "state " + kind}, word);
const dim = text => make("small", {}, text);
const many = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more || one + "s"}`;

const span = ms => {
  const s = Math.max(0, ms) / 1000;
  if (s < 9.95) return s.toFixed(1) + " s";
  if (s < 120) return Math.round(s) + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  return s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days";
};
const bytes = count => {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; count >= 1024 && unit < 4; unit++) count /= 1024;
  return (unit && count < 100 ? count.toFixed(1) : Math.round(count)) + " " + units[unit];
};
const when = ms => make("time", {datetime: new Date(ms).toISOString()}, new Date(ms).toLocaleString());
// How long ago by the service's clock: the browser's own may be wrong.
const ago = (ms, now) => ms ? span(now - ms) + " ago" : "never";

const tile = (label, value, more) => make("div", {}, dim(label), make("b", {}, value), more ? dim(more) : null);
const tiles = (...all) => make("div", {class: "tiles"}, ...all.filter(Boolean));
const table = (heads, rows, none) => {
  if (!rows.length) return make("p", {class: "dim"}, none);
  const cell = (content, column) => make("td", {"data-label": heads[column]}, make("span", {}, ...[content].flat()));
  return make("table", {class: "rows"},
    make("thead", {}, make("tr", {}, ...heads.map(each => make("th", {scope: "col"}, each)))),
    make("tbody", {}, ...rows.map(row => make("tr", {}, ...row.map(cell)))));
};
const list = pairs => make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
const section = (title, ...content) => [make("h2", {}, title), ...content];

class Refused extends Error {}

// JSON of the service, and its clock.
const get = async path => {
  const answer = await fetch(path, {cache: "no-store"});
  const said = await answer.json();
  if (!answer.ok && !said.conditions) throw new Refused(said.error ? said.error.message : "status " + answer.status);
  return said;
};

let names = new Map();
const node = key => {
  const name = names.get(key);
  return make("span", {}, name ? make("bdi", {}, name) : "", name ? " " : "", hex(key, 8));
};
const learn = found => {
  names = new Map(found.nodes.filter(each => each.member).map(each => [each.node, each.member.name]));
  return found;
};

// -- what every page shows ----------------------------------------------------------------------------------------

const standing = chain => tiles(
  tile("final height", chain.height.toLocaleString("en"), `epoch ${chain.epoch}, view ${chain.view}`),
  tile("last block", span(chain.age_ms) + " ago", `one every ${span(chain.block_interval_ms)}`),
  tile("finality took", span(chain.finality_ms), "from a block's arrival, last one"),
  tile("leads now", node(chain.leader), `for ${many(chain.slot_views_left, "view")} at most`),
  tile("leads next", node(chain.leader_next), "if a view is skipped"),
  tile("validators", String(chain.validators.length), `${chain.peers_connected} of ${many(chain.peers, "peer")} connected`));

const SEVERE = new Set(["key in two places", "store failing", "chunks lost", "halted", "away"]);
const troubles = health => health.services.flatMap(service => (service.conditions || []).map(each =>
  make("div", {class: "notice" + (SEVERE.has(each.state) ? "" : " warn"), role: "alert"},
    make("b", {}, each.state), ` (${service.service}): ${each.sentence}`,
    each.remedy ? make("div", {class: "dim"}, "To do: " + each.remedy) : null)));

const cheats = found => found.nodes.filter(each => each.member && each.member.double_votes.length).map(each =>
  make("div", {class: "notice", role: "alert"}, make("b", {}, "voted twice"), ": ", node(each.node),
    ` signed two votes in one view (${votes(each.member)}); the chain holds the evidence. ` +
    "Its key is used in two places, or it cheats: its operator must find out which."));
const votes = member => member.double_votes.map(each => `epoch ${each.epoch}, view ${each.view}`).join("; ");

const blocks = found => table(["height", "time", "hash", "proposer", "transactions"], found.blocks.map(each => [
  link(["block", each.height], String(each.height)), when(each.time_ms), hex(each.hash), node(each.proposer),
  String(each.transactions)]), "No block is final yet.");

// -- pages --------------------------------------------------------------------------------------------------------

const overview = async () => {
  const [chain, health, nodes, found] =
    await Promise.all([get("chain"), get("services"), get("nodes").then(learn), get("blocks?limit=8")]);
  const services = table(["service", "state"], health.services.map(each => [each.service,
    each.status === "healthy" ? state("healthy", "good") : state(each.status, each.status === "away" ? "bad" : "warn")]), "");
  return {chain, shown: [standing(chain), ...cheats(nodes), ...troubles(health), ...section("This node", services),
    ...section("Latest blocks", blocks(found))]};
};

const blockList = async from => {
  const [chain, found] = await Promise.all([get("chain"), get("blocks?limit=25" + (from ? "&from=" + from : ""))]);
  return {chain, still: Boolean(from), shown: [...section("Blocks", blocks(found)), pager("blocks", from, found.next)]};
};

const pager = (page, from, next) => {
  const go = (text, ...place) => {
    const button = make("button", {type: "button"}, text);
    button.onclick = () => { location.hash = place.map(encodeURIComponent).join("/"); };
    return button;
  };
  return make("div", {}, from ? go("newest", page) : null, next ? go("older", page, next) : null);
};

const block = async place => {
  const [chain, found] = await Promise.all([get("chain"), get("blocks/" + encodeURIComponent(place))]);
  const receipts = found.transactions.map(each => make("li", {},
    make("a", {href: "receipts/" + encodeURIComponent(each)}, make("code", {}, each))));
  return {chain, still: true, shown: [...section("Block " + found.height, list([
    ["hash", make("code", {}, found.hash)], ["time", when(found.time_ms)], ["proposer", node(found.proposer)],
    ["epoch, view", `${found.epoch}, ${found.view}`],
    ["parent", found.height > 1 ? link(["block", found.parent], make("code", {}, found.parent)) : make("code", {}, found.parent)],
    ["state root", make("code", {}, found.state_root)], ["transactions root", make("code", {}, found.transactions_root)],
  ])), ...section(many(found.transactions.length, "transaction"),
    found.transactions.length ? make("p", {class: "dim"}, "Each leads to its receipt.") : null,
    make("ul", {}, ...receipts))].filter(Boolean)};
};

const STATES = {final: "good", included: "warn", pending: "warn", failed: "bad"};
const sessionRow = each => [link(["session", each.session], hex(each.session, 36)), state(each.status, STATES[each.status] || "warn"),
  each.height ? link(["block", each.height], String(each.height)) : "–",
  each.time_ms ? when(each.time_ms) : "–", each.owner ? hex(each.owner, 8) : "–",
  each.message ? each.message : each.transaction && each.status === "final"
    ? make("a", {href: "receipts/" + encodeURIComponent(each.transaction)}, "receipt") : "–"];
const SESSION_HEADS = ["session", "state", "block", "time", "owner", ""];

const sessionList = async from => {
  const [chain, found] = await Promise.all([get("chain"), get("sessions?limit=25" + (from ? "&from=" + from : ""))]);
  const seen = new Set(found.included.map(each => each.session + each.owner));
  const here = found.waiting ? found.waiting.sessions.filter(each => !seen.has(each.session + each.owner)) : [];
  const rows = [
    ...(from ? [] : here.map(each => ({...each, time_ms: each.accepted_ms}))),
    ...(from ? [] : found.included.map(each => ({...each, status: "included"}))),
    ...found.final.map(each => ({...each, status: "final"}))];
  const range = found.first >= found.last ? `Blocks ${found.last} to ${found.first}. ` : "";
  const note = found.waiting === null ? "Session anchoring does not answer: what waits there is not shown."
    : `${many(found.waiting.waiting, "session")} taken here ${found.waiting.waiting === 1 ? "waits" : "wait"} to be final.`;
  return {chain, still: Boolean(from), shown: [...section("Sessions", make("p", {class: "dim"}, range + note),
    table(SESSION_HEADS, rows.map(sessionRow), "There is no session in these blocks.")), pager("sessions", from, found.next)]};
};

const session = async name => {
  const [chain, found] = await Promise.all([get("chain"), get("sessions/" + encodeURIComponent(name))]);
  return {chain, shown: section("Session", make("p", {}, make("code", {}, name)),
    ...found.sessions.map(each => list([
      ["state", state(each.status, STATES[each.status] || "warn")], ["owner", make("code", {}, each.owner || "–")],
      ["block", each.height ? link(["block", each.height], String(each.height)) : "none yet"],
      ...(each.copies === null || each.copies === undefined ? [] : [["copies on the chain",
        state(`${each.copies} of ${each.copies_wanted}`, each.copies >= each.copies_wanted ? "good" : "warn")]]),
      ["taken here", each.accepted_ms ? when(each.accepted_ms) : "no"],
      ["transaction", make("code", {}, each.transaction || "older than what this node has")],
      ["proof", each.status === "final" && each.transaction
        ? make("a", {href: "receipts/" + encodeURIComponent(each.transaction)}, "receipt") : "none yet"],
      ...(each.message ? [["why", each.message]] : [])])))};
};

const lag = peer => {
  if (peer.behind === null) return "not known";
  if (!peer.connected) return `was ${peer.behind > 1 ? many(peer.behind, "block") + " behind" : "level"}`;
  return peer.behind > 1 ? state(many(peer.behind, "block") + " behind", "warn") : state("level", "good");
};
const nodeList = async () => {
  const [chain, found] = await Promise.all([get("chain"), get("nodes").then(learn)]);
  const now = chain.time_ms + chain.age_ms;
  const role = member => {
    if (member === null) return "not registered";
    if (member.retired) return "retired";
    return member.validator ? "validator" : "registered";
  };
  const turn = key => key === chain.leader ? dim("leads now") : key === chain.leader_next ? dim("leads next") : null;
  const rows = found.nodes.map(each => [
    node(each.node),
    [role(each.member), turn(each.node)].filter(Boolean),
    each.node === found.here ? state("this node", "good") : each.peer === null ? "no peer of this node"
      : each.peer.connected ? state("connected", "good") : state("not connected", "bad"),
    each.node === found.here ? "–" : each.peer === null ? "not known" : [lag(each.peer), dim("heard " + ago(each.peer.heard_ms, now))],
    each.member ? [`${(each.member.uptime_ppm / 10000).toFixed(1)} %`, dim("score " + each.member.live_score.toLocaleString("en")),
      each.member.tickets ? dim(`weighs ${each.member.weight}, declares ${each.member.tickets}`) : null].filter(Boolean) : "–",
    each.member && each.member.double_votes.length
      ? [state("voted twice", "bad"), dim(votes(each.member)), each.member.evidence_until_epoch > chain.epoch
        ? dim(`last in line until epoch ${each.member.evidence_until_epoch}`) : null].filter(Boolean) : "none"]);
  return {chain, shown: [standing(chain), ...section("Nodes", table(
    ["node", "role", "connection", "lag", "uptime", "evidence"], rows, "No node is known."),
    make("p", {class: "dim"}, "A peer's lag is what it last showed of itself."))]};
};

const data = async () => {
  const [chain, found] = await Promise.all([get("chain"), get("data"), get("nodes").then(learn)]);
  const now = chain.time_ms + chain.age_ms, copies = found.replication, counts = found.counts, scrub = found.scrub;
  const lost = found.missing + found.corrupted;
  const shown = [tiles(
    tile("chunks here", found.chunks.toLocaleString("en"), bytes(found.total_bytes)),
    tile("room", bytes(found.room_bytes), "that chunks may still take"),
    copies.copies ? tile("copies of each", copies.copies > 1 ? String(copies.copies) : "one only", `of ${many(copies.nodes, "node")}`)
      : tile("copies of each", "not known yet", "the manager has not said who there is"),
    tile("lack copies", copies.lacking.toLocaleString("en"), copies.lacking ? "for " + span(1000 * copies.lacking_s) : ""),
    tile("to be fetched", copies.pending.toLocaleString("en"), `${copies.repaired} repaired since the start`),
    tile("all read again since", scrub.all_read_since_ms ? ago(scrub.all_read_since_ms, now) : "never",
      scrub.state + (scrub.late ? ", late" : "")))];
  if (copies.copies === 1) shown.push(make("div", {class: "notice warn"},
    "No other node has copies: what this node loses is lost."));
  if (lost) shown.push(make("div", {class: "notice"}, `${found.missing} chunks are missing and ${found.corrupted} are corrupted here.`));
  if (counts) {
    const kinds = [["replicated", "good", "at all nodes where it belongs"], ["verified", "warn", "read again here; copies are lacking"],
      ["stored", "warn", "not read again yet; copies are lacking"], ["pending", "warn", "on its way here from another node"], ["missing", "bad", "its file is gone"], ["corrupted", "bad", "its bytes have changed"]];
    shown.push(...section("By state", table(["state", "chunks", ""],
      kinds.map(([name, kind, what]) => [state(name, counts[name] || !lost && name === "replicated" ? kind : "dim"),
        counts[name].toLocaleString("en"), what]), "")),
    ...section("By node", table(["node", "of these belong there", "it holds"],
      counts.nodes.map(each => [each.node === chain.node ? [node(each.node), dim("this node")] : node(each.node),
        each.belong.toLocaleString("en"), each.held.toLocaleString("en")]), "No node is known."),
      make("p", {class: "dim"}, `Of the chunks of this node, as the others say. Counted ${ago(counts.counted_ms, now)}, in ${span(counts.took_ms)}.`)));
  } else shown.push(make("p", {class: "dim"}, "The chunks are being counted."));
  return {chain, shown};
};

// -- which page, and keeping it live ------------------------------------------------------------------------------

const PAGES = {"": ["Overview", overview], blocks: ["Blocks", blockList], sessions: ["Sessions", sessionList],
  nodes: ["Nodes", nodeList], data: ["Data", data]};
const DETAILS = {block: ["blocks", block], session: ["sessions", session]};

const place = () => {
  const parts = location.hash.slice(1).split("/").map(each => {
    try { return decodeURIComponent(each); } catch { return each; }
  });
  const [first, second] = parts;
  if (DETAILS[first] && second) return {nav: DETAILS[first][0], show: () => DETAILS[first][1](second)};
  if (Object.hasOwn(PAGES, first)) return {nav: first, show: () => PAGES[first][1](/^\d{1,16}$/.test(second || "") ? second : "")};
  return {nav: "blocks", show: () => block(first)};
};

let shownAt = 0, drawing = 0, still = false;
const draw = async (again = false) => {
  const turn = ++drawing, {nav, show} = place();
  for (const each of at("nav").children) {
    if (each.dataset.page === nav) each.setAttribute("aria-current", "page"); else each.removeAttribute("aria-current");
  }
  const note = at("note");
  try {
    const found = await show();
    if (turn !== drawing) return;
    at("main").replaceChildren(...found.shown.flat());
    at("here").textContent = found.chain.node.slice(0, 16) + "…";
    still = Boolean(found.still);
    shownAt = performance.now();
    note.textContent = "";
    note.className = "";
  } catch (error) {
    if (turn !== drawing) return;
    const refused = error instanceof Refused;
    if (!again && refused) { at("main").replaceChildren(); still = true; }
    note.textContent = refused ? error.message
      : "This node does not answer" + (shownAt ? `; what is shown is ${span(performance.now() - shownAt)} old.` : ".");
    note.className = "bad";
  }
};

for (const [page, [title]] of Object.entries(PAGES)) {
  const each = link([page], title);
  each.dataset.page = page;
  at("nav").append(each);
}

at("form").onsubmit = async event => {
  event.preventDefault();
  const wanted = at("query").value.trim().toLowerCase();
  if (!wanted) return;
  if (UUID.test(wanted)) location.hash = "session/" + wanted;
  else {
    let height = "";
    if (HASH.test(wanted)) {
      try { height = String((await get("receipts/" + wanted)).height); } catch { height = ""; }
    }
    location.hash = "block/" + encodeURIComponent(/^\d{1,16}$/.test(height) ? height : wanted);
  }
};

let waiting = false;
const live = async () => {
  // A page that is not looked at, or that cannot change, asks for nothing; nor is what someone selects replaced.
  if (waiting || still || document.hidden || !getSelection().isCollapsed) return;
  waiting = true;
  try { await draw(true); } finally { waiting = false; }
};
onhashchange = () => { still = false; scrollTo(0, 0); draw(); };
setInterval(live, LIVE_MS);
draw().then(() => {});
