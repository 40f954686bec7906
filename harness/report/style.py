"""The stylesheet of a report."""

from __future__ import annotations

from harness.report.colors import COLORS

_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1200px;margin:0 auto;padding:28px 24px 48px;display:grid;gap:16px;
grid-template-columns:repeat(12,minmax(0,1fr))}
h1,h2,p,dl,dd,figure{margin:0}
code{font-family:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
.card{grid-column:span 12;background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:18px 20px;
min-width:0;break-inside:avoid}
.hero{padding:0;overflow:hidden;border-top:5px solid var(--verdict)}
.hero .top{padding:22px 24px 20px;display:flex;flex-wrap:wrap;gap:10px 28px;align-items:flex-start;
background:linear-gradient(100deg,color-mix(in srgb,var(--verdict) 13%,transparent),transparent 62%)}
.hero .name{flex:1 1 560px;min-width:0}
.brand{color:var(--faint);font-size:13px;letter-spacing:.02em}
h1{font-size:31px;line-height:1.2;letter-spacing:-.015em;font-weight:680;overflow-wrap:anywhere;margin:2px 0 4px}
.about{color:var(--soft);max-width:70ch;overflow-wrap:anywhere}
.badge{background:var(--verdict);color:var(--card);font-weight:720;font-size:21px;letter-spacing:.05em;line-height:1;
padding:13px 20px 13px 16px;border-radius:999px;display:inline-flex;gap:10px;align-items:center;white-space:nowrap}
.badge svg{width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:3;
stroke-linecap:round;stroke-linejoin:round}
.call{max-width:330px;display:flex;flex-direction:column;align-items:flex-end;text-align:right;gap:9px}
.call p{color:var(--soft);font-size:13.5px;text-wrap:balance;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:6px;padding:0;margin:12px 0 0;list-style:none}
.facts li{border:1px solid var(--rule);background:var(--card);border-radius:999px;padding:2px 11px;font-size:13px;
color:var(--soft);overflow-wrap:anywhere}
.facts b{color:var(--ink);font-weight:620}
.proof{border-top:1px solid var(--rule);padding:14px 24px 16px;display:grid;gap:5px 18px;
grid-template-columns:max-content minmax(0,1fr);align-items:baseline}
.proof dt{color:var(--faint);font-size:13px}.proof dd{overflow-wrap:anywhere}
.proof code{user-select:all}
.proof .run{display:block;width:fit-content;
background:var(--well);border:1px solid var(--rule);border-radius:8px;padding:6px 11px;color:var(--ink)}
.proof .run::before{content:"$ ";color:var(--faint);user-select:none}
.tiles{grid-column:span 12;display:grid;gap:12px;grid-template-columns:repeat(6,minmax(0,1fr))}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:13px 15px 12px;min-width:0;
break-inside:avoid}
.tile dt{color:var(--soft);font-size:12.5px}
.tile .big{font-size:25px;line-height:1.25;font-weight:650;letter-spacing:-.02em;white-space:nowrap}
.tile .sub{color:var(--faint);font-size:12.5px;line-height:1.4;overflow-wrap:anywhere}
h2{font-size:16px;font-weight:660;letter-spacing:-.005em}
.note{color:var(--soft);font-size:13px;text-wrap:pretty}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:6px 0 0;padding:0;list-style:none;font-size:12.5px;
color:var(--soft)}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.plot{margin-top:10px;overflow-x:auto}
.plot svg{display:block;width:100%;height:auto}
figure.card{position:relative}figure.card h2{padding-right:70px}
.zoom{position:absolute;top:16px;right:18px;font:inherit;font-size:12.5px;color:var(--faint);background:none;
border:1px solid var(--grid);border-radius:7px;padding:2px 10px;cursor:pointer}
.zoom:hover,.zoom:focus-visible{color:var(--ink)}
.wide .plot svg{min-width:760px}.half svg,.seven svg,.five svg{max-width:720px;margin:auto}
.half{grid-column:span 6}.seven{grid-column:span 7}.five{grid-column:span 5}
svg text{font-size:11px;fill:var(--faint)}
svg .strong{fill:var(--soft);font-weight:600}
svg .intx{fill:var(--onblock);font-weight:650}
svg .inblank{fill:var(--ink);font-weight:650}
svg .end{text-anchor:end}svg .mid{text-anchor:middle}
.gridline{stroke:var(--grid);stroke-width:1;fill:none}.axis{stroke:var(--rule);stroke-width:1;fill:none}
.guide{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4;fill:none}
.edge{stroke:var(--faint);stroke-width:1;stroke-dasharray:2 3;fill:none}
.lane{fill:var(--well)}
.trend{stroke:var(--block);stroke-width:2;fill:none;stroke-linejoin:round}
.second{stroke:var(--faint);stroke-width:1.3;fill:none;stroke-dasharray:4 3}
.area{fill:var(--block);fill-opacity:.11}.band{fill:var(--block);fill-opacity:.24}
.bar,.dot,.tx{fill:var(--block)}.point{fill:var(--block);fill-opacity:.6}
.ring{fill:var(--block);stroke:var(--card);stroke-width:2}
.peak{fill:var(--block);fill-opacity:.42}
.blank{fill:color-mix(in srgb,var(--block) 40%,var(--card))}
.heat1{fill:var(--block);fill-opacity:.5}.heat2{fill:var(--block);fill-opacity:.68}
.heat3{fill:var(--block);fill-opacity:.84}.heat4{fill:var(--block)}
.link{stroke:var(--block);stroke-opacity:.45;stroke-width:1.5;fill:none}
.forklink{stroke:var(--fork);stroke-width:1.3;stroke-dasharray:3 3;fill:none}
.skip{fill:var(--skip)}.fork{fill:var(--fork)}
.crash{fill:var(--crash)}.partition{fill:var(--partition)}.disturbance{fill:var(--disturbance)}
.shade{fill-opacity:.14}.row{fill-opacity:.26}
.hit{fill:var(--ink);fill-opacity:0}.hit:hover{fill-opacity:.07}
[data-tip]:not(.hit):hover{filter:brightness(1.15)}
table{border-collapse:collapse;width:100%;margin-top:8px;font-size:13.5px}
th{font-weight:560;color:var(--faint);text-align:left;font-size:12.5px}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--grid);vertical-align:baseline;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
th.num,td.num{text-align:right;white-space:nowrap;padding-right:26px}
td.held{color:var(--pass)}td.broken{color:var(--diverged);font-weight:650}td.idle{color:var(--faint)}
.held,.broken,.idle{white-space:nowrap}
.none{color:var(--faint);padding:26px 0;text-align:center}
footer{grid-column:span 12;color:var(--faint);font-size:12.5px}
#tip{position:fixed;left:0;top:0;z-index:9;pointer-events:none;max-width:340px;background:var(--ink);color:var(--card);
font-size:12.5px;line-height:1.45;padding:7px 11px;border-radius:8px;white-space:pre-line;overflow-wrap:anywhere}
#tip[hidden]{display:none}
@media screen and (max-width:1020px){.tiles{grid-template-columns:repeat(4,minmax(0,1fr))}}
@media screen and (max-width:860px){.half,.seven,.five{grid-column:span 12}
.call{align-items:flex-start;text-align:left}}
@media screen and (max-width:700px){main{padding:14px 12px 32px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}
.proof{grid-template-columns:minmax(0,1fr);gap:1px}.proof dd{margin-bottom:7px}h1{font-size:25px}}
@media print{body{background:none;font-size:13px}main{max-width:none;padding:0;gap:10px}#tip,.zoom{display:none}
.plot{overflow:visible}.plot svg{width:100%!important;min-width:0!important;max-width:100%!important}
.card{break-inside:avoid}.hero{break-inside:auto}.tile .big{font-size:20px}}
@page{size:A4 landscape;margin:11mm}
"""


def stylesheet() -> str:
    """The whole CSS: light by default and on paper, dark where the reader's system asks for it."""

    def names(index: int) -> str:
        return "".join(f"--{name}:{values[index]};" for name, values in COLORS.items())

    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{names(1)}}}}}"
    return f":root{{color-scheme:light dark;{names(0)}}}{dark}{_RULES}"
