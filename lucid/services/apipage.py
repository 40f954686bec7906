"""The page that shows a service's description to people: what each route takes, gives and refuses, with examples."""

from __future__ import annotations

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lucid SERVICE</title><style>:root{color-scheme:light dark}
body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;overflow-wrap:anywhere}
code,pre{font:13px ui-monospace,monospace}pre{overflow:auto;background:#8882;padding:.6rem}
summary b{display:inline-block;width:4.5rem}details{margin:.3rem 0;border-bottom:1px solid #8884}
td{vertical-align:top;padding:.1rem .8rem .1rem 0}</style>
<h1>Lucid SERVICE</h1><p>For programs: <a href="openapi.json">openapi.json</a>. Every path is also under
<code>/api/v1</code>.</p><div id="r"></div><script>
const e=(t,...c)=>{const n=document.createElement(t);n.append(...c);return n},show=v=>JSON.stringify(v,null,1);
fetch("openapi.json").then(a=>a.json()).then(d=>{const follow=s=>s&&s.$ref?d.components.schemas[s.$ref.split("/").pop()]
:s,body=c=>{const o=[];for(const[t,x]of Object.entries(c||{})){o.push(e("code",t));const s=follow(x.schema);
if(s&&s.examples)o.push(e("pre",show(s.examples[0])))}return o},rows=l=>e("table",...l);
for(const[p,m]of Object.entries(d.paths))for(const[k,o]of Object.entries(m)){const x=e("details",e("summary",
e("b",k.toUpperCase()),e("code",p)," "+o.summary+(o.security?" (token)":"")));
if(o.parameters.length)x.append(e("h4","Parameters"),rows(o.parameters.map(q=>e("tr",e("td",e("code",q.name)),
e("td",q.in+(q.required?"":", optional")),e("td",e("code",show(q.schema)))))));
if(o.requestBody)x.append(e("h4","Body"),...body(o.requestBody.content));
x.append(e("h4","Answers"),rows(Object.entries(o.responses).map(([c,a])=>e("tr",e("td",c),e("td",a.description),
e("td",...(c<"3"?body(a.content):[]))))));r.append(x)}})
</script></html>"""
