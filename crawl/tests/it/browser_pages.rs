//! Test pages: texts made by scripts in the manner of common frameworks, and misbehaving pages.

use crate::site::Reply;

/// Pages in the manner of the common frameworks, with texts that only their scripts write.
pub(crate) const FRAMEWORKS: &[(&str, &[&str])] = &[
    ("/react", &["<h1>Opening hours</h1>", "Monday to Friday, 9 to 17", "href=\"/react/contact\""]),
    ("/vue", &["<h2>Delivery</h2>", "2 working days"]),
    ("/angular", &["Warranty", "24 months", "<app-root"]),
    ("/element", &["Returns", "within 30 days", "<b>slotted</b>"]),
];

fn page(body: &str) -> Reply {
    Reply::page(format!("<!doctype html><html><head><title>Shop</title></head><body>{body}</body></html>"))
}

fn json(body: &str) -> Reply {
    Reply::typed("application/json", body)
}

fn script(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Full(
        200,
        vec![("Content-Type", "text/javascript".to_owned()), ("Cache-Control", "max-age=600".to_owned())],
        body.into(),
    )
}

/// A root element and a script that writes into it.
fn app(root: &str, script: &str) -> Reply {
    page(&format!(
        "{root}<noscript>Enable JavaScript to run this app.</noscript><script type=module>{script}</script>"
    ))
}

pub(crate) fn answer(path: &str) -> Reply {
    match path {
        "/shared.js" => script(SHARED),
        "/react" => app("<div id=root></div>", REACT),
        "/hours.json" => {
            json(r#"{"title":"Opening hours","days":["Monday to Friday, 9 to 17","Saturday, 10 to 14"]}"#)
        }
        "/vue" => app("<div id=app v-cloak></div>", VUE),
        "/delivery.json" => json(r#"{"title":"Delivery","time":"2 working days"}"#),
        "/angular" => app("<app-root></app-root>", ANGULAR),
        "/element" => app("<shop-returns><b>slotted</b></shop-returns>", ELEMENT),
        "/infinite" => app("<ul id=list></ul><p id=end>…</p>", INFINITE),
        "/inner-list" => app(
            "<style>html,body{margin:0;height:100%;overflow:hidden}#box{height:100%;overflow-y:auto}</style>\
             <div id=box><ul id=list></ul><p id=end>…</p></div>",
            INFINITE,
        ),
        path if path.starts_with("/more?") => {
            let from: usize = path.rsplit('=').next().and_then(|from| from.parse().ok()).unwrap_or(0);
            let entries: Vec<_> = (from + 1..=from + 20).map(|n| format!("\"Entry {n}\"")).collect();
            json(&format!("[{}]", entries.join(",")))
        }
        "/polling" => app("<div id=root></div>", &format!("{REACT};setInterval(() => fetch('/tick'), 50);")),
        "/dialogs" => app("<div id=root></div>", &format!("alert('a'); confirm('b'); prompt('c');\n{REACT}")),
        "/stalled" => {
            app("<div id=root></div><iframe src=/stall></iframe>", &format!("fetch('/stall');\n{REACT}"))
        }
        "/stream" => app("<div id=root></div>", &format!("new EventSource('/drip');\n{REACT}")),
        "/stall" | "/silent" => Reply::Stall(vec![]),
        "/drip" => Reply::Drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_vec()),
        "/redirect" => Reply::redirect("/vue"),
        "/location" => app("", "location.href = '/vue'"),
        "/history" => app("<p>Start", "history.pushState({}, '', '/pushed')"),
        "/missing" => Reply::Full(404, vec![("Content-Type", "text/html".to_owned())], b"gone".to_vec()),
        "/large" => app("<div id=root></div>", "root.textContent = 'x'.repeat(200000)"),
        "/endless-loop" => page("<p>Before<script>setTimeout(() => { for (;;); }, 50)</script>"),
        "/memory" => app("", MEMORY),
        "/download" => Reply::Full(
            200,
            vec![("Content-Disposition", "attachment; filename=a.zip".to_owned())],
            b"PK".to_vec(),
        ),
        _ => Reply::status(204),
    }
}

/// A virtual tree that is rendered into the root, as React does it.
const SHARED: &str = "
export const h = (tag, props, ...children) => ({ tag, props, children });
export const render = (tree, at) => {
  if (typeof tree === 'string') return at.append(tree);
  if (typeof tree.tag === 'function') return render(tree.tag(tree.props), at);
  const element = document.createElement(tree.tag);
  Object.entries(tree.props || {}).forEach(([name, value]) => element.setAttribute(name, value));
  tree.children.flat().forEach((child) => render(child, element));
  at.append(element);
};";

const REACT: &str = "
import { h, render } from '/shared.js';
const Hours = ({ title, days }) => h('main', null, h('h1', null, title),
  h('ul', null, days.map((day) => h('li', null, day))), h('a', { href: '/react/contact' }, 'Contact'));
const data = await (await fetch('/hours.json')).json();
render(h(Hours, data), document.getElementById('root'));";

/// Reactive state, as in Vue: each change renders the page again, first without data, later with it.
const VUE: &str = "
const root = document.getElementById('app');
const draw = ({ title, time }) => { root.innerHTML = title ? `<h2>${title}</h2><p>${time}</p>` : 'Loading…'; };
const state = new Proxy({}, { set(target, key, value) {
  target[key] = value; queueMicrotask(() => draw(target)); return true; } });
draw(state);
setTimeout(async () => Object.assign(state, await (await fetch('/delivery.json')).json()), 300);";

/// A root component with a router, as in Angular.
const ANGULAR: &str = "
class Warranty { template = () => '<h1>Warranty</h1><p>24 months on every tool</p>'; }
const routes = { '/angular': Warranty };
addEventListener('load', () => setTimeout(() => {
  document.querySelector('app-root').innerHTML = `<router-outlet></router-outlet>` +
    new routes[location.pathname]().template();
}, 100));";

/// A custom element with a shadow tree.
const ELEMENT: &str = "
customElements.define('shop-returns', class extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: 'open' }).innerHTML = '<h1>Returns</h1><p>within 30 days <slot></slot></p>';
  }
});";

