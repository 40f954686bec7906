"""The block explorer: one page without anything from elsewhere, over the manager's own endpoints."""

from __future__ import annotations

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lucid blocks</title><style>:root{color-scheme:light dark}*{box-sizing:border-box}
body{font:16px/1.5 system-ui;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1c2430;background:#fff}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #dfe4ea}
td{font-variant-numeric:tabular-nums}
code{font:13px ui-monospace,monospace;word-break:break-all}
a{color:#0b5fa5}input{font:inherit;width:100%;max-width:40rem;padding:.4rem}#p,dt,small{color:#5a6675}
main{overflow-x:auto}#s{display:grid;gap:.3rem 1rem;margin:1rem 0;
grid-template-columns:repeat(auto-fill,minmax(10rem,1fr))}
#s b{display:block;font:600 1.1rem system-ui;overflow-wrap:anywhere}
dd{margin:0 0 .6rem;overflow-wrap:anywhere}
button{font:inherit;padding:.3rem .8rem}@media(prefers-color-scheme:dark){body{background:#12161c;
color:#dde3ea}td,th{border-color:#2b333d}a{color:#6cb4ee}#p,dt,small{color:#9aa7b5}}
@media(max-width:480px){body{margin:1rem auto}td,th{padding:.3rem .25rem;font-size:14px}td:nth-child(4),
th:nth-child(4){display:none}}</style>
<h1><a href="#">Lucid blocks</a></h1><div id="s"></div><p id="p" role="status">&nbsp;</p>
<form id="f"><input id="q" placeholder="height, block hash or transaction id" aria-label="height, hash or id"></form>
<main id="m"></main><script>
const m=document.getElementById("m"),p=document.getElementById("p"),e=(t,...c)=>{const n=document.createElement(t);
n.append(...c);return n},link=(h,t)=>{const a=e("a",t);a.href="#"+h;return a},time=t=>new Date(t).toLocaleString(),
get=u=>fetch(u).then(async r=>{if(!r.ok)throw Error((await r.json()).error.message);return r.json()});
let from=null,shown=null;
async function list(){const d=await get("blocks?limit=25"+(from===null?"":"&from="+from)),b=e("tbody");
for(const x of d.blocks)b.append(e("tr",e("td",link(x.height,x.height)),e("td",time(x.time_ms)),
e("td",e("code",x.hash.slice(0,16))),e("td",e("code",x.proposer.slice(0,16))),e("td",x.transactions)));
const h=e("thead",e("tr",...["height","time","hash","proposer","transactions"].map(x=>e("th",x))));
const n=[];if(d.next!==null){const o=e("button","older");o.onclick=()=>{from=d.next;draw()};n.push(o)}
if(from!==null){const o=e("button","newest");o.onclick=()=>{from=null;draw()};n.push(o)}
m.replaceChildren(e("table",h,b),...n)}
async function one(id){const d=await get("blocks/"+id),l=e("dl");for(const k of ["height","hash","time_ms","parent",
"proposer","epoch","view","state_root","transactions_root"])l.append(e("dt",k.replace("_"," ").replace(" ms","")),
e("dd",k==="parent"&&d.height>1?link(d[k],d[k]):e("code",k==="time_ms"?time(d[k]):d[k])));
const u=e("ul");for(const t of d.transactions){const a=e("a",t);a.href="receipts/"+t;u.append(e("li",e("code",a)))}
m.replaceChildren(l,e("h2",d.transactions.length+" transactions"),e("p","Each leads to its receipt."),u)}
async function stand(){const c=await get("chain"),seconds=t=>(t/1000).toFixed(1)+" s",s=(k,v)=>e("div",e("small",k),
e("b",String(v)));document.getElementById("s").replaceChildren(s("final height",c.height),s("epoch, view",c.epoch+", "+
c.view),s("last block",seconds(c.age_ms)+" ago"),s("finality took",seconds(c.finality_ms)),s("leads now",
c.leader.slice(0,12)),s("leads next",c.leader_next.slice(0,12)),s("validators",c.validators.length),s("peers",
c.peers_connected+" of "+c.peers+" connected"))}
async function draw(){const id=decodeURIComponent(location.hash.slice(1));try{if(id)await one(id);else await list();
await stand();p.textContent=""}
catch(x){p.textContent=String(x.message||x)}}
document.getElementById("f").onsubmit=async v=>{v.preventDefault();const q=document.getElementById("q").value.trim();
if(/^[0-9a-f]{64}$/.test(q)){const r=await fetch("receipts/"+q);if(r.ok){location.hash=(await r.json()).height;return}}
location.hash=q};
onhashchange=()=>{from=null;draw()};setInterval(()=>{if(!location.hash&&from===null)draw()},5000);draw();
</script></html>"""
