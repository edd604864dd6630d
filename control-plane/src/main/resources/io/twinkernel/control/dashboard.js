"use strict";
// Shows what REST tells; the event bus only says when to look. All text comes from nodes: textContent, never HTML.
const byId = id => document.getElementById(id);
let token = sessionStorage.getItem("token") || "";
let chosen = null;
let last = 0;
let loading = Promise.resolve();

async function rest(path, method) {
  const headers = token ? {Authorization: "Bearer " + token} : {};
  const answer = await fetch("api/v1/" + path, {method: method || "GET", headers});
  byId("login").hidden = answer.status !== 401;
  const body = await answer.json();
  if (!answer.ok) {
    throw new Error(`${body.what}: ${body.why}. ${body.todo}`);
  }
  return body;
}

function row(cells, classes) {
  const line = document.createElement("tr");
  cells.forEach((text, at) => {
    const cell = line.appendChild(document.createElement("td"));
    cell.textContent = text === undefined ? "" : text;
    cell.className = (classes && classes[at]) || "";
  });
  return line;
}

const time = ms => new Date(ms).toLocaleTimeString([],
  {hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3});

async function show() {
  const [nodes, upgrades] = await Promise.all([rest("nodes"), rest("upgrades")]);
  byId("nodes").replaceChildren(...nodes.map(node => row([
    node.node, node.brokers.map(it => `${it.role} ${it.kernel}`).join(", ") || "none connected", node.upgrade])));
  upgrades.reverse();
  chosen = chosen || (upgrades[0] && upgrades[0].id);
  byId("upgrades").replaceChildren(...upgrades.map(it => {
    const line = row([new Date(it.created_ms).toLocaleString(), it.node, it.state, it.kernel,
      it.failure && `${it.failure.what}: ${it.failure.why}`]);
    line.className = it.id === chosen ? "choice chosen" : "choice";
    line.onclick = () => choose(it.id);
    return line;
  }));
  const upgrade = upgrades.find(it => it.id === chosen);
  byId("detail").hidden = !upgrade;
  if (upgrade) {
    byId("title").textContent = `${upgrade.node}: ${upgrade.id}, the service is owned by: ${upgrade.owner}`;
    byId("continue").disabled = !upgrade.waiting;
    byId("rollback").disabled = upgrade.owner === "secondary" || upgrade.terminal;
    const events = await rest(`upgrades/${chosen}/events?after=${last}`);
    byId("events").append(...events.map(it => row(
      [it.sequence, time(it.at_ms), it.kernel || "control plane", it.phase, it.status, it.state, it.message],
      ["number", "time", it.kernel ? "" : "faint", "", it.status])));
    last = events.length ? events[events.length - 1].sequence : last;
  }
}

// One look after the other, so that no event is shown twice.
function look() {
  loading = loading.then(show).then(() => trouble(""), error => trouble(error.message));
  return loading;
}

function trouble(text) {
  byId("trouble").textContent = text;
}

function choose(id) {
  loading = loading.then(() => {
    chosen = id;
    last = 0;
    byId("events").replaceChildren();
  });
  look();
}

function ask(what) {
  rest(`upgrades/${chosen}/${what}`, "POST").then(look, error => trouble(error.message));
}

function listen() {
  const socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/[^/]*$/, "eventbus/websocket"));
  const headers = token ? {Authorization: "Bearer " + token} : {};
  let ping;
  socket.onopen = () => {
    socket.send(JSON.stringify({type: "register", address: "twinkernel.events", headers}));
    // The bridge closes connections that do not ping.
    ping = setInterval(() => socket.send("{\"type\":\"ping\"}"), 5000);
    byId("live").textContent = "live";
    look();
  };
  socket.onmessage = look;
  socket.onclose = () => {
    clearInterval(ping);
    byId("live").textContent = "connecting";
    setTimeout(listen, 1000);
  };
}

byId("continue").onclick = () => ask("continue");
byId("rollback").onclick = () => confirm("Roll this upgrade back?") && ask("rollback");
byId("login").onsubmit = event => {
  event.preventDefault();
  token = byId("token").value;
  sessionStorage.setItem("token", token);
  location.reload();
};
listen();
look();