/// A list that grows when its end comes into view.
const INFINITE: &str = "
let loading = false, count = 0;
new IntersectionObserver(async (entries, observer) => {
  if (loading || !entries[0].isIntersecting) return;
  loading = true;
  for (const entry of await (await fetch('/more?from=' + count)).json()) {
    const item = document.createElement('li');
    item.style.height = '100px';
    item.textContent = entry;
    document.getElementById('list').append(item);
    count += 1;
  }
  loading = false;
  observer.unobserve(document.getElementById('end'));
  observer.observe(document.getElementById('end'));
}).observe(document.getElementById('end'));";

const MEMORY: &str = "
const kept = [];
setInterval(() => { kept.push(new Uint8Array(50_000_000).fill(1)); document.title += 'x'; fetch('/tick'); }, 20);";

/// A page that tries to reach the forbidden ports in every way available to a page.
pub(crate) fn hostile(path: &str, tcp: u16, udp: u16) -> Reply {
    let inside = format!("127.0.0.2:{tcp}");
    match path {
        "/hostile" => page(&HOSTILE.replace("TCP", &tcp.to_string()).replace("UDP", &udp.to_string())),
        "/to-forbidden" | "/redirected" => Reply::redirect(format!("http://{inside}/redirected")),
        "/refresh-to-forbidden" => {
            page(&format!("<meta http-equiv=refresh content='0;url=http://{inside}/refreshed'>x"))
        }
        "/frames" => page(&format!(
            "<iframe src='http://{inside}/'></iframe><iframe src='/to-forbidden'></iframe>\
             <object data='http://{inside}/'></object><embed src='http://{inside}/'>"
        )),
        "/worker.js" => script(format!(
            "fetch('http://{inside}/worker').catch(() => 0); importScripts('http://{inside}/w.js');"
        )),
        _ => Reply::status(204),
    }
}

const HOSTILE: &str = "
<link rel=dns-prefetch href='//127.0.0.2:TCP'><link rel=preconnect href='http://127.0.0.2:TCP'>
<link rel=preload as=script href='http://127.0.0.2:TCP/p.js'><link rel=prefetch href='http://[::1]:TCP/f'>
<link rel=stylesheet href='http://127.0.0.2:TCP/s.css'><script src='http://127.0.0.2:TCP/s.js' async></script>
<style>@font-face{font-family:f;src:url(http://127.0.0.2:TCP/f.woff2)} p{font-family:f;background:url(http://127.0.0.2:TCP/b.png)}</style>
<img src='http://127.0.0.2:TCP/i.png'><img src='/redirected'><video src='http://127.0.0.2:TCP/v.mp4' autoplay></video>
<iframe src='http://127.0.0.2:TCP/frame'></iframe><iframe srcdoc=\"<script>fetch('http://127.0.0.2:TCP/srcdoc')</script>\"></iframe>
<form id=form method=post action='http://127.0.0.2:TCP/form' target=hidden><input name=a></form><iframe name=hidden></iframe>
<p id=done>text</p>
<script>
const hosts = ['127.0.0.2:TCP', '[::1]:TCP', '0.0.0.0:TCP', '2130706434:TCP', '[::ffff:127.0.0.2]:TCP'];
const quiet = (attempt) => { try { Promise.resolve(attempt()).catch(() => 0); } catch {} };
(async () => {
  for (const host of hosts) {
    quiet(() => fetch('http://' + host + '/fetch', { mode: 'no-cors' }));
    quiet(() => fetch('https://' + host + '/fetch', { mode: 'no-cors' }));
    quiet(() => new WebSocket('ws://' + host + '/socket'));
    quiet(() => new WebSocket('wss://' + host + '/socket'));
    quiet(() => new EventSource('http://' + host + '/events'));
    quiet(() => navigator.sendBeacon('http://' + host + '/beacon', 'x'));
    quiet(() => { const request = new XMLHttpRequest(); request.open('GET', 'http://' + host + '/xhr'); request.send(); });
    quiet(() => { new Image().src = 'http://' + host + '/image'; });
    quiet(() => import('http://' + host + '/module.js'));
    quiet(() => open('http://' + host + '/window'));
  }
  quiet(() => fetch('/redirected'));
  quiet(() => new Worker('/worker.js'));
  quiet(() => new SharedWorker('/worker.js'));
  quiet(() => navigator.serviceWorker.register('/worker.js'));
  quiet(() => new WebTransport('https://127.0.0.2:UDP/transport').ready);
  quiet(() => document.getElementById('form').submit());
  quiet(async () => {
    const servers = ['stun:127.0.0.2:UDP', 'turn:127.0.0.2:UDP', 'turn:127.0.0.2:TCP?transport=tcp'];
    const peer = new RTCPeerConnection({ iceServers: servers.map((urls) => ({ urls, username: 'u', credential: 'c' })) });
    peer.createDataChannel('x');
    await peer.setLocalDescription(await peer.createOffer());
    await peer.setRemoteDescription({ type: 'answer', sdp: peer.localDescription.sdp.replace('setup:actpass', 'setup:active') });
    await peer.addIceCandidate({ candidate: 'candidate:1 1 udp 1 127.0.0.2 UDP typ host', sdpMid: '0' });
  });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  document.getElementById('done').textContent = 'All attempts made';
})();
</script>";
